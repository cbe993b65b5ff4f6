//! Money as people read it. The only place that knows how.

use kernel::Money;

/// `£19.99`, `€1,234.50`, `¥1,999`, `CHF 12.00`; negative amounts with a minus sign in front.
pub fn show(money: Money) -> String {
    let digits = money.currency.minor_digits();
    let scale = 10u64.pow(digits);
    let amount = money.amount.unsigned_abs();
    let sign = if money.amount < 0 { "\u{2212}" } else { "" };
    let symbol = symbol(money.currency.code());
    let whole = grouped(amount / scale);
    match digits {
        0 => format!("{sign}{symbol}{whole}"),
        _ => format!(
            "{sign}{symbol}{whole}.{:0width$}",
            amount % scale,
            width = digits as usize
        ),
    }
}

/// The sign before the number; currencies without one of their own show their code.
fn symbol(code: &str) -> String {
    let sign = match code {
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
        // The space must not break: an amount stays on one line.
        other => return format!("{other}\u{a0}"),
    };
    sign.to_owned()
}

fn grouped(whole: u64) -> String {
    let digits = whole.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use kernel::{Currency, Money};
    use proptest::prelude::*;

    use super::show;

    fn shown(amount: i64, code: &str) -> String {
        show(Money::new(
            amount,
            code.parse::<Currency>().expect("a currency"),
        ))
    }

    #[test]
    fn amounts_are_shown_as_their_currency_is_written() {
        assert_eq!(shown(1999, "GBP"), "£19.99");
        assert_eq!(shown(5, "EUR"), "€0.05");
        assert_eq!(shown(123_456_789, "USD"), "$1,234,567.89");
        assert_eq!(shown(1999, "JPY"), "¥1,999");
        assert_eq!(shown(1_500, "KWD"), "KWD\u{a0}1.500");
        assert_eq!(shown(-250, "GBP"), "\u{2212}£2.50");
        assert_eq!(shown(0, "GBP"), "£0.00");
        assert_eq!(shown(i64::MIN, "JPY"), "\u{2212}¥9,223,372,036,854,775,808");
    }

    proptest! {
        #[test]
        fn no_digit_is_lost(amount in 0i64..) {
            let digits: String = shown(amount, "GBP").chars().filter(char::is_ascii_digit).collect();
            prop_assert_eq!(digits.parse::<i64>(), Ok(amount));
        }
    }
}
