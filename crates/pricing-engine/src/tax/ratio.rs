//! Exact fractions, for rates that are composed before anything is rounded.

use kernel::MoneyError;

/// A fraction that is not negative, in lowest terms. What does not fit in 128 bits is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ratio {
    pub(crate) num: i128,
    pub(crate) den: i128,
}

impl Ratio {
    pub(crate) const ONE: Self = Self { num: 1, den: 1 };

    /// `num` / `den`, for `num` ≥ 0; a `den` that is not positive is refused.
    pub(crate) fn new(num: i128, den: i128) -> Result<Self, MoneyError> {
        if num < 0 || den <= 0 {
            return Err(MoneyError::BadAmount);
        }
        let common = gcd(num, den);
        Ok(Self {
            num: num / common,
            den: den / common,
        })
    }

    pub(crate) fn plus(self, other: Self) -> Result<Self, MoneyError> {
        let den = lcm(self.den, other.den)?;
        let num = fits(self.num.checked_mul(den / self.den))?;
        let more = fits(other.num.checked_mul(den / other.den))?;
        Self::new(fits(num.checked_add(more))?, den)
    }

    pub(crate) fn times(self, other: Self) -> Result<Self, MoneyError> {
        // Shortened crosswise first, so that only what is really too large is refused.
        let (a, b) = (gcd(self.num, other.den), gcd(other.num, self.den));
        let num = (self.num / a).checked_mul(other.num / b);
        let den = (self.den / b).checked_mul(other.den / a);
        Self::new(fits(num)?, fits(den)?)
    }

    /// This divided by another, which is not zero.
    pub(crate) fn over(self, other: Self) -> Result<Self, MoneyError> {
        self.times(Self::new(other.den, other.num)?)
    }

    /// This much of an amount, half away from zero.
    pub(crate) fn of(self, amount: i64) -> Result<i64, MoneyError> {
        let product = fits(i128::from(amount).checked_mul(self.num))?;
        round(product, self.den)
    }
}

/// `num` / `den` to the nearest whole, halves up; neither is negative.
pub(crate) fn round(num: i128, den: i128) -> Result<i64, MoneyError> {
    let (whole, rest) = (num / den, num % den);
    let up = i128::from(rest >= den - rest);
    i64::try_from(whole + up).map_err(|_| MoneyError::Overflow)
}

/// The least number that both divide; both are positive.
pub(crate) fn lcm(a: i128, b: i128) -> Result<i128, MoneyError> {
    fits((a / gcd(a, b)).checked_mul(b))
}

pub(crate) fn fits(number: Option<i128>) -> Result<i128, MoneyError> {
    number.ok_or(MoneyError::Overflow)
}

/// The greatest number that divides both; 1 where that would be 0.
fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(num: i128, den: i128) -> Ratio {
        Ratio::new(num, den).unwrap()
    }

    #[test]
    fn fractions_are_exact() {
        assert_eq!(ratio(200_000, 1_000_000), ratio(1, 5));
        assert_eq!(ratio(1, 5).plus(ratio(1, 20)).unwrap(), ratio(1, 4));
        assert_eq!(ratio(1, 5).over(ratio(6, 5)).unwrap(), ratio(1, 6));
        assert_eq!(ratio(0, 7).times(ratio(3, 4)).unwrap(), ratio(0, 1));
        assert_eq!(ratio(1, 6).of(1999), Ok(333));
        assert_eq!(ratio(1, 2).of(1), Ok(1));
        assert_eq!(ratio(1, 3).of(1), Ok(0));
        assert_eq!(ratio(2, 3).of(1), Ok(1));
        assert_eq!(ratio(1, 1).of(i64::MAX), Ok(i64::MAX));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let huge = ratio(i128::MAX, 1);
        assert_eq!(huge.times(ratio(2, 1)), Err(MoneyError::Overflow));
        assert_eq!(huge.plus(ratio(1, 1)), Err(MoneyError::Overflow));
        assert_eq!(huge.of(2), Err(MoneyError::Overflow));
        assert_eq!(ratio(2, 1).of(i64::MAX), Err(MoneyError::Overflow));
        assert_eq!(ratio(1, 2).over(ratio(0, 1)), Err(MoneyError::BadAmount));
    }
}
