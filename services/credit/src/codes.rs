//! Making codes. A request with an `Idempotency-Key` that comes again must get its codes again,
//! but codes are not kept: they are made from the key with the shop's own secret, and so come out
//! the same. Without such a key they are random.

use contracts::credit::{GIFT_CARD_CODES, GiftCardCode, account_of_hash};
use kernel::{App, AppError, IdempotencyKey};

use crate::accounts::NewCard;

/// What the keyed hash is made for.
const MAKING: &str = "gift-card-code";

/// `count` new codes.
pub fn make(
    app: &App,
    key: Option<&IdempotencyKey>,
    count: usize,
) -> Result<Vec<GiftCardCode>, AppError> {
    (0..count)
        .map(|number| {
            let random = match key {
                None => Some(app.ids().secret()[..16].iter().fold(0, shift)),
                Some(key) => {
                    let name = format!("{}\n{number}", key.scope);
                    let digits = app.keys().blind(MAKING, &name);
                    let digits = digits.get(..32);
                    digits.and_then(|digits| u128::from_str_radix(digits, 16).ok())
                }
            };
            let weak = || AppError::Internal("a keyed hash has too few digits".into());
            random.map(GiftCardCode::from_random).ok_or_else(weak)
        })
        .collect()
}

fn shift(so_far: u128, byte: &u8) -> u128 {
    so_far << 8 | u128::from(*byte)
}

/// The account of a code.
pub fn card(app: &App, code: &GiftCardCode) -> NewCard {
    let code_hash = app.keys().blind(GIFT_CARD_CODES, code.secret());
    NewCard {
        account_id: account_of_hash(&code_hash),
        code_hash,
    }
}
