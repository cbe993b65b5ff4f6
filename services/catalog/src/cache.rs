//! Rendered products in memory: what makes a product page cheap. Bounded in bytes, keyed by id and
//! by handle, and never behind a write that was acknowledged: writers drop what they changed
//! before they answer, and a reader that started before a write may not store what it read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use contracts::catalog::ProductEvent;
use kernel::Recorded;
use quick_cache::{Weighter, sync::Cache};

/// Memory for rendered products, in bytes.
const CAPACITY: u64 = 16 * 1024 * 1024;
/// A product larger than this is rendered each time, so that few giants do not drive out many.
const LARGEST: usize = 256 * 1024;
const SHARDS: usize = 64;

/// A product ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// Whether everyone may see it.
    pub published: bool,
    /// Its JSON.
    pub body: Bytes,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Arc<str>, Rendered> for ByBytes {
    fn weight(&self, key: &Arc<str>, rendered: &Rendered) -> u64 {
        (key.len() + rendered.body.len() + 64) as u64
    }
}

/// The cache. A key is an id or a handle; the two cannot be confused.
pub struct ProductCache {
    rendered: Cache<Arc<str>, Rendered, ByBytes>,
    /// How often keys of a shard were dropped; guards against storing what is out of date.
    drops: Vec<Mutex<u64>>,
}

/// A promise to look something up: taken before reading the store.
pub struct Lookup {
    shard: usize,
    drops: u64,
}

impl ProductCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self {
            rendered: Cache::with_weighter(16_384, CAPACITY, ByBytes),
            drops: (0..SHARDS).map(|_| Mutex::new(0)).collect(),
        }
    }

    /// The product under `key`, if it is held.
    pub fn get(&self, key: &str) -> Option<Rendered> {
        self.rendered.get(key)
    }

    /// To be called before the store is read for `key`.
    pub fn lookup(&self, key: &str) -> Lookup {
        let shard = shard_of(key);
        let drops = *self.shard(shard);
        Lookup { shard, drops }
    }

    /// Holds what the store answered, unless `key` was dropped since the lookup began.
    pub fn store(&self, lookup: &Lookup, key: &str, rendered: &Rendered) {
        if rendered.body.len() > LARGEST {
            return;
        }
        let drops = self.shard(lookup.shard);
        if *drops == lookup.drops {
            self.rendered.insert(key.into(), rendered.clone());
        }
    }

    /// Forgets `key`: after a commit that changed it, before the commit is acknowledged.
    pub fn forget(&self, key: &str) {
        let mut drops = self.shard(shard_of(key));
        *drops += 1;
        self.rendered.remove(key);
    }

    /// Forgets what an event of the catalogue changed: for instances other than the writer's.
    pub fn hear(&self, recorded: &Recorded) {
        // An event that cannot be read is the projection's to complain about.
        let Ok(Some(event)) = recorded.decode::<ProductEvent>() else {
            return;
        };
        match &*event {
            ProductEvent::Created(created) => self.forget(&created.product.handle),
            ProductEvent::Updated(updated) => {
                self.forget(updated.product.id.as_str());
                self.forget(&updated.product.handle);
                if let Some(handle) = &updated.previous_handle {
                    self.forget(handle);
                }
            }
            ProductEvent::Deleted(deleted) => {
                self.forget(deleted.product_id.as_str());
                self.forget(&deleted.handle);
            }
        }
    }

    fn shard(&self, shard: usize) -> MutexGuard<'_, u64> {
        // A count is sound whatever its last holder came to.
        self.drops[shard]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn shard_of(key: &str) -> usize {
    let sum = key
        .bytes()
        .fold(0u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b)));
    sum as usize % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &'static str) -> Rendered {
        Rendered {
            published: true,
            body: Bytes::from_static(text.as_bytes()),
        }
    }

    #[test]
    fn what_was_stored_is_found_until_it_is_forgotten() {
        let cache = ProductCache::new();
        assert_eq!(cache.get("lamp"), None);
        let lookup = cache.lookup("lamp");
        cache.store(&lookup, "lamp", &rendered("{}"));
        assert_eq!(cache.get("lamp"), Some(rendered("{}")));
        cache.forget("lamp");
        assert_eq!(cache.get("lamp"), None);
    }

    #[test]
    fn what_was_read_before_a_write_is_not_stored_after_it() {
        let cache = ProductCache::new();
        let lookup = cache.lookup("lamp");
        cache.forget("lamp");
        cache.store(&lookup, "lamp", &rendered("old"));
        assert_eq!(cache.get("lamp"), None);
    }

    #[test]
    fn memory_is_bounded() {
        let cache = ProductCache::new();
        let body = Bytes::from(vec![b'x'; 200 * 1024]);
        for i in 0..500 {
            let key = format!("p{i}");
            let lookup = cache.lookup(&key);
            let body = body.clone();
            cache.store(
                &lookup,
                &key,
                &Rendered {
                    published: true,
                    body,
                },
            );
        }
        assert!(cache.rendered.weight() <= CAPACITY);
        let lookup = cache.lookup("giant");
        let body = Bytes::from(vec![b'x'; LARGEST + 1]);
        cache.store(
            &lookup,
            "giant",
            &Rendered {
                published: true,
                body,
            },
        );
        assert_eq!(cache.get("giant"), None);
    }
}
