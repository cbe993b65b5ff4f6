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
