//! How fresh an answer must be. Where queries may be answered by a copy of the database that is a
//! little behind, a caller must still see what it has seen or written before: it carries the
//! positions of the logs it knows of, and a copy that has not got that far is not asked.
//!
//! The positions stand in a scope around the request, set by whoever serves it ([`with`]) and
//! seen by the store beneath ([`current`]). Without a scope only the database itself is asked.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

/// The longest token that is read, in bytes.
const LONGEST: usize = 1_000;

/// What a caller has seen: positions by topic. They only grow.
///
/// As text (`orders:123,cart:7`) it is the header `Souk-Position` of requests and answers.
#[derive(Debug, Default)]
pub struct Freshness {
    positions: Mutex<BTreeMap<String, i64>>,
    may_lag: bool,
}

impl Freshness {
    /// Reads a token. What is not understood is left out: then the answer may be older than what
    /// the caller saw, but never wrong.
    pub fn from_token(token: &str) -> Self {
        let fresh = Self {
            may_lag: true,
            ..Self::default()
        };
        let known = token.get(..token.len().min(LONGEST)).unwrap_or_default();
        for (topic, position) in known
            .split(',')
            .filter_map(|one| one.trim().split_once(':'))
        {
            let plain = |c: char| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit();
            if let Ok(position) = position.parse::<i64>()
                && topic.chars().all(plain)
            {
                fresh.raise(topic, position);
            }
        }
        fresh
    }

    /// Whether an answer may lack what the caller does not know of: only if it told what it knows.
    /// Others get the truth as it is now.
    pub fn may_lag(&self) -> bool {
        self.may_lag
    }

    /// The position that must have been reached.
    pub fn floor(&self, topic: &str) -> i64 {
        self.positions().get(topic).copied().unwrap_or(0)
    }

    /// Notes a position that was seen or written.
    pub fn raise(&self, topic: &str, position: i64) {
        if position <= 0 {
            return;
        }
        let mut positions = self.positions();
        match positions.get_mut(topic) {
            Some(known) => *known = position.max(*known),
            None => drop(positions.insert(topic.to_owned(), position)),
        }
    }

    fn positions(&self) -> MutexGuard<'_, BTreeMap<String, i64>> {
        self.positions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (topic, position)) in self.positions().iter().enumerate() {
            let comma = if n > 0 { "," } else { "" };
            write!(f, "{comma}{topic}:{position}")?;
        }
        Ok(())
    }
}

thread_local! {
    static SCOPE: RefCell<Option<Arc<Freshness>>> = const { RefCell::new(None) };
}

/// The freshness of the request that is being served, if it is known.
pub fn current() -> Option<Arc<Freshness>> {
    SCOPE.with_borrow(Clone::clone)
}

/// `future` with `fresh` in scope whenever it runs, on whatever thread. Tasks that it spawns are
/// out of the scope.
pub fn with<F: Future>(fresh: Arc<Freshness>, future: F) -> Scoped<F> {
    Scoped {
        fresh,
        future: Box::pin(future),
    }
}

/// A future in a scope: see [`with`].
pub struct Scoped<F> {
    fresh: Arc<Freshness>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        struct Restore(Option<Arc<Freshness>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                SCOPE.set(self.0.take());
            }
        }
        let _restore = Restore(SCOPE.replace(Some(self.fresh.clone())));
        self.future.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn tokens_are_read_and_written() {
        let fresh = Freshness::from_token("orders:12, cart:7,orders:9,x:-1,Bad:3,odd,n:x");
        assert_eq!(fresh.to_string(), "cart:7,orders:12");
        fresh.raise("cart", 8);
        fresh.raise("cart", 3);
        assert_eq!((fresh.floor("cart"), fresh.floor("none")), (8, 0));
        assert_eq!(Freshness::from_token("").to_string(), "");
        assert!(fresh.may_lag() && !Freshness::default().may_lag());
    }

    #[test]
    fn the_scope_is_there_while_the_future_runs_and_only_then() {
        let fresh = Arc::new(Freshness::from_token("a:1"));
        let inner = with(Arc::new(Freshness::from_token("a:2")), async {
            current().map(|fresh| fresh.floor("a"))
        });
        let mut outer = Box::pin(with(fresh, async {
            let inside = inner.await;
            (inside, current().map(|fresh| fresh.floor("a")))
        }));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(
            outer.as_mut().poll(&mut context),
            Poll::Ready((Some(2), Some(1)))
        );
        assert!(current().is_none());
    }
}
