//! Money: integer minor units and an ISO 4217 currency. Floats never appear.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An ISO 4217 alphabetic currency code, e.g. `GBP`. Only its form is checked here; which
/// currencies a shop sells in is that shop's configuration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Pound sterling, the demo shop's currency.
    pub const GBP: Self = Self(*b"GBP");
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");
    /// United States dollar.
    pub const USD: Self = Self(*b"USD");

    /// The three-letter code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// How many digits the minor unit has (ISO 4217): 2 for most, 0 for yen, 3 for dinars.
    pub fn minor_digits(&self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        match code.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(MoneyError::BadCurrency),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<str>::deserialize(d)?;
        code.parse().map_err(serde::de::Error::custom)
    }
}

/// An amount of money in minor units (pence, cents) of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": 1999, "currency": "GBP"}))]
pub struct Money {
    /// Minor units: 1999 is £19.99. May be negative (a refund, a discount).
    pub amount: i64,
    /// ISO 4217 code.
    #[schema(value_type = String, example = "GBP")]
    pub currency: Currency,
}

/// What can go wrong with money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The code is not three upper-case letters.
    #[error("a currency is three capital letters (ISO 4217), for example GBP")]
    BadCurrency,
    /// Two currencies met in one sum.
    #[error("the amounts are in different currencies")]
    CurrencyMismatch,
    /// The result does not fit in 64 bits.
    #[error("the amount is too large")]
    Overflow,
    /// The text is not a decimal amount of this currency.
    #[error("not an amount of money")]
    BadAmount,
}

impl Money {
    /// `amount` minor units of `currency`.
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The sum; refuses to mix currencies or overflow.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let amount = self
            .amount
            .checked_add(other.amount)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self::new(amount, self.currency))
    }

    /// The difference; refuses to mix currencies or overflow.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        let negated = other.amount.checked_neg().ok_or(MoneyError::Overflow)?;
        self.plus(Self::new(negated, other.currency))
    }

    /// This amount `quantity` times.
    pub fn times(self, quantity: i64) -> Result<Self, MoneyError> {
        let amount = self
            .amount
            .checked_mul(quantity)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self::new(amount, self.currency))
    }

    /// Splits this amount over `weights` so that the parts sum to it exactly, by the largest
    /// remainder (Hamilton's method); ties go to the earlier part. All-zero or empty weights give
    /// everything to the first part, if there is one.
    pub fn allocate(self, weights: &[u64]) -> Vec<Money> {
        let total: u128 = weights.iter().map(|w| u128::from(*w)).sum();
        let mut parts = vec![0i64; weights.len()];
        if parts.is_empty() {
            return Vec::new();
        }
        if let Some(total) = std::num::NonZeroU128::new(total) {
            let whole = u128::from(self.amount.unsigned_abs());
            let sign = self.amount.signum();
            let mut given: u128 = 0;
            let mut remainders: Vec<(u128, usize)> = Vec::with_capacity(weights.len());
            for (i, weight) in weights.iter().enumerate() {
                // whole < 2^63 and weight < 2^64, so the product fits in 127 bits.
                let share = whole * u128::from(*weight);
                given += share / total;
                parts[i] = (share / total) as i64;
                remainders.push((share % total, i));
            }
            remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
            for (_, i) in remainders.into_iter().take((whole - given) as usize) {
                parts[i] += 1;
            }
            parts.iter_mut().for_each(|p| *p *= sign);
        } else {
            parts[0] = self.amount;
        }
        parts
            .into_iter()
            .map(|amount| Money::new(amount, self.currency))
            .collect()
    }

    /// Reads a decimal such as `19.99` exactly; refuses digits below the minor unit unless they
    /// are zero.
    pub fn parse_decimal(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let places = currency.minor_digits() as usize;
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction)
        {
            return Err(MoneyError::BadAmount);
        }
        let (kept, below) = fraction.split_at(fraction.len().min(places));
        if below.bytes().any(|b| b != b'0') {
            return Err(MoneyError::BadAmount);
        }
        let minor: i64 = format!("{whole}{kept:0<places$}")
            .parse()
            .map_err(|_| MoneyError::Overflow)?;
        Ok(Self::new(if negative { -minor } else { minor }, currency))
    }
}

impl fmt::Display for Money {
    /// For people: `19.99 GBP`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.minor_digits() as usize;
        let sign = if self.amount < 0 { "-" } else { "" };
        let scale = 10u64.pow(digits as u32);
        let absolute = self.amount.unsigned_abs();
        if digits == 0 {
            return write!(f, "{sign}{absolute} {}", self.currency);
        }
        write!(
            f,
            "{sign}{}.{:0digits$} {}",
            absolute / scale,
            absolute % scale,
            self.currency
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn allocation_always_sums_to_the_whole(
            amount in -1_000_000_000_000i64..1_000_000_000_000,
            weights in proptest::collection::vec(0u64..1_000_000_000, 1..40),
        ) {
            let parts = Money::new(amount, Currency::GBP).allocate(&weights);
            prop_assert_eq!(parts.iter().map(|p| p.amount).sum::<i64>(), amount);
            prop_assert_eq!(parts.len(), weights.len());
        }

        #[test]
        fn what_is_printed_is_read_back(amount in any::<i32>()) {
            let money = Money::new(i64::from(amount), Currency::GBP);
            let text = money.to_string();
            let number = text.split(' ').next().unwrap_or_default();
            prop_assert_eq!(Money::parse_decimal(number, Currency::GBP), Ok(money));
        }
    }

    #[test]
    fn decimals_are_exact_or_refused() {
        let gbp = |t| Money::parse_decimal(t, Currency::GBP).map(|m| m.amount);
        assert_eq!(gbp("2.55"), Ok(255));
        assert_eq!(gbp("2.5"), Ok(250));
        assert_eq!(gbp("2"), Ok(200));
        assert_eq!(gbp("0.0010"), Err(MoneyError::BadAmount));
        assert_eq!(gbp("1.2300"), Ok(123));
        assert_eq!(gbp("1e3"), Err(MoneyError::BadAmount));
        assert_eq!(gbp(""), Err(MoneyError::BadAmount));
        assert_eq!(gbp("99999999999999999999"), Err(MoneyError::Overflow));
    }

    #[test]
    fn currencies_do_not_mix() {
        let pound = Money::new(1, Currency::GBP);
        assert_eq!(
            pound.plus(Money::new(1, Currency::EUR)),
            Err(MoneyError::CurrencyMismatch)
        );
        assert_eq!(
            pound.times(i64::MAX).and_then(|m| m.plus(pound)),
            Err(MoneyError::Overflow)
        );
    }
}
