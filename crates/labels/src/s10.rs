//! Tracking numbers of postal items: Universal Postal Union standard S10 ("Identification of
//! postal items: 13-character identifier"): two letters for the service, eight digits, a check
//! digit, the country of origin (ISO 3166-1 alpha-2).

const WEIGHTS: [u32; 8] = [8, 6, 4, 2, 3, 5, 9, 7];

/// The check digit of a serial number of eight digits: 11 less the weighted sum modulo 11; ten
/// stands as 0, eleven as 5.
pub fn check_digit(serial: u32) -> u32 {
    let mut rest = serial % 100_000_000;
    let mut sum = 0;
    for weight in WEIGHTS.iter().rev() {
        sum += (rest % 10) * weight;
        rest /= 10;
    }
    match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        digit => digit,
    }
}

/// Whether a text has the form of such a number, right or wrong.
pub fn looks_like(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 13
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..11].iter().all(u8::is_ascii_digit)
        && bytes[11..].iter().all(u8::is_ascii_uppercase)
}

/// Whether a text is such a number, with the right check digit.
pub fn is_valid(text: &str) -> bool {
    looks_like(text)
        && text[2..10].parse::<u32>().map(check_digit).ok() == text[10..11].parse::<u32>().ok()
}

/// The number of an item: `service` and `country` are two capital letters each.
pub fn number(service: &str, serial: u32, country: &str) -> Option<String> {
    let serial = serial % 100_000_000;
    let number = format!("{service}{serial:08}{}{country}", check_digit(serial));
    is_valid(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_numbers_have_their_check_digits() {
        // The example of the standard, RB473124829US, and the two exceptional remainders.
        assert!(is_valid("RB473124829US"));
        assert_eq!(check_digit(47_312_482), 9);
        assert_eq!(check_digit(0), 5, "remainder 0 gives 11, written 5");
        // 00000003: 21 modulo 11 is 10, 11 - 10 is 1; 00000008: 56 modulo 11 is 1, written 0.
        assert_eq!(check_digit(3), 1);
        assert_eq!(check_digit(8), 0);
    }

    proptest! {
        #[test]
        fn a_number_is_valid_and_no_longer_with_a_wrong_digit(serial in 0u32..100_000_000, place in 2usize..11, digit in 0u32..10) {
            let number = number("SP", serial, "GB").expect("a number");
            prop_assert!(is_valid(&number));
            let mut wrong = number.clone();
            wrong.replace_range(place..=place, &digit.to_string());
            // The two exceptions of the standard make some check digits ambiguous; every single
            // wrong digit of the serial number changes the remainder, and the check digit tells
            // unless both remainders are written with the same digit.
            let remainder = |text: &str| -> u32 {
                let digits = text[2..10].bytes().map(|b| u32::from(b - b'0'));
                digits.zip(WEIGHTS).map(|(d, w)| d * w).sum::<u32>() % 11
            };
            let same = remainder(&wrong) == remainder(&number) && wrong[10..11] == number[10..11];
            let ambiguous = [(0, 6), (6, 0)].contains(&(remainder(&wrong), remainder(&number)));
            prop_assert!(!is_valid(&wrong) || same || ambiguous, "{wrong}");
        }

        #[test]
        fn swapped_neighbours_are_noticed(serial in 0u32..100_000_000, place in 2usize..9) {
            let number = number("SP", serial, "GB").expect("a number");
            let mut bytes = number.clone().into_bytes();
            bytes.swap(place, place + 1);
            let swapped = String::from_utf8(bytes).expect("digits");
            prop_assume!(swapped != number);
            let check = |text: &str| text[2..10].parse().map(check_digit).expect("digits");
            prop_assert_eq!(is_valid(&swapped), check(&swapped) == check(&number));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,20}") {
            let _ = (looks_like(&text), is_valid(&text));
        }
    }
}
