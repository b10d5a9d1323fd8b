//! Fetch: get or fill, with options and the outcome.

use std::{
    error::Error,
    future::Future,
    hash::{BuildHasher, Hash},
};

use equivalent::Equivalent;
use hashbrown::DefaultHashBuilder;

use crate::{
    cache::Cache,
    class::TtlClass,
    clock::{Clock, SystemClock},
    error::FillError,
    fill::Fill,
    hit::Hit,
    single_flight::lookup::{Lookup, Reuse},
    single_flight::outcome::{Fetched, Outcome},
    single_flight::permit::Permit,
    single_flight::waiter::{Waited, Waiter},
};

/// What a fetch found, after any wait.
pub(crate) enum Ready<K, V> {
    Served(Fetched<V>),
    /// An entry that may be served, and the permit to refresh it.
    Due(Hit<V>, Permit<K, V>),
    Missing(Permit<K, V>),
}

/// What a fetch found, or a waiter for a fill in flight.
pub(crate) enum Looked<K, V> {
    Ready(Ready<K, V>),
    InFlight(Waiter<K, V>),
}

impl<K, V> From<Lookup<K, V>> for Looked<K, V> {
    fn from(lookup: Lookup<K, V>) -> Self {
        Self::Ready(match lookup {
            Lookup::InFlight(waiter) => return Self::InFlight(waiter),
            Lookup::Hit(hit) | Lookup::Stale(hit, None) => Ready::Served(Fetched::hit(hit)),
            Lookup::Negative(hit) => Ready::Served(Fetched::negative(hit)),
            Lookup::Early(hit, permit) | Lookup::Stale(hit, Some(permit)) => {
                Ready::Due(hit, permit)
            }
            Lookup::Miss(permit) => Ready::Missing(permit),
        })
    }
}

pub(crate) fn waited<K, V>(waited: Waited<K, V>) -> Result<Ready<K, V>, FillError> {
    Ok(match waited {
        Waited::Value(value) | Waited::Negative(value) => {
            Ready::Served(Fetched::new(value, Outcome::Waited))
        }
        Waited::Stale(hit) => Ready::Served(Fetched::stood_in(hit)),
        Waited::Failed(error) => return Err(error),
        Waited::Permit(permit) => Ready::Missing(permit),
    })
}

/// Decides who refreshes an entry that can still be served: keeps the permit, to refresh
/// it later, or returns it, so that the caller refreshes it first.
type Refresher<'a, K, V> = &'a (dyn Fn(Permit<K, V>) -> Option<Permit<K, V>> + Send + Sync);

/// A request for the value of a key; see [`Cache::fetch`].
#[must_use = "a fetch does nothing until one of its fill methods is called"]
pub struct Fetch<'a, Q: ?Sized, K, V, C = SystemClock, S = DefaultHashBuilder> {
    cache: &'a Cache<K, V, C, S>,
    key: &'a Q,
    class: TtlClass,
    reuse: Reuse,
    refresher: Option<Refresher<'a, K, V>>,
}

impl<'a, Q: ?Sized, K, V, C, S> Fetch<'a, Q, K, V, C, S> {
    /// Sets which stored entries are accepted; by default [`Reuse::Any`].
    pub const fn reuse(mut self, reuse: Reuse) -> Self {
        self.reuse = reuse;
        self
    }

    /// Sets a refresher, which gets the permit of an entry that is due for a refresh and
    /// can still be served. If it keeps the permit, the caller is served the entry at
    /// once, and the refresher must end the permit later, for example with
    /// [`Permit::finish`]. If it returns the permit, or without a refresher, the caller
    /// fills before it returns, and only other callers are served the entry.
    pub const fn refresher(mut self, refresher: Refresher<'a, K, V>) -> Self {
        self.refresher = Some(refresher);
        self
    }
}

impl<Q, K, V, C, S> Fetch<'_, Q, K, V, C, S>
where
    Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    pub(crate) fn look(&self) -> Looked<K, V> {
        let lookup = self.cache.lookup_by(self.key, self.class, self.reuse);
        lookup.into()
    }

    /// The permit that this caller must fill, or the value to return.
    pub(crate) fn due(&self, found: Ready<K, V>) -> Result<Permit<K, V>, Fetched<V>> {
        match found {
            Ready::Served(fetched) => Err(fetched),
            Ready::Missing(permit) => Ok(permit),
            Ready::Due(hit, permit) => {
                let left = match self.refresher {
                    Some(refresher) => refresher(permit),
                    None => Some(permit),
                };
                left.ok_or_else(|| Fetched::hit(hit))
            }
        }
    }

    /// Returns the stored value if it may be served. Otherwise runs `fill`, once for all
    /// concurrent callers: the others wait for it. If the returned future is dropped, one
    /// of the waiters runs its own `fill`.
    ///
    /// # Errors
    /// The error of `fill`, or of the fill that this caller waited for, if no stored entry
    /// can be served instead.
    pub async fn fill<F, E>(
        self,
        fill: impl AsyncFnOnce() -> Result<F, E>,
    ) -> Result<Fetched<V>, FillError>
    where
        F: Into<Fill<V>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let found = match self.look() {
            Looked::Ready(found) => found,
            Looked::InFlight(waiter) => waited(waiter.await)?,
        };
        match self.due(found) {
            Err(fetched) => Ok(fetched),
            Ok(permit) => permit.finish(fill().await),
        }
    }

    /// [`fill`](Self::fill) for blocking code: blocks the thread while it waits for
    /// another caller's fill.
    ///
    /// # Errors
    /// As [`fill`](Self::fill).
    pub fn fill_blocking<F, E>(
        self,
        fill: impl FnOnce() -> Result<F, E>,
    ) -> Result<Fetched<V>, FillError>
    where
        F: Into<Fill<V>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let found = match self.look() {
            Looked::Ready(found) => found,
            Looked::InFlight(waiter) => waited(waiter.wait())?,
        };
        match self.due(found) {
            Err(fetched) => Ok(fetched),
            Ok(permit) => permit.finish(fill()),
        }
    }

    /// [`fill`](Self::fill) that refreshes in the background: if an entry is due for a
    /// refresh and can still be served, it is returned at once, and `fill` runs in a task
    /// of the cache's [spawner](crate::Builder::spawner). Without a spawner, as
    /// [`fill`](Self::fill).
    ///
    /// # Errors
    /// As [`fill`](Self::fill).
    pub async fn fill_or_spawn<M, T, F, E>(self, fill: M) -> Result<Fetched<V>, FillError>
    where
        M: FnOnce() -> T + Send + 'static,
        T: Future<Output = Result<F, E>> + Send + 'static,
        F: Into<Fill<V>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
        K: Send + Sync + 'static,
        V: Send + Sync + 'static,
    {
        let found = match self.look() {
            Looked::Ready(found) => found,
            Looked::InFlight(waiter) => waited(waiter.await)?,
        };
        match (found, &self.cache.inner.spawner) {
            (Ready::Due(hit, permit), Some(spawner)) => {
                spawner(Box::pin(async move {
                    // Waiters get the error of a failed fill.
                    let _ = permit.finish(fill().await);
                }));
                Ok(Fetched::hit(hit))
            }
            (found, _) => match self.due(found) {
                Err(fetched) => Ok(fetched),
                Ok(permit) => permit.finish(fill().await),
            },
        }
    }
}

impl<K, V, C, S> Cache<K, V, C, S> {
    /// [`get_or_try_fill`](Self::get_or_try_fill) with options and the outcome: returns a
    /// [`Fetch`], whose fill methods return the value and where it came from.
    ///
    /// ```
    /// use cache_core::{Cache, Fill, Outcome, Reuse, TtlClass};
    /// use std::time::Duration;
    ///
    /// let cache = Cache::<String, u32>::builder().max_entries(100).build()?;
    /// let class = TtlClass::DEFAULT;
    /// let count = || Ok::<_, std::io::Error>(Fill::new(2).tag("member:7"));
    ///
    /// let first = cache.fetch("claims", class).fill_blocking(count)?;
    /// assert!(matches!(first.outcome, Outcome::Filled(_)));
    /// let young = Reuse::MaxAge(Duration::from_secs(60));
    /// let second = cache.fetch("claims", class).reuse(young).fill_blocking(count)?;
    /// assert!(matches!(second.outcome, Outcome::Hit { .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fetch<'a, Q: ?Sized>(&'a self, key: &'a Q, class: TtlClass) -> Fetch<'a, Q, K, V, C, S> {
        Fetch {
            cache: self,
            key,
            class,
            reuse: Reuse::Any,
            refresher: None,
        }
    }
}
