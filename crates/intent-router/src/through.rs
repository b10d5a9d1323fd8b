//! The way through a store: look up, or fill once while the others wait.

use std::future::Future;
use std::hash::Hash;

use cache_core::{Cache, Filled, Hit, Lookup, Reuse, TtlClass, Waited};

use crate::response::CacheOutcome;
use crate::service::SharedClock;

/// What a fill came to.
pub(crate) struct Made<V> {
    pub(crate) value: V,
    /// The tags to store the value under; `None` when it is only for those who
    /// asked: an error, a fallback.
    pub(crate) store: Option<Vec<String>>,
}

/// Serves `key` from `store`, or makes the value: once for all who ask at the
/// same time. When the maker is cancelled, one of those who wait takes over.
pub(crate) async fn through<K, V, F>(
    store: &Cache<K, V, SharedClock>,
    key: K,
    class: TtlClass,
    reuse: Reuse,
    make: impl FnOnce() -> F,
) -> (V, CacheOutcome)
where
    K: Hash + Eq + Clone,
    V: Clone,
    F: Future<Output = Made<V>>,
{
    let permit = match store.lookup(key, class, reuse) {
        Lookup::Hit(hit) | Lookup::Negative(hit) | Lookup::Stale(hit, None) => {
            let outcome = CacheOutcome::Hit {
                age: hit.age,
                remaining: hit.remaining(),
            };
            return (hit.value, outcome);
        }
        // Whoever is to make an entry anew does so before it answers.
        Lookup::Miss(permit) | Lookup::Early(_, permit) | Lookup::Stale(_, Some(permit)) => permit,
        Lookup::InFlight(waiter) => match waiter.await {
            Waited::Value(value) | Waited::Negative(value) | Waited::Stale(Hit { value, .. }) => {
                return (value, CacheOutcome::Collapsed);
            }
            Waited::Permit(permit) => permit,
            Waited::Failed(_) => unreachable!("whoever fails here shares what says so"),
        },
    };
    let Made { value, store } = make().await;
    let stored = match store {
        Some(tags) => {
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            matches!(permit.fill(value.clone(), &tags), Filled::Stored)
        }
        None => {
            permit.share(value.clone());
            false
        }
    };
    let requested = reuse != Reuse::Any;
    (value, CacheOutcome::Miss { stored, requested })
}
