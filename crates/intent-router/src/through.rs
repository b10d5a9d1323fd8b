//! The way through a store: look up, or fill once while the others wait.

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;

use cache_core::{Cache, Filled, Hit, Lookup, Permit, Reuse, TtlClass, Waited};

use crate::response::CacheOutcome;
use crate::service::SharedClock;
use crate::source::SourceError;

/// A value, or why the source has none: one error for all who waited for it.
pub(crate) type Delivered<T> = Result<T, Arc<SourceError>>;

/// The right to fill a key of a store.
pub(crate) type FillPermit<K, V> = Permit<K, V, SharedClock>;

/// What a fill came to.
pub(crate) enum Made<V> {
    /// A value, with the tags to store it under.
    Value(V, Vec<String>),
    /// What says that there is nothing, with the tags to store it under where
    /// its class keeps such answers. It takes the place of what was stored.
    Nothing(V, Vec<String>),
    /// The source could not be asked. What is stored stays, and may stand in.
    Failed(Arc<SourceError>),
}

/// What a store has for a key.
pub(crate) enum Look<K, V> {
    /// A value to be served.
    Served(V, CacheOutcome),
    /// A value to be served, and the right to make it anew.
    Due(V, CacheOutcome, FillPermit<K, V>),
    /// Nothing, and the right to fill it.
    Missing(FillPermit<K, V>),
    /// The fill that was waited for failed.
    Failed(Arc<SourceError>),
}

/// How a fill ended.
pub(crate) enum Ended<V> {
    /// With a value.
    Made(V, CacheOutcome),
    /// With an error, for which a stored value stands in.
    StandIn(V, CacheOutcome, Arc<SourceError>),
    /// With an error.
    Failed(Arc<SourceError>),
}

impl<V> Ended<V> {
    /// What whoever asked is served.
    pub(crate) fn served(self) -> Delivered<(V, CacheOutcome)> {
        match self {
            Self::Made(value, cache) | Self::StandIn(value, cache, _) => Ok((value, cache)),
            Self::Failed(error) => Err(error),
        }
    }
}

/// What `key` has in `store`, after the fill of another where there is one
/// under way. When that one is cancelled, one of those who wait takes over.
pub(crate) async fn look<K, V>(
    store: &Cache<K, V, SharedClock>,
    key: K,
    class: TtlClass,
    reuse: Reuse,
) -> Look<K, V>
where
    K: Hash + Eq + Clone,
    V: Clone,
{
    let waiter = match store.lookup(key, class, reuse) {
        Lookup::Hit(hit) | Lookup::Negative(hit) | Lookup::Stale(hit, None) => {
            let cache = outcome(&hit, false);
            return Look::Served(hit.value, cache);
        }
        Lookup::Early(hit, permit) | Lookup::Stale(hit, Some(permit)) => {
            let cache = outcome(&hit, false);
            return Look::Due(hit.value, cache, permit);
        }
        Lookup::Miss(permit) => return Look::Missing(permit),
        Lookup::InFlight(waiter) => waiter,
    };
    match waiter.await {
        Waited::Value(value) | Waited::Negative(value) => {
            Look::Served(value, CacheOutcome::Collapsed)
        }
        Waited::Stale(hit) => {
            let cache = outcome(&hit, true);
            Look::Served(hit.value, cache)
        }
        Waited::Permit(permit) => Look::Missing(permit),
        Waited::Failed(error) => match error.downcast_ref::<Arc<SourceError>>() {
            Some(error) => Look::Failed(Arc::clone(error)),
            // Fills of these stores fail with nothing else.
            None => Look::Failed(Arc::new(SourceError::Unavailable(error.to_string()))),
        },
    }
}

/// Makes the value under the permit, once for all who wait for it.
pub(crate) async fn fill<K, V>(
    permit: FillPermit<K, V>,
    reuse: Reuse,
    make: impl Future<Output = Made<V>>,
) -> Ended<V>
where
    K: Hash + Eq + Clone,
    V: Clone,
{
    let (value, filled) = match make.await {
        Made::Value(value, tags) => {
            let filled = permit.fill(value.clone(), &names(&tags));
            (value, filled)
        }
        Made::Nothing(value, tags) => {
            let filled = permit.fill_negative(value.clone(), &names(&tags));
            (value, filled)
        }
        Made::Failed(error) => {
            return match permit.fail(Arc::clone(&error)) {
                Ok(hit) => {
                    let cache = outcome(&hit, true);
                    Ended::StandIn(hit.value, cache, error)
                }
                Err(_) => Ended::Failed(error),
            };
        }
    };
    let cache = CacheOutcome::Miss {
        stored: matches!(filled, Filled::Stored),
        requested: reuse != Reuse::Any,
    };
    Ended::Made(value, cache)
}

fn names(tags: &[String]) -> Vec<&str> {
    tags.iter().map(String::as_str).collect()
}

/// What is told of a stored value that is served; `failed` if the source was
/// asked in vain.
fn outcome<V>(hit: &Hit<V>, failed: bool) -> CacheOutcome {
    let age = hit.age;
    if hit.is_stale() {
        CacheOutcome::Stale {
            age,
            overdue: age.saturating_sub(hit.ttl),
            failed,
        }
    } else {
        CacheOutcome::Hit {
            age,
            remaining: hit.remaining(),
        }
    }
}
