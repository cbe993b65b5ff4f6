//! Tracking numbers of postal items (Universal Postal Union standard S10).

const WEIGHTS: [u64; 8] = [8, 6, 4, 2, 3, 5, 9, 7];

/// The number of the `n`th parcel from a country (two capital letters).
pub fn tracking_number(n: u64, country: &str) -> String {
    let serial = n % 100_000_000;
    let digits = format!("{serial:08}");
    let weighted = digits.bytes().zip(WEIGHTS);
    let sum: u64 = weighted
        .map(|(d, weight)| u64::from(d - b'0') * weight)
        .sum();
    let check = match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        digit => digit,
    };
    format!("SP{digits}{check}{country}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_the_standards() {
        assert_eq!(tracking_number(47_312_482, "US"), "SP473124829US");
        assert_eq!(tracking_number(0, "GB"), "SP000000005GB");
        assert_eq!(tracking_number(8, "GB"), "SP000000080GB");
    }
}
