//! The way through a store: look up, or fill once while the others wait.

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cache_core::{Cache, Filled, Hit, Lookup, Permit, Reuse, TtlClass, Waited};
use thiserror::Error;

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
    /// The fill that was waited for failed, but there was an invalidation since
    /// it began: the source may answer now, and is to be asked again.
    Outdated,
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

/// The number of invalidations so far. Stores compare values with invalidations
/// exactly; an error has neither key nor tags, so that any counts against it.
#[derive(Debug, Default)]
pub(crate) struct Invalidations(AtomicU64);

impl Invalidations {
    /// Counts one more, before it is carried out: who reads this count, and
    /// then asks the source, asks after what the invalidation is about.
    pub(crate) fn begin(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    fn so_far(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// The error of a fill as those who wait for it get it.
#[derive(Debug, Error)]
#[error("{error}")]
struct Failure {
    error: Arc<SourceError>,
    /// The invalidations before the source was asked.
    since: u64,
}

/// What `key` has in `store`, after the fill of another where there is one
/// under way. When that one is cancelled, one of those who wait takes over.
pub(crate) async fn look<K, V>(
    store: &Cache<K, V, SharedClock>,
    invalidations: &Invalidations,
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
    let began = invalidations.so_far();
    match waiter.await {
        Waited::Value(value) | Waited::Negative(value) => {
            Look::Served(value, CacheOutcome::Collapsed)
        }
        Waited::Stale(hit) => {
            let cache = outcome(&hit, true);
            Look::Served(hit.value, cache)
        }
        Waited::Permit(permit) => Look::Missing(permit),
        Waited::Failed(error) => match error.downcast_ref::<Failure>() {
            Some(failure) if failure.since >= began => Look::Failed(Arc::clone(&failure.error)),
            _ => Look::Outdated,
        },
    }
}

/// Makes the value under the permit, once for all who wait for it.
pub(crate) async fn fill<K, V>(
    permit: FillPermit<K, V>,
    invalidations: &Invalidations,
    reuse: Reuse,
    make: impl Future<Output = Made<V>>,
) -> Ended<V>
where
    K: Hash + Eq + Clone,
    V: Clone,
{
    // Futures do nothing before they are polled: the source is asked later.
    let since = invalidations.so_far();
    let made = make.await;
    let (value, filled) = match made {
        Made::Value(value, tags) => {
            let filled = permit.fill(value.clone(), &names(&tags));
            (value, filled)
        }
        Made::Nothing(value, tags) => {
            let filled = permit.fill_negative(value.clone(), &names(&tags));
            (value, filled)
        }
        Made::Failed(error) => {
            let failure = Failure {
                error: Arc::clone(&error),
                since,
            };
            return match permit.fail(failure) {
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
