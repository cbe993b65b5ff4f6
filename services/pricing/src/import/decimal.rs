//! Percentages, exactly: decimal text to millionths, without floats.

/// A percentage such as `8.5` or `20.0000` in millionths: 85000, 200000.
///
/// # Errors
/// What is wrong with it.
pub fn percent_to_ppm(text: &str) -> Result<i64, &'static str> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if text.starts_with('-') {
        return Err("must not be negative");
    }
    let bare = whole.is_empty() && fraction.is_empty();
    if bare || !digits(whole) || !digits(fraction) || whole.len() > 6 {
        return Err("must be a decimal number of per cent, such as 8.5");
    }
    let (kept, below) = fraction.split_at(fraction.len().min(4));
    if below.bytes().any(|b| b != b'0') {
        return Err("must have at most four digits behind the point");
    }
    // At most ten digits: they fit.
    let ppm: i64 = format!("{whole}{kept:0<4}").parse().unwrap_or(i64::MAX);
    match ppm <= 1_000_000 {
        true => Ok(ppm),
        false => Err("must be at most 100 per cent"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::percent_to_ppm;

    #[test]
    fn percentages_are_exact_or_refused() {
        let good = [
            ("20.0000", 200_000),
            ("8.5", 85_000),
            ("0", 0),
            ("100", 1_000_000),
            ("2.1", 21_000),
            ("0.0001", 1),
            (".5", 5_000),
            (" 19 ", 190_000),
            ("5.00000000", 50_000),
        ];
        for (text, ppm) in good {
            assert_eq!(percent_to_ppm(text), Ok(ppm), "{text}");
        }
        let bad = [
            "", ".", "-1", "100.0001", "1e1", "8,5", "0.00001", "12%", "1.2.3", "9999999", "½",
        ];
        for text in bad {
            assert!(percent_to_ppm(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(ppm in 0i64..=1_000_000) {
            let text = format!("{}.{:04}", ppm / 10_000, ppm % 10_000);
            prop_assert_eq!(percent_to_ppm(&text), Ok(ppm));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,20}") {
            let _ = percent_to_ppm(&text);
        }
    }
}
