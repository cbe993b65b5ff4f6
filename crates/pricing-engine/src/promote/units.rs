//! Promotions that count units: which units are bought, which are got, which are the cheapest.
//!
//! A unit's worth is what earlier promotions left of its line, divided by the line's units. Worths are
//! compared as exact fractions; of equals the line that comes first counts as the dearer.

use std::cmp::Ordering;

/// All of it, in millionths.
pub(super) const ALL: i64 = 1_000_000;

/// Equal units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    /// Which line.
    pub(super) at: usize,
    /// How many, at least one.
    pub(super) count: i64,
    /// All together, in minor units.
    pub(super) worth: i64,
}

/// So many millionths of an amount, half up; at most all, at least nothing.
pub(super) fn share(amount: i64, ppm: i64) -> i64 {
    half_up(amount, ppm.clamp(0, ALL), ALL)
}

/// What `count` of `of` equal units are worth that are worth `amount` together, half up.
pub(super) fn portion(amount: i64, count: i64, of: i64) -> i64 {
    half_up(amount, count.clamp(0, of), of.max(1))
}

/// `amount` × `part` / `whole`, half up, for 0 ≤ `part` ≤ `whole` and so within `amount`.
fn half_up(amount: i64, part: i64, whole: i64) -> i64 {
    let (product, whole) = (i128::from(amount) * i128::from(part), i128::from(whole));
    ((product + whole / 2) / whole) as i64
}

fn dearest_first(a: &Units, b: &Units) -> Ordering {
    let a_each = i128::from(a.worth) * i128::from(b.count);
    let b_each = i128::from(b.worth) * i128::from(a.count);
    b_each.cmp(&a_each).then(a.at.cmp(&b.at))
}

/// Of every so many units, from the dearest down, the last one: (line, how many). Whoever buys nine
/// gets what three who buy three each could get.
pub(super) fn last_of_every(mut units: Vec<Units>, every: i64) -> Vec<(usize, i64)> {
    if every < 2 {
        return Vec::new();
    }
    units.sort_by(dearest_first);
    let every = i128::from(every);
    let mut before: i128 = 0;
    let mut last = Vec::new();
    for one in units {
        let after = before + i128::from(one.count);
        last.push((one.at, (after / every - before / every) as i64));
        before = after;
    }
    last
}

/// Which units are got, (line, how many): the cheapest, in as many whole sets as the units allow,
/// each unit counted once. `sizes` are how many are bought and got in a set, and how many sets there
/// may be; `kind` says of a line whether its units may be bought and whether they may be got.
pub(super) fn bought_and_got(
    units: &[Units],
    (buy, get, at_most): (i64, i64, i64),
    kind: impl Fn(usize) -> (bool, bool),
) -> Vec<(usize, i64)> {
    if buy < 1 || get < 1 || at_most < 1 {
        return Vec::new();
    }
    let (mut only_buy, mut only_get, mut both) = (0i128, 0i128, 0i128);
    for one in units {
        match kind(one.at) {
            (true, true) => both += i128::from(one.count),
            (true, false) => only_buy += i128::from(one.count),
            (false, true) => only_get += i128::from(one.count),
            (false, false) => {}
        }
    }
    let (buy, get) = (i128::from(buy), i128::from(get));
    // What a number of sets needs of the units that may be either.
    let bought = |sets: i128| (sets * buy - only_buy).max(0);
    let enough = |sets: i128| bought(sets) + (sets * get - only_get).max(0) <= both;
    let most = ((only_buy + only_get + both) / (buy + get)).min(i128::from(at_most));
    let sets = greatest(most, enough);
    let mut wanted = sets * get;
    let mut of_both = both - bought(sets);
    let mut cheapest: Vec<Units> = units.iter().filter(|one| kind(one.at).1).copied().collect();
    cheapest.sort_by(|a, b| dearest_first(b, a));
    let mut got = Vec::new();
    for one in cheapest {
        let may_be_bought = kind(one.at).0;
        let room = if may_be_bought { of_both } else { wanted };
        let count = i128::from(one.count).min(wanted).min(room);
        wanted -= count;
        if may_be_bought {
            of_both -= count;
        }
        got.push((one.at, count as i64));
    }
    got
}

/// The greatest number up to `most` that is enough, where all below one that is are too, as 0 is.
fn greatest(most: i128, enough: impl Fn(i128) -> bool) -> i128 {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = high - (high - low) / 2;
        match enough(middle) {
            true => low = middle,
            false => high = middle - 1,
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// One unit: its worth, whether it may be bought, whether it may be got.
    type Unit = (i64, (bool, bool));

    /// The most sets, and of those the least that is got, by trying everything: each unit is left
    /// alone, bought or got.
    fn by_trying(units: &[Unit], (buy, get, at_most): (i64, i64, i64)) -> (i64, i64) {
        let mut best = (0, 0);
        for mut choice in 0..3usize.pow(units.len() as u32) {
            let (mut bought, mut got, mut worth, mut allowed) = (0, 0, 0, true);
            for (one, (may_buy, may_get)) in units {
                match choice % 3 {
                    1 => (bought, allowed) = (bought + 1, allowed && *may_buy),
                    2 => (got, worth, allowed) = (got + 1, worth + one, allowed && *may_get),
                    _ => {}
                }
                choice /= 3;
            }
            let sets = got / get;
            let whole = got % get == 0 && bought == sets * buy && sets <= at_most;
            if allowed && whole && (sets > best.0 || (sets == best.0 && worth < best.1)) {
                best = (sets, worth);
            }
        }
        best
    }

    proptest! {
        #[test]
        fn as_many_sets_as_fit_and_the_cheapest_units(
            units in vec((0i64..20, (any::<bool>(), any::<bool>())), 0..8),
            sizes in (1i64..4, 1i64..3, 0i64..4),
        ) {
            let alone: Vec<Units> = units
                .iter()
                .enumerate()
                .map(|(at, (worth, _))| Units { at, count: 1, worth: *worth })
                .collect();
            let got = bought_and_got(&alone, sizes, |at| units[at].1);
            let count: i64 = got.iter().map(|(_, count)| count).sum();
            let worth: i64 = got.iter().map(|(at, count)| units[*at].0 * count).sum();
            prop_assert!(got.iter().all(|(at, count)| *count == 0 || units[*at].1.1));
            prop_assert_eq!((count / sizes.1, worth), by_trying(&units, sizes));
            prop_assert_eq!(count % sizes.1, 0);
        }

        #[test]
        fn lines_of_many_are_as_many_lines_of_one(
            lines in vec((1i64..5, 0i64..9), 0..6),
            every in 2i64..5,
        ) {
            let lines: Vec<Units> = lines
                .iter()
                .enumerate()
                .map(|(at, (count, each))| Units { at, count: *count, worth: each * count })
                .collect();
            let each = |one: &Units| vec![one.worth / one.count; one.count as usize];
            let mut worths: Vec<i64> = lines.iter().flat_map(each).collect();
            worths.sort_unstable_by(|a, b| b.cmp(a));
            let sets = worths.chunks_exact(every as usize);
            let free: i64 = sets.filter_map(|set| set.last()).sum();
            let last = last_of_every(lines.clone(), every);
            let found: i64 = last.iter().map(|(at, n)| portion(lines[*at].worth, *n, lines[*at].count)).sum();
            prop_assert_eq!(found, free);
        }

        #[test]
        fn shares_stay_within_the_amount(amount in 0..=i64::MAX, ppm in any::<i64>()) {
            prop_assert!((0..=amount).contains(&share(amount, ppm)));
            prop_assert_eq!(share(amount, ALL), amount);
            prop_assert_eq!(portion(amount, amount, amount), amount);
        }
    }
}
