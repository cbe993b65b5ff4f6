//! Who should hold which lease: a pure function of who lives and who holds what, so that all
//! instances that see the same agree without talking.

/// Decides the holder of every lease.
///
/// `living` are the instances that live, in an order all agree on; `held` says for each lease (in
/// an order all agree on) which of them holds it now, if one does. Answers for each lease an index
/// into `living`, which must not be empty.
///
/// Nobody gets more than one lease more than another, and a lease moves only if that would not be
/// so otherwise: joining or leaving moves as few as can be.
pub(crate) fn assign(living: usize, held: &[Option<usize>]) -> Vec<usize> {
    let (least, more) = (held.len() / living, held.len() % living);
    let mut counts = vec![0; living];
    for holder in held.iter().flatten() {
        counts[*holder] += 1;
    }
    // Those who hold most already are the ones that may keep one more.
    let mut by_count: Vec<usize> = (0..living).collect();
    by_count.sort_by_key(|instance| (std::cmp::Reverse(counts[*instance]), *instance));
    let mut room = vec![least; living];
    by_count[..more].iter().for_each(|one| room[*one] += 1);

    let mut wanted: Vec<Option<usize>> = vec![None; held.len()];
    for (lease, holder) in held.iter().enumerate() {
        if let Some(holder) = holder
            && room[*holder] > 0
        {
            room[*holder] -= 1;
            wanted[lease] = Some(*holder);
        }
    }
    let mut free = (0..living).flat_map(|one| std::iter::repeat_n(one, room[one]));
    wanted
        .into_iter()
        .map(|one| one.or_else(|| free.next()).unwrap_or_default())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(living: usize, wanted: &[usize]) -> Vec<usize> {
        let mut counts = vec![0; living];
        wanted.iter().for_each(|one| counts[*one] += 1);
        counts
    }

    proptest! {
        #[test]
        fn every_lease_has_one_owner_and_nobody_has_much_more_than_another(
            living in 1usize..12, holders in prop::collection::vec(prop::option::of(0usize..12), 0..40),
        ) {
            let held: Vec<_> = holders.into_iter().map(|h| h.filter(|h| *h < living)).collect();
            let wanted = assign(living, &held);
            prop_assert_eq!(wanted.len(), held.len());
            prop_assert!(wanted.iter().all(|one| *one < living));
            let counts = counts(living, &wanted);
            prop_assert!(counts.iter().max().unwrap_or(&0) - counts.iter().min().unwrap_or(&0) <= 1);
            // Settled is settled: nothing moves on when everybody has what it should.
            let settled: Vec<_> = wanted.iter().copied().map(Some).collect();
            prop_assert_eq!(assign(living, &settled), wanted);
        }

        #[test]
        fn one_that_joins_moves_only_what_it_gets(living in 1usize..11, leases in 1usize..40) {
            let before = assign(living, &vec![None; leases]);
            let held: Vec<_> = before.iter().copied().map(Some).collect();
            let after = assign(living + 1, &held);
            let moved: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
            prop_assert!(moved.iter().all(|(_, to)| **to == living));
            prop_assert!(moved.len() <= leases.div_ceil(living + 1));
        }

        #[test]
        fn one_that_leaves_moves_only_what_it_had(living in 2usize..12, leases in 1usize..40, gone in 0usize..12) {
            let gone = gone % living;
            let before = assign(living, &vec![None; leases]);
            let renamed = |one: usize| (one != gone).then(|| one - usize::from(one > gone));
            let held: Vec<_> = before.iter().map(|one| renamed(*one)).collect();
            let after = assign(living - 1, &held);
            for (was, is) in held.iter().zip(&after) {
                prop_assert!(was.is_none_or(|was| was == *is));
            }
        }
    }
}
