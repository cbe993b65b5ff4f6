//! What a card or a token makes the provider do, and the test cards that stand for it.

use crate::payment::{DeclineCode, Verdict};

/// How the provider behaves for one payment. Decided by the token alone, for the payment's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Behaviour {
    /// Authorises, answers, sends its webhook.
    Ok,
    /// Declined by the bank.
    Declined,
    /// Declined for want of money.
    InsufficientFunds,
    /// Needs the cardholder's approval first.
    ThreeDSecure,
    /// Charges, but the answer never leaves.
    TimeoutAfterCharge,
    /// Neither charges nor answers.
    TimeoutBeforeCharge,
    /// Sends every webhook five times in parallel.
    WebhookStorm,
    /// Delivers the webhook before the HTTP answer leaves.
    WebhookFirst,
    /// Delivers webhooks seconds late.
    WebhookLate,
    /// Delivers later events before the first one.
    WebhookReordered,
    /// Fails with 500 on the first attempt of an idempotency key, works on the next.
    ErrorThenOk,
}

/// One row of the table of test cards.
#[derive(Clone, Copy, Debug)]
pub struct TestCard {
    /// The card number; passes the Luhn check and belongs to nobody.
    pub number: &'static str,
    /// `visa`, `mastercard` or `amex`.
    pub brand: &'static str,
    /// The fixed token that does the same without a call to `/v1/tokens`.
    pub token: &'static str,
    /// What it makes the provider do.
    pub behaviour: Behaviour,
    /// One line for people.
    pub meaning: &'static str,
}

macro_rules! cards {
    ($($number:literal $brand:literal $token:literal $behaviour:ident $meaning:literal;)*) => {
        &[$(TestCard { number: $number, brand: $brand, token: $token, behaviour: Behaviour::$behaviour, meaning: $meaning }),*]
    };
}

/// Every test card. For each behaviour the first row is its usual card and its fixed token.
pub const TEST_CARDS: &[TestCard] = cards! {
    "4242424242424242" "visa" "tok_visa" Ok "authorised";
    "5555555555554444" "mastercard" "tok_mastercard" Ok "authorised";
    "378282246310005" "amex" "tok_amex" Ok "authorised";
    "4000000000000002" "visa" "tok_declined" Declined "declined by the bank";
    "4000000000009995" "visa" "tok_insufficient_funds" InsufficientFunds "declined: insufficient funds";
    "4000002500003155" "visa" "tok_3ds" ThreeDSecure "asks the cardholder first (3-D Secure)";
    "4000000000001018" "visa" "tok_timeout_after_charge" TimeoutAfterCharge "charged, but the answer never comes";
    "4000000000001026" "visa" "tok_timeout_before_charge" TimeoutBeforeCharge "not charged, and no answer";
    "4000000000001034" "visa" "tok_webhook_storm" WebhookStorm "each webhook five times in parallel";
    "4000000000001042" "visa" "tok_webhook_first" WebhookFirst "webhook before the answer";
    "4000000000001059" "visa" "tok_webhook_late" WebhookLate "webhooks seconds late";
    "4000000000001067" "visa" "tok_webhook_reordered" WebhookReordered "later webhooks before the first";
    "4000000000001075" "visa" "tok_error_500_then_ok" ErrorThenOk "error 500 first, works when retried";
};

/// How the webhooks of a payment travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Soon, once.
    Normal,
    /// Soon, five times at the same moment.
    Storm,
    /// Before the answer.
    First,
    /// After the configured delay.
    Late,
    /// Held until a later event of the same payment was delivered, or for a while.
    Held,
    /// Soon; and it lets the held events of its payment go.
    Overtaking,
}

/// When in its life something happens to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Its first event.
    Opening,
    /// The cardholder approved or refused.
    Challenge,
    /// Anything after that.
    Later,
}

impl Behaviour {
    /// The number under which it is stored. Never reuse one.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Declined => 1,
            Self::InsufficientFunds => 2,
            Self::ThreeDSecure => 3,
            Self::TimeoutAfterCharge => 4,
            Self::TimeoutBeforeCharge => 5,
            Self::WebhookStorm => 6,
            Self::WebhookFirst => 7,
            Self::WebhookLate => 8,
            Self::WebhookReordered => 9,
            Self::ErrorThenOk => 10,
        }
    }

    /// The reverse of [`Behaviour::code`].
    pub fn from_code(code: u8) -> Option<Self> {
        TEST_CARDS
            .iter()
            .map(|card| card.behaviour)
            .find(|behaviour| behaviour.code() == code)
    }

    /// What the bank says for such a card.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Declined => Verdict::Decline(DeclineCode::CardDeclined),
            Self::InsufficientFunds => Verdict::Decline(DeclineCode::InsufficientFunds),
            Self::ThreeDSecure => Verdict::Challenge,
            _ => Verdict::Approve,
        }
    }

    /// How an event travels.
    pub fn delivery(self, occasion: Occasion) -> Delivery {
        match (self, occasion) {
            (Self::WebhookStorm, _) => Delivery::Storm,
            (Self::WebhookFirst, _) => Delivery::First,
            // The cardholder is back in the shop a moment later: the shop should know by then.
            (Self::ThreeDSecure, Occasion::Challenge) => Delivery::First,
            (Self::WebhookLate, _) => Delivery::Late,
            (Self::WebhookReordered, Occasion::Opening) => Delivery::Held,
            (Self::WebhookReordered, _) => Delivery::Overtaking,
            _ => Delivery::Normal,
        }
    }
}

impl Delivery {
    /// The number under which it is stored. Never reuse one.
    pub fn code(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Storm => 1,
            Self::First => 2,
            Self::Late => 3,
            Self::Held => 4,
            Self::Overtaking => 5,
        }
    }

    /// The reverse of [`Delivery::code`].
    pub fn from_code(code: u8) -> Option<Self> {
        [
            Self::Normal,
            Self::Storm,
            Self::First,
            Self::Late,
            Self::Held,
            Self::Overtaking,
        ]
        .into_iter()
        .find(|delivery| delivery.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_behaviour_and_delivery_survives_storage() {
        for card in TEST_CARDS {
            assert_eq!(
                Behaviour::from_code(card.behaviour.code()),
                Some(card.behaviour)
            );
            for occasion in [Occasion::Opening, Occasion::Challenge, Occasion::Later] {
                let delivery = card.behaviour.delivery(occasion);
                assert_eq!(Delivery::from_code(delivery.code()), Some(delivery));
            }
        }
        assert_eq!(Behaviour::from_code(11), None);
        assert_eq!(Delivery::from_code(6), None);
    }

    #[test]
    fn numbers_and_tokens_are_distinct_and_pass_luhn() {
        let numbers: HashSet<_> = TEST_CARDS.iter().map(|card| card.number).collect();
        let tokens: HashSet<_> = TEST_CARDS.iter().map(|card| card.token).collect();
        assert_eq!(
            (numbers.len(), tokens.len()),
            (TEST_CARDS.len(), TEST_CARDS.len())
        );
        assert!(
            TEST_CARDS
                .iter()
                .all(|card| crate::tokens::passes_luhn(card.number))
        );
    }

    #[test]
    fn the_documentation_lists_every_card() {
        let documentation = include_str!("lib.rs");
        for card in TEST_CARDS {
            let row = format!("| {} | `{}` |", card.number, card.token);
            assert!(documentation.contains(&row), "{row}");
        }
    }
}
