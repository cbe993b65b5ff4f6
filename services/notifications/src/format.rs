//! Amounts and dates as people write them, by language. English is the fallback.

use kernel::{Money, Timestamp};

/// `£1,234.50` in English, `1.234,50 £` in German. A negative amount has a minus sign in front.
pub fn money(locale: &str, money: Money) -> String {
    let digits = money.currency.minor_digits();
    let scale = 10u64.pow(digits);
    let amount = money.amount.unsigned_abs();
    let sign = if money.amount < 0 { "\u{2212}" } else { "" };
    let (group, point) = match is_german(locale) {
        true => ('.', ','),
        false => (',', '.'),
    };
    let mut number = grouped(amount / scale, group);
    if digits > 0 {
        let (below, width) = (amount % scale, digits as usize);
        number = format!("{number}{point}{below:0width$}");
    }
    let code = money.currency.code();
    // The spaces must not break: an amount stays on one line.
    match (is_german(locale), symbol(code)) {
        (true, symbol) => format!("{sign}{number}\u{a0}{}", symbol.unwrap_or(code)),
        (false, Some(symbol)) => format!("{sign}{symbol}{number}"),
        (false, None) => format!("{sign}{code}\u{a0}{number}"),
    }
}

fn is_german(locale: &str) -> bool {
    locale == "de" || locale.starts_with("de-")
}

/// The sign of a currency, where it has one of its own.
fn symbol(code: &str) -> Option<&'static str> {
    Some(match code {
        "GBP" => "£",
        "EUR" => "€",
        "USD" => "$",
        "JPY" => "¥",
        "CNY" => "CN¥",
        "INR" => "₹",
        "KRW" => "₩",
        "TRY" => "₺",
        "ILS" => "₪",
        "UAH" => "₴",
        "VND" => "₫",
        "AUD" => "A$",
        "CAD" => "CA$",
        "NZD" => "NZ$",
        _ => return None,
    })
}

fn grouped(whole: u64, separator: char) -> String {
    let digits = whole.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

const MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

/// `3 May 2030` in English, `3. Mai 2030` in German; UTC.
pub fn date(locale: &str, at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_second(at.seconds()).unwrap_or_default();
    let day = moment.to_zoned(jiff::tz::TimeZone::UTC);
    if !is_german(locale) {
        return day.strftime("%-d %B %Y").to_string();
    }
    let month = usize::try_from(day.month() - 1).ok();
    let month = month.and_then(|month| MONTHS.get(month)).unwrap_or(&"");
    format!("{}. {month} {}", day.day(), day.year())
}

/// The same with the time of day.
pub fn moment(locale: &str, at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_second(at.seconds()).unwrap_or_default();
    let time = moment.to_zoned(jiff::tz::TimeZone::UTC);
    format!("{}, {} UTC", date(locale, at), time.strftime("%H:%M"))
}

#[cfg(test)]
mod tests {
    use kernel::Currency;
    use proptest::prelude::*;

    use super::*;

    fn shown(locale: &str, amount: i64, code: &str) -> String {
        let currency: Currency = code.parse().expect("a currency");
        money(locale, Money::new(amount, currency))
    }

    #[test]
    fn amounts_are_written_as_their_readers_do() {
        assert_eq!(shown("en", 123_450, "GBP"), "£1,234.50");
        assert_eq!(shown("de", 123_450, "EUR"), "1.234,50\u{a0}€");
        assert_eq!(shown("de-AT", -5, "EUR"), "\u{2212}0,05\u{a0}€");
        assert_eq!(shown("en", 1_999, "JPY"), "¥1,999");
        assert_eq!(shown("de", 1_999, "JPY"), "1.999\u{a0}¥");
        assert_eq!(shown("en", 1_500, "KWD"), "KWD\u{a0}1.500");
        assert_eq!(shown("de", 1_500, "KWD"), "1,500\u{a0}KWD");
        assert_eq!(
            shown("en", i64::MIN, "JPY"),
            "\u{2212}¥9,223,372,036,854,775,808"
        );
    }

    #[test]
    fn dates_are_written_as_their_readers_do() {
        let at = Timestamp(1_904_047_500_000_000);
        assert_eq!(date("en", at), "3 May 2030");
        assert_eq!(date("de", at), "3. Mai 2030");
        assert_eq!(moment("de", at), "3. Mai 2030, 14:05 UTC");
        assert!(!date("en", Timestamp(i64::MAX)).is_empty());
    }

    proptest! {
        #[test]
        fn no_digit_is_lost(amount in 0i64.., german in any::<bool>()) {
            let text = shown(if german { "de" } else { "en" }, amount, "EUR");
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            prop_assert_eq!(digits.parse::<i64>(), Ok(amount));
        }
    }
}
