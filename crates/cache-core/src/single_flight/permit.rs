//! Permits: the right, and the duty, to fill a key that was missed.

use std::{error::Error, fmt, sync::Arc};

use crate::{
    class::TtlClass,
    clock::Moment,
    error::{FillError, Refusal},
    fill::Fill,
    hit::Hit,
    single_flight::outcome::{Fetched, Outcome},
    store::Store,
};

use super::{
    fill_guard::{FillGuard, Hold},
    request::Request,
};

/// The right to fill one key, given to the first who missed it, or to one of
/// those who were served an entry that should be made anew.
///
/// While a permit exists, others who miss the key wait for it. A permit that is
/// dropped, be it by an early return, by a cancelled future or by a panic, goes
/// over to exactly one of them. (A permit that is *forgotten*, with
/// [`std::mem::forget`], keeps them waiting.)
///
/// A permit remembers which invalidations there had been when it was issued: a
/// value read under it is not stored if one that reaches the entry came since.
/// So read the value after you have the permit.
#[must_use = "a dropped permit goes over to another waiter"]
pub struct Permit<K, V> {
    guard: FillGuard<K, V>,
    key: K,
}

impl<K, V> Permit<K, V> {
    pub(crate) fn new(
        inner: Arc<Store<K, V>>,
        key: K,
        request: Request,
        fill_id: u64,
        epoch: u64,
        since: Moment,
    ) -> Self {
        let guard = FillGuard {
            inner,
            request,
            fill_id,
            epoch,
            since,
            hold: Hold::InFlight,
        };
        Self { guard, key }
    }

    /// The key to fill.
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// The class that the value will be stored under.
    pub const fn class(&self) -> TtlClass {
        self.guard.request.class
    }
}

impl<K: Eq + Clone, V: Clone> Permit<K, V> {
    /// Stores the value and gives it to all who wait for it; or, as the [`Fill`] says,
    /// stores the answer that there is nothing, or only gives the value to those who
    /// wait.
    ///
    /// It is refused if an invalidation that reaches it (by key, tag, class,
    /// predicate, or of everything) came after the permit was issued; then only
    /// those get it who had begun to wait before that invalidation, and one of
    /// the others gets a permit. It is refused, too, if a newer value was
    /// stored meanwhile, or if the cache cannot hold it.
    ///
    /// Costs one turn of the shard's lock, and a look at each invalidation that
    /// came since the permit was issued.
    ///
    /// # Errors
    /// Why the value is not in the cache. It is still the answer to the request that
    /// began before whatever came between.
    ///
    /// ```
    /// use cache_core::{Cache, Fill, Lookup, Refusal, Reuse, TtlClass};
    ///
    /// let cache = Cache::<&str, u32>::builder().max_entries(100).build()?;
    /// let class = TtlClass::DEFAULT;
    /// if let Lookup::Miss(permit) = cache.lookup("claims of 7", class, Reuse::Any) {
    ///     let rows = 3; // read from the database
    ///     assert_eq!(permit.fill(Fill::new(rows).tag("claim:12")), Ok(()));
    /// }
    ///
    /// // An invalidation beats the fill that it overtakes.
    /// cache.invalidate_tag("claim:12");
    /// if let Lookup::Miss(permit) = cache.lookup("claims of 7", class, Reuse::Any) {
    ///     let rows = 3;
    ///     cache.invalidate_tag("claim:12");
    ///     let filled = permit.fill(Fill::new(rows).tag("claim:12"));
    ///     assert_eq!(filled, Err(Refusal::Invalidated));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// The answer that there is nothing:
    ///
    /// ```
    /// use cache_core::{Cache, Fill, Freshness, Lookup, Reuse, TtlClass};
    /// use std::time::Duration;
    ///
    /// let cache = Cache::<&str, Option<u32>>::builder().max_entries(100).build()?;
    /// let class = TtlClass::DEFAULT;
    /// let policy = Freshness::ttl(Duration::from_secs(300));
    /// let policy = policy.with_negative_ttl(Duration::from_secs(5));
    /// cache.classes().set_freshness(class, policy);
    ///
    /// if let Lookup::Miss(permit) = cache.lookup("claim 7", class, Reuse::Any) {
    ///     // The database has no such claim. When it has, "claim:7" is invalidated.
    ///     assert_eq!(permit.fill(Fill::negative(None).tag("claim:7")), Ok(()));
    /// }
    /// let found = cache.lookup("claim 7", class, Reuse::Any);
    /// assert!(matches!(found, Lookup::Negative(hit) if hit.value.is_none()));
    /// assert_eq!(cache.get("claim 7", class), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fill(self, fill: impl Into<Fill<V>>) -> Result<(), Refusal> {
        self.guard.fill(self.key, fill.into())
    }

    /// Has every other value for the key end this fill, and returns the live entry that
    /// this one is to change.
    pub(crate) fn exclude_others(&self) -> Option<Hit<V>> {
        self.guard.exclude_others(&self.key)
    }

    /// Invalidates the key, unless another value ended the fill.
    pub(crate) fn remove(self) -> Result<(), Refusal> {
        self.guard.remove(self.key)
    }

    /// Ends the fill with an error. Those who wait get it, too, and may ask
    /// again; nothing is stored, and what is stored stays.
    ///
    /// As it is not known which records the error is about, an invalidation of
    /// anything but another key or class since the permit was issued counts as
    /// reaching it: those who began to wait after that do not get it, and one of
    /// them gets a permit.
    ///
    /// Where an entry is stored that may still be served within the
    /// [`stale_if_error`](crate::Freshness::stale_if_error) window, it stands in
    /// for the value, here as `Ok` and for those who wait as
    /// [`Waited::Stale`](crate::Waited::Stale). It stands in for nobody who
    /// asked with [`Reuse::MaxAge`](crate::Reuse::MaxAge) or
    /// [`Reuse::Nothing`](crate::Reuse::Nothing), nor under a class whose own
    /// windows are over. An invalidation that reaches the entry removes it, so
    /// that it stands in for nobody any more.
    ///
    /// To let one of those who wait try instead, drop the permit.
    ///
    /// # Errors
    /// The error itself, if no entry may stand in.
    ///
    /// ```
    /// use cache_core::{Cache, Freshness, Lookup, ManualClock, Reuse, TtlClass};
    /// use std::time::Duration;
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::<&str, u32>::builder()
    ///     .max_entries(100)
    ///     .clock(clock.clone())
    ///     .build()?;
    /// let class = TtlClass::DEFAULT;
    /// let minute = Duration::from_secs(60);
    /// let policy = Freshness::ttl(minute).with_stale_if_error(minute);
    /// cache.classes().set_freshness(class, policy);
    ///
    /// cache.insert("claims", 1, class)?;
    /// clock.advance(minute * 3 / 2);
    /// if let Lookup::Miss(permit) = cache.lookup("claims", class, Reuse::Any) {
    ///     let hit = permit.fail("the database is away").map_err(|error| error.to_string());
    ///     assert_eq!(hit.map(|hit| hit.value), Ok(1));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fail(self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Result<Hit<V>, FillError> {
        self.guard.fail(self.key, FillError::from(error.into()))
    }

    /// Ends the fill with what it came to: [fills](Self::fill) or
    /// [fails](Self::fail).
    ///
    /// # Errors
    /// The error, if no stored entry may stand in.
    pub fn finish<F, E>(self, made: Result<F, E>) -> Result<Fetched<V>, FillError>
    where
        F: Into<Fill<V>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let fill: Fill<V> = match made {
            Ok(fill) => fill.into(),
            Err(error) => return self.fail(error).map(Fetched::stood_in),
        };
        let value = fill.value.clone();
        let outcome = Outcome::Filled(self.fill(fill));
        Ok(Fetched::new(value, outcome))
    }
}

impl<K: fmt::Debug, V> fmt::Debug for Permit<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
