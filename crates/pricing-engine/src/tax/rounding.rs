//! From exact shares to minor units.

use std::{cmp::Reverse, collections::BTreeMap};

use contracts::pricing::TaxRateId;
use kernel::MoneyError;

use super::{
    Mix,
    ratio::{Ratio, fits, lcm, round},
};

/// Each tax of each charge by itself, half away from zero. What a price includes is never more than
/// the price.
pub(super) fn per_line(
    dues: &[(i64, &Mix<'_>)],
    included: bool,
) -> Result<Vec<Vec<i64>>, MoneyError> {
    let mut all = Vec::with_capacity(dues.len());
    for (amount, mix) in dues {
        let mut room = if included { *amount } else { i64::MAX };
        let mut taxes = Vec::with_capacity(mix.shares.len());
        for share in &mix.shares {
            let tax = share.of(*amount)?.min(room);
            if included {
                room -= tax;
            }
            taxes.push(tax);
        }
        all.push(taxes);
    }
    Ok(all)
}

/// A tax of one charge, before it is a whole number of minor units.
struct Part {
    charge: usize,
    /// Which of the charge's taxes.
    slot: usize,
    amount: i64,
    share: Ratio,
}

/// The sum of each tax over all charges, half away from zero, shared out by largest remainder; of
/// equal remainders the charge that comes first gets more. So no charge's tax is a whole minor unit
/// away from what it is exactly.
pub(super) fn per_order(
    dues: &[(i64, &Mix<'_>)],
    included: bool,
) -> Result<Vec<Vec<i64>>, MoneyError> {
    let mut taxes: BTreeMap<(i64, &TaxRateId), Vec<Part>> = BTreeMap::new();
    for (charge, (amount, mix)) in dues.iter().enumerate() {
        for (slot, (rate, share)) in mix.rates.iter().zip(&mix.shares).enumerate() {
            let parts = taxes.entry((rate.priority, &rate.id)).or_default();
            parts.push(Part {
                charge,
                slot,
                amount: *amount,
                share: *share,
            });
        }
    }
    let taxes: Vec<Vec<Part>> = taxes.into_values().collect();
    let mut all: Vec<Vec<i64>> = dues
        .iter()
        .map(|(_, mix)| vec![0; mix.rates.len()])
        .collect();
    let mut spread = Vec::with_capacity(taxes.len());
    for parts in &taxes {
        spread.push(whole_units(parts, &mut all)?);
    }
    let mut room: Vec<i64> = dues.iter().map(|(amount, _)| *amount).collect();
    for (room, taxes) in room.iter_mut().zip(&all) {
        *room = match included {
            true => *room - taxes.iter().sum::<i64>(),
            false => i64::MAX,
        };
    }
    for (parts, (missing, remainders)) in taxes.iter().zip(spread) {
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|at| Reverse(remainders[*at]));
        let with_room = order.into_iter().filter(|at| remainders[*at] > 0);
        let mut missing = missing;
        for part in with_room.map(|at| &parts[at]) {
            if missing > 0 && room[part.charge] > 0 {
                all[part.charge][part.slot] += 1;
                room[part.charge] -= 1;
                missing -= 1;
            }
        }
    }
    Ok(all)
}

/// Gives each part of one tax its whole minor units. Returns how many are missing to the rounded sum,
/// and the remainders, over one denominator.
fn whole_units(parts: &[Part], all: &mut [Vec<i64>]) -> Result<(i64, Vec<i128>), MoneyError> {
    let dens = parts.iter().map(|part| part.share.den);
    let den = dens.into_iter().try_fold(1, lcm)?;
    let (mut sum, mut given) = (0i128, 0i128);
    let mut remainders = Vec::with_capacity(parts.len());
    for part in parts {
        let num = part.share.num.checked_mul(den / part.share.den);
        let exact = fits(fits(num)?.checked_mul(i128::from(part.amount)))?;
        let whole = exact / den;
        all[part.charge][part.slot] = i64::try_from(whole).map_err(|_| MoneyError::Overflow)?;
        sum = fits(sum.checked_add(exact))?;
        given = fits(given.checked_add(whole))?;
        remainders.push(exact % den);
    }
    let missing = i128::from(round(sum, den)?) - given;
    Ok((missing as i64, remainders))
}
