//! Order numbers: what people read out on the telephone.

use contracts::orders::OrderId;

/// Crockford's base 32: no I, L, O or U, so nothing is mistaken for a digit or spells a word.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: u32 = 10;

/// The number of an order: `S-` and ten base-32 digits, the last 50 bits of its id.
///
/// Those bits are random (UUIDv7 ends in 62 random bits), so numbers need no coordination, have
/// gaps, and do not tell how many orders a shop has. Two of a million orders share a number with a
/// probability of 1 in 2,250; a number is therefore what people look an order up by, never its
/// key: that is the id.
pub fn order_number(order: &OrderId) -> String {
    let hex = order.as_str().trim_start_matches("ord_");
    let hex = hex.bytes().rev().filter_map(nibble);
    let bits = hex
        .take(13)
        .enumerate()
        .fold(0u64, |bits, (i, nibble)| bits | (nibble << (4 * i)));
    let digits = (0..LENGTH)
        .rev()
        .map(|i| DIGITS[(bits >> (5 * i)) as usize % DIGITS.len()] as char);
    "S-".chars().chain(digits).collect()
}

fn nibble(byte: u8) -> Option<u64> {
    (byte as char).to_digit(16).map(u64::from)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn number(id: &str) -> String {
        order_number(&id.parse().expect("an id"))
    }

    #[test]
    fn a_number_is_fixed_by_the_order_id() {
        let id = "ord_019a8f3c5d2e7b4c9a1f0123456789ab";
        assert_eq!(number(id), number(id));
        assert_eq!(
            number("ord_00000000000000000000000000000000"),
            "S-0000000000"
        );
        assert_eq!(
            number("ord_0000000000000000000000000000001f"),
            "S-000000000Z"
        );
        assert_eq!(
            number("ord_ffffffffffffffffffffffffffffffff"),
            "S-ZZZZZZZZZZ"
        );
    }

    #[test]
    fn different_ends_give_different_numbers() {
        let numbers: HashSet<String> = (0..5_000u64)
            .map(|i| {
                number(&format!(
                    "ord_019a8f3c5d2e7b4c{:016x}",
                    i.wrapping_mul(0x9e37_79b9_7f4a_7c15)
                ))
            })
            .collect();
        assert_eq!(numbers.len(), 5_000);
    }
}
