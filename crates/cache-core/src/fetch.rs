//! Get or fill: a value that is stored, or that is made once for all who ask.

use std::{
    convert::Infallible,
    error::Error,
    future::Future,
    hash::{BuildHasher, Hash},
    pin::Pin,
    time::Duration,
};

use equivalent::Equivalent;
use hashbrown::DefaultHashBuilder;

use crate::{
    cache::Cache,
    class::TtlClass,
    clock::{Clock, SystemClock},
    error::FillError,
    lookup::{Hit, Lookup, Reuse},
    permit::{Filled, Permit},
    waiter::{Waited, Waiter},
};

/// A future that refreshes an entry while nobody waits for it.
pub type Refresh = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a fill came to: a value, and how it is stored.
///
/// A plain value becomes one without tags by [`From`].
///
/// ```
/// use cache_core::Fill;
///
/// let claims = Fill::new(vec![12, 15]).tag("claim:12").tag("claim:15");
/// let no_claims = Fill::negative(Vec::<u32>::new()).tag("member:7");
/// # let _ = (claims, no_claims);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Fill<V> {
    value: V,
    tags: Vec<String>,
    kept: Kept,
}

/// What is done with a value, which is the answer in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Stored,
    Negative,
    Shared,
}

impl<V> Fill<V> {
    const fn of(value: V, kept: Kept) -> Self {
        let tags = Vec::new();
        Self { value, tags, kept }
    }

    /// A value to be stored, as by [`Permit::fill`].
    pub const fn new(value: V) -> Self {
        Self::of(value, Kept::Stored)
    }

    /// The answer that there is nothing, as by [`Permit::fill_negative`].
    pub const fn negative(value: V) -> Self {
        Self::of(value, Kept::Negative)
    }

    /// A value for all who ask now and nobody later, as by [`Permit::share`]. Its
    /// tags say nothing.
    pub const fn shared(value: V) -> Self {
        Self::of(value, Kept::Shared)
    }

    /// The same with one more tag: the name of a record that it depends on.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// The same with these tags, too.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags.extend(tags.into_iter().map(T::into));
        self
    }
}

impl<V> From<V> for Fill<V> {
    fn from(value: V) -> Self {
        Self::new(value)
    }
}

/// A value, and where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched<V> {
    /// The value.
    pub value: V,
    /// Where it came from.
    pub outcome: Outcome,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// A fresh entry.
    Hit {
        /// How long ago it was stored.
        age: Duration,
        /// How long it is fresh.
        ttl: Duration,
    },
    /// A fresh entry that says that there is nothing.
    Negative {
        /// How long ago it was stored.
        age: Duration,
        /// How long it is fresh.
        ttl: Duration,
    },
    /// A stale entry, within
    /// [`stale_while_revalidate`](crate::Freshness::stale_while_revalidate).
    Stale {
        /// How long ago it was stored.
        age: Duration,
        /// How long it was fresh.
        ttl: Duration,
    },
    /// A fill failed, and this entry stands in for its value.
    StoodIn {
        /// How long ago it was stored.
        age: Duration,
        /// How long it is fresh.
        ttl: Duration,
    },
    /// The caller's own fill, and what became of it.
    Filled(Filled),
    /// The caller's own fill, which was not to be stored.
    Shared,
    /// The fill of another, which was waited for.
    Waited,
}

impl<V> Fetched<V> {
    const fn new(value: V, outcome: Outcome) -> Self {
        Self { value, outcome }
    }

    /// A stored entry that is served because a fill failed.
    fn stood_in(Hit { value, age, ttl }: Hit<V>) -> Self {
        Self::new(value, Outcome::StoodIn { age, ttl })
    }

    fn hit(hit: Hit<V>) -> Self {
        let (age, ttl) = (hit.age, hit.ttl);
        let outcome = if hit.is_stale() {
            Outcome::Stale { age, ttl }
        } else {
            Outcome::Hit { age, ttl }
        };
        Self::new(hit.value, outcome)
    }

    fn negative(Hit { value, age, ttl }: Hit<V>) -> Self {
        Self::new(value, Outcome::Negative { age, ttl })
    }
}

/// What there is for a key, once nobody has to be waited for.
enum Found<K, V, C, S> {
    Served(Fetched<V>),
    /// An entry that may be served, and the right to refresh it.
    Due(Hit<V>, Permit<K, V, C, S>),
    Missing(Permit<K, V, C, S>),
}

/// The same, or another fill that is under way.
enum Looked<K, V, C, S> {
    Found(Found<K, V, C, S>),
    InFlight(Waiter<K, V, C, S>),
}

impl<K, V, C, S> From<Lookup<K, V, C, S>> for Looked<K, V, C, S> {
    fn from(lookup: Lookup<K, V, C, S>) -> Self {
        Self::Found(match lookup {
            Lookup::InFlight(waiter) => return Self::InFlight(waiter),
            Lookup::Hit(hit) | Lookup::Stale(hit, None) => Found::Served(Fetched::hit(hit)),
            Lookup::Negative(hit) => Found::Served(Fetched::negative(hit)),
            Lookup::Early(hit, permit) | Lookup::Stale(hit, Some(permit)) => {
                Found::Due(hit, permit)
            }
            Lookup::Miss(permit) => Found::Missing(permit),
        })
    }
}

fn waited<K, V, C, S>(waited: Waited<K, V, C, S>) -> Result<Found<K, V, C, S>, FillError> {
    Ok(match waited {
        Waited::Value(value) | Waited::Negative(value) => {
            Found::Served(Fetched::new(value, Outcome::Waited))
        }
        Waited::Stale(hit) => Found::Served(Fetched::stood_in(hit)),
        Waited::Failed(error) => return Err(error),
        Waited::Permit(permit) => Found::Missing(permit),
    })
}

/// Who refreshes an entry that can still be served: takes the permit, to do so
/// later, or gives it back, for the caller to do so at once.
type Refresher<'a, K, V, C, S> =
    &'a (dyn Fn(Permit<K, V, C, S>) -> Option<Permit<K, V, C, S>> + Send + Sync);

/// A request for the value of a key; see [`Cache::fetch`].
#[must_use = "nothing is asked for until it is filled"]
pub struct Fetch<'a, Q: ?Sized, K, V, C = SystemClock, S = DefaultHashBuilder> {
    cache: &'a Cache<K, V, C, S>,
    key: &'a Q,
    class: TtlClass,
    reuse: Reuse,
    refresher: Option<Refresher<'a, K, V, C, S>>,
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
    pub const fn refresher(mut self, refresher: Refresher<'a, K, V, C, S>) -> Self {
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
    fn look(&self) -> Looked<K, V, C, S> {
        let lookup = self.cache.lookup_by(self.key, self.class, self.reuse);
        lookup.into()
    }

    /// The permit that this caller has to fill, or the value at once.
    fn due(&self, found: Found<K, V, C, S>) -> Result<Permit<K, V, C, S>, Fetched<V>> {
        match found {
            Found::Served(fetched) => Err(fetched),
            Found::Missing(permit) => Ok(permit),
            Found::Due(hit, permit) => {
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
    pub async fn fill<E>(
        self,
        fill: impl AsyncFnOnce() -> Result<Fill<V>, E>,
    ) -> Result<Fetched<V>, FillError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let found = match self.look() {
            Looked::Found(found) => found,
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
    pub fn fill_blocking<E>(
        self,
        fill: impl FnOnce() -> Result<Fill<V>, E>,
    ) -> Result<Fetched<V>, FillError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let found = match self.look() {
            Looked::Found(found) => found,
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
    pub async fn fill_or_spawn<E, F, M>(self, fill: F) -> Result<Fetched<V>, FillError>
    where
        E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
        F: FnOnce() -> M + Send + 'static,
        M: Future<Output = Result<Fill<V>, E>> + Send + 'static,
        K: Send + Sync + 'static,
        V: Send + Sync + 'static,
        C: 'static,
        S: Send + Sync + 'static,
    {
        let found = match self.look() {
            Looked::Found(found) => found,
            Looked::InFlight(waiter) => waited(waiter.await)?,
        };
        match (found, &self.cache.inner.spawner) {
            (Found::Due(hit, permit), Some(spawner)) => {
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

impl<K, V, C, S> Permit<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// Ends the fill with what it came to: stores or shares the value, or
    /// [fails](Self::fail).
    ///
    /// # Errors
    /// The error, if no stored entry may stand in.
    pub fn finish<E>(self, made: Result<Fill<V>, E>) -> Result<Fetched<V>, FillError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let Fill { value, tags, kept } = match made {
            Ok(fill) => fill,
            Err(error) => return self.fail(error).map(Fetched::stood_in),
        };
        let copy = value.clone();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let outcome = match kept {
            Kept::Stored => Outcome::Filled(self.fill(copy, &tags)),
            Kept::Negative => Outcome::Filled(self.fill_negative(copy, &tags)),
            Kept::Shared => {
                self.share(copy);
                Outcome::Shared
            }
        };
        Ok(Fetched::new(value, outcome))
    }
}

impl<K, V, C, S> Cache<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// The stored value, or the one that `fill` makes once for all who ask:
    /// [`fetch`](Self::fetch) without options, for the value alone.
    ///
    /// What a hit costs, [`lookup_by`](Self::lookup_by) says.
    ///
    /// # Errors
    /// The error of `fill`, or of another's that was waited for, where no stored
    /// entry may stand in.
    ///
    /// ```
    /// use cache_core::{Cache, Fill, TtlClass};
    ///
    /// # struct Db;
    /// # impl Db {
    /// #     async fn claims(&self, _: u32) -> Result<String, std::io::Error> { Ok("two".into()) }
    /// # }
    /// # async fn example(db: Db) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    /// let cache = Cache::<String, String>::builder().max_entries(10_000).build()?;
    /// let claims = cache
    ///     .get_or_try_fill("claims of 7", TtlClass::LIVE_DATA, async || {
    ///         let claims = db.claims(7).await?;
    ///         Ok::<_, std::io::Error>(Fill::new(claims).tag("claim:12"))
    ///     })
    ///     .await?;
    /// # let _ = claims;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_or_try_fill<Q, E>(
        &self,
        key: &Q,
        class: TtlClass,
        fill: impl AsyncFnOnce() -> Result<Fill<V>, E>,
    ) -> Result<V, FillError>
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let fetched = self.fetch(key, class).fill(fill).await?;
        Ok(fetched.value)
    }

    /// As [`get_or_try_fill`](Self::get_or_try_fill), for code outside any async
    /// runtime.
    ///
    /// # Errors
    /// As [`get_or_try_fill`](Self::get_or_try_fill).
    ///
    /// ```
    /// use cache_core::{Cache, Fill, TtlClass};
    ///
    /// let cache = Cache::<u32, String>::builder().max_entries(10_000).build()?;
    /// let read = |n: u32| std::fs::read_to_string(format!("claim-{n}.txt"));
    /// let missing = cache.get_or_try_fill_blocking(&7, TtlClass::LIVE_DATA, || {
    ///     read(7).map(Fill::new)
    /// });
    /// assert!(missing.is_err());
    /// # Ok::<(), cache_core::BuildError>(())
    /// ```
    pub fn get_or_try_fill_blocking<Q, E>(
        &self,
        key: &Q,
        class: TtlClass,
        fill: impl FnOnce() -> Result<Fill<V>, E>,
    ) -> Result<V, FillError>
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let fetched = self.fetch(key, class).fill_blocking(fill)?;
        Ok(fetched.value)
    }

    /// As [`get_or_try_fill`](Self::get_or_try_fill), with a `fill` that cannot fail.
    /// Where another's fill is waited for and fails, this caller's is used.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// # async fn example() -> Result<(), cache_core::BuildError> {
    /// let cache = Cache::<u32, u32>::builder().max_entries(10_000).build()?;
    /// let square = cache.get_or_fill(&7, TtlClass::KNOWLEDGE_BASE, async || 7 * 7);
    /// assert_eq!(square.await, 49);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_or_fill<Q, F>(
        &self,
        key: &Q,
        class: TtlClass,
        fill: impl AsyncFnOnce() -> F,
    ) -> V
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
        F: Into<Fill<V>>,
    {
        loop {
            let fetch = self.fetch(key, class);
            let found = match fetch.look() {
                Looked::Found(found) => found,
                Looked::InFlight(waiter) => match waited(waiter.await) {
                    Ok(found) => found,
                    Err(_) => continue,
                },
            };
            let permit = match fetch.due(found) {
                Ok(permit) => permit,
                Err(fetched) => return fetched.value,
            };
            let fill: Fill<V> = fill().await.into();
            let value = fill.value.clone();
            // The value is right, whatever becomes of it.
            let _ = permit.finish(Ok::<_, Infallible>(fill));
            return value;
        }
    }

    /// A request for the value of a key, which takes options and is then filled. It is
    /// the form of [`get_or_try_fill`](Self::get_or_try_fill) that also tells where the
    /// value came from.
    ///
    /// ```
    /// use cache_core::{Cache, Fill, Outcome, Reuse, TtlClass};
    /// use std::time::Duration;
    ///
    /// let cache = Cache::<String, u32>::builder().max_entries(100).build()?;
    /// let class = TtlClass::LIVE_DATA;
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
