//! Fetch: get or fill with options, and with the outcome.

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

/// What there is for a key, once nobody has to be waited for.
pub(crate) enum Ready<K, V> {
    Served(Fetched<V>),
    /// An entry that may be served, and the right to refresh it.
    Due(Hit<V>, Permit<K, V>),
    Missing(Permit<K, V>),
}

/// The same, or another fill that is under way.
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

/// Who refreshes an entry that can still be served: takes the permit, to do so
/// later, or gives it back, for the caller to do so at once.
type Refresher<'a, K, V> = &'a (dyn Fn(Permit<K, V>) -> Option<Permit<K, V>> + Send + Sync);

/// A request for the value of a key; see [`Cache::fetch`].
#[must_use = "nothing is asked for until it is filled"]
pub struct Fetch<'a, Q: ?Sized, K, V, C = SystemClock, S = DefaultHashBuilder> {
    cache: &'a Cache<K, V, C, S>,
    key: &'a Q,
    class: TtlClass,
    reuse: Reuse,
    refresher: Option<Refresher<'a, K, V>>,
}

impl<'a, Q: ?Sized, K, V, C, S> Fetch<'a, Q, K, V, C, S> {
    /// The same, for one who accepts no more than this of what is stored.
    pub const fn reuse(mut self, reuse: Reuse) -> Self {
        self.reuse = reuse;
        self
    }

    /// The same, with a refresher: where an entry is due and can still be served, it
    /// gets the permit, and the caller gets the entry. It ends the permit later, with
    /// [`Permit::finish`], say. If it returns the permit, or there is no refresher, the
    /// caller refreshes before it returns, and only the others are served what is
    /// stored.
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

    /// The permit that this caller has to fill, or the value at once.
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

    /// The value of the key: the stored one if that may be served, or the one that
    /// `fill` makes, once for all who wait. Those who come while it is made wait for
    /// it; if the returned future is dropped meanwhile, one of them goes on with its
    /// own `fill`.
    ///
    /// # Errors
    /// The error of `fill`, or of another's that was waited for, where no stored
    /// entry may stand in.
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

    /// As [`fill`](Self::fill), for code outside any async runtime: blocks the thread
    /// while another's fill is waited for.
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

    /// As [`fill`](Self::fill), but nobody waits where an entry can be served: the
    /// [spawner](crate::Builder::spawner) of the cache refreshes one that is due.
    /// Without a spawner, the caller does so.
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
                    // Those who wait for it are told if it failed.
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
    /// A request for the value of a key, which takes options and is then filled. It is
    /// the form of [`get_or_try_fill`](Self::get_or_try_fill) that also tells where the
    /// value came from.
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
