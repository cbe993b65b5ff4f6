//! Card numbers never come here: a token that looks like one is refused unread.

/// Whether `text` could be a card number: 12 to 19 digits (spaces and dashes between them do not
/// hide it) that pass the Luhn check of ISO/IEC 7812-1, annex B.
pub fn looks_like_card_number(text: &str) -> bool {
    let mut digits = Vec::with_capacity(19);
    for byte in text.trim().bytes() {
        match byte {
            b'0'..=b'9' if digits.len() < 19 => digits.push(u32::from(byte - b'0')),
            b' ' | b'-' => {}
            _ => return false,
        }
    }
    digits.len() >= 12 && luhn_sum(&digits).is_multiple_of(10)
}

fn luhn_sum(digits: &[u32]) -> u32 {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            1 => doubled(*digit),
            _ => *digit,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn card_numbers_are_known_in_any_spelling() {
        for number in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "3782-822463-10005",
            " 5555555555554444 ",
        ] {
            assert!(looks_like_card_number(number), "{number}");
        }
    }

    #[test]
    fn tokens_are_not_card_numbers() {
        for token in [
            "tok_visa",
            "tok_4242424242424242",
            "4242424242424241",
            "00000000000",
            "",
            "42424242424242424242",
        ] {
            assert!(!looks_like_card_number(token), "{token}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_noticed(digits in "[0-9]{15}", at in 0usize..15) {
            let check = (0..10).find(|d| looks_like_card_number(&format!("{digits}{d}")));
            let number = format!("{digits}{}", check.expect("one digit fits"));
            let mut wrong = number.clone().into_bytes();
            wrong[at] = b'0' + (wrong[at] - b'0' + 1) % 10;
            prop_assert!(!looks_like_card_number(std::str::from_utf8(&wrong).expect("digits")));
        }
    }
}
