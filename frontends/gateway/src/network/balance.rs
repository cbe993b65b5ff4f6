//! Which process gets the next request. Pure.

use web::Balance;

/// A process that may be chosen.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Its place in the service's list.
    pub place: usize,
    /// A hash of its address: the same in every gateway, whatever the order of the list.
    pub hash: u64,
    /// Requests under way to it.
    pub under_way: usize,
}

/// Chooses; `None` only when there is nothing to choose from. `turn` counts the requests, `key` is
/// a hash of what belongs together: the client's address or the resource (without one, requests
/// are spread in turn).
pub fn choose(
    balance: Balance,
    candidates: &[Candidate],
    turn: usize,
    key: Option<u64>,
) -> Option<usize> {
    let first = turn.checked_rem(candidates.len())?;
    let in_turn = candidates[first..].iter().chain(&candidates[..first]);
    // Highest random weight (Thaler and Ravishankar 1998): when a process goes, only its own
    // clients or resources move.
    let weight = |key: u64| move |candidate: &&Candidate| mixed(candidate.hash ^ key);
    let chosen = match (balance, key) {
        (Balance::RoundRobin, _) | (Balance::ClientHash | Balance::ResourceHash, None) => {
            candidates.get(first)
        }
        // The first of equals, and the list begins elsewhere each time.
        (Balance::LeastConnections, _) => in_turn.min_by_key(|candidate| candidate.under_way),
        (Balance::ClientHash, Some(client)) => candidates.iter().max_by_key(weight(client)),
        // With bounded loads (Mirrokni, Thorup, Zadimoghaddam 2018): what everybody asks for must
        // not drown one process while the others idle.
        (Balance::ResourceHash, Some(resource)) => {
            let bound = bound(candidates);
            let free = candidates.iter().filter(|one| one.under_way < bound);
            free.max_by_key(weight(resource))
        }
    };
    chosen.map(|candidate| candidate.place)
}

/// How many requests a process may have under way before its resources go elsewhere: a quarter
/// more than the mean, counting the request that is to be placed; so one is always below.
fn bound(candidates: &[Candidate]) -> usize {
    let all: usize = candidates.iter().map(|one| one.under_way).sum();
    ((all + 1) * 5).div_ceil(candidates.len().max(1) * 4)
}

/// What requests for one resource have in common: the path up to the first segment with a digit.
/// Names of collections and actions have none, ids always do. `None` for other paths.
pub fn resource(path: &str) -> Option<u64> {
    let mut end = 0;
    for segment in path.split_inclusive('/') {
        end += segment.len();
        if segment.bytes().any(|byte| byte.is_ascii_digit()) {
            return Some(hash(path[..end].trim_end_matches('/').as_bytes()));
        }
    }
    None
}

/// FNV-1a: small, and the same everywhere, for ever.
pub fn hash(bytes: &[u8]) -> u64 {
    let basis = 0xcbf2_9ce4_8422_2325_u64;
    let hash = bytes.iter().fold(basis, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mixed(hash)
}

/// The finaliser of SplitMix64: every bit of the result depends on every bit of the input.
fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidates(number: usize) -> Vec<Candidate> {
        let one = |place: usize| Candidate {
            place,
            hash: hash(format!("10.0.0.{place}:80").as_bytes()),
            under_way: 0,
        };
        (0..number).map(one).collect()
    }

    #[test]
    fn of_none_none_is_chosen() {
        for balance in [
            Balance::ResourceHash,
            Balance::RoundRobin,
            Balance::LeastConnections,
            Balance::ClientHash,
        ] {
            assert_eq!(choose(balance, &[], 7, Some(1)), None);
        }
    }

    proptest! {
        #[test]
        fn in_turn_everyone_gets_the_same(number in 1_usize..10, rounds in 1_usize..20, from: u16) {
            let all = candidates(number);
            let mut got = vec![0; number];
            for turn in 0..number * rounds {
                let turn = usize::from(from) + turn;
                got[choose(Balance::RoundRobin, &all, turn, None).expect("one")] += 1;
            }
            prop_assert!(got.iter().all(|count| *count == rounds));
        }

        #[test]
        fn the_least_busy_is_chosen(busy in proptest::collection::vec(0_usize..5, 1..10), turn: usize) {
            let mut all = candidates(busy.len());
            for (candidate, busy) in all.iter_mut().zip(&busy) { candidate.under_way = *busy; }
            let chosen = choose(Balance::LeastConnections, &all, turn, None).expect("one");
            prop_assert_eq!(Some(&busy[chosen]), busy.iter().min());
        }

        #[test]
        fn equals_share_when_nobody_is_busy(number in 1_usize..10, rounds in 1_usize..20) {
            let all = candidates(number);
            let mut got = vec![0; number];
            for turn in 0..number * rounds {
                got[choose(Balance::LeastConnections, &all, turn, None).expect("one")] += 1;
            }
            prop_assert!(got.iter().all(|count| *count == rounds));
        }

        #[test]
        fn a_client_stays_where_it_is_when_another_process_goes(
            number in 2_usize..10, client: u64, gone in 0_usize..10, turns: [usize; 2],
        ) {
            let all = candidates(number);
            let gone = gone % number;
            let left: Vec<_> = all.iter().copied().filter(|c| c.place != gone).collect();
            let before = choose(Balance::ClientHash, &all, turns[0], Some(client)).expect("one");
            let after = choose(Balance::ClientHash, &left, turns[1], Some(client)).expect("one");
            prop_assert!(before == gone || before == after);
        }
    }

    proptest! {
        #[test]
        fn a_resource_stays_where_it_is_unless_that_is_busier(
            busy in proptest::collection::vec(0_usize..50, 2..10), resource: u64, turns: [usize; 2],
        ) {
            let mut all = candidates(busy.len());
            let quiet = choose(Balance::ResourceHash, &all, turns[0], Some(resource)).expect("one");
            for (candidate, busy) in all.iter_mut().zip(&busy) { candidate.under_way = *busy; }
            let chosen = choose(Balance::ResourceHash, &all, turns[1], Some(resource)).expect("one");
            let mean = (busy.iter().sum::<usize>() + 1) as f64 / busy.len() as f64;
            prop_assert!((busy[chosen] as f64) < mean * 1.25 + 1.0);
            prop_assert!(chosen == quiet || busy[quiet] as f64 >= mean * 1.25);
        }
    }

    #[test]
    fn paths_of_one_resource_belong_together() {
        let of = |path: &str| resource(path).expect("a resource");
        assert_eq!(of("/api/carts/cart_01J"), of("/api/carts/cart_01J/lines/2"));
        assert_eq!(of("/api/carts/cart_01J/"), of("/api/carts/cart_01J/lines"));
        assert_ne!(of("/api/carts/cart_01J"), of("/api/carts/cart_01K"));
        assert_ne!(of("/api/carts/1"), of("/api/orders/1"));
        for path in ["", "/", "/api/carts", "/api/orders/mine"] {
            assert_eq!(resource(path), None, "{path}");
        }
    }

    #[test]
    fn clients_are_spread_evenly() {
        let all = candidates(4);
        let mut got = [0; 4];
        for client in 0..4_000_u32 {
            let client = hash(&client.to_be_bytes());
            got[choose(Balance::ClientHash, &all, 0, Some(client)).expect("one")] += 1;
        }
        assert!(
            got.iter().all(|count| (800..1_200).contains(count)),
            "{got:?}"
        );
    }
}
