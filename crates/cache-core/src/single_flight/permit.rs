//! Permits: the right to fill one key.

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

/// The right to fill one key. The first caller that misses the key gets it, or one of the
/// callers that are served an entry which is due for a refresh.
///
/// While a permit exists, other misses of the key wait for its fill. Dropping the permit
/// (an early return, a cancelled future, a panic) passes it to exactly one waiter.
/// Forgetting it, with [`std::mem::forget`], keeps them waiting.
///
/// A permit carries the epoch of invalidations at which it was issued: a value is not
/// stored if an invalidation that reaches the entry was made since. So read the value
/// after you have the permit.
#[must_use = "a dropped permit is passed to a waiter"]
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

    /// The class that the value is stored under.
    pub const fn class(&self) -> TtlClass {
        self.guard.request.class
    }
}

impl<K: Eq + Clone, V: Clone> Permit<K, V> {
    /// Ends the fill with a value: stores it, and gives it to all waiters. A
    /// [negative](Fill::negative) fill stores that nothing exists; a
    /// [shared](Fill::shared) one is only given to the waiters.
    ///
    /// The value is refused if an invalidation that reaches it (by key, tag, class,
    /// predicate, or of everything) was made after the permit was issued. Then only
    /// waiters that began before that invalidation get it, and one of the others gets a
    /// permit. It is also refused if a newer value was stored in the meantime, or if the
    /// cache cannot hold it.
    ///
    /// Takes the lock of the shard once, and checks each invalidation that was made since
    /// the permit was issued.
    ///
    /// # Errors
    /// The reason why the value is not stored. It is still the answer to the request that
    /// took the permit.
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
    /// A negative entry:
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
    ///     // The database has no such claim. Creating it invalidates "claim:7".
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

    /// Makes the fill exclusive: any other value for the key ends it. Returns the live
    /// entry.
    pub(crate) fn exclude_others(&self) -> Option<Hit<V>> {
        self.guard.exclude_others(&self.key)
    }

    /// Invalidates the key, unless the fill has ended.
    pub(crate) fn remove(self) -> Result<(), Refusal> {
        self.guard.remove(self.key)
    }

    /// Ends the fill with an error, which the waiters get too. Nothing is stored, and a
    /// stored entry stays as it is.
    ///
    /// If an entry within its [`stale_if_error`](crate::Freshness::stale_if_error) window
    /// is stored, it is served instead of the error: here as `Ok`, and to waiters as
    /// [`Waited::Stale`](crate::Waited::Stale). Requests with
    /// [`Reuse::MaxAge`](crate::Reuse::MaxAge) or
    /// [`Reuse::Nothing`](crate::Reuse::Nothing), or of a class whose own windows are
    /// over, get the error. An invalidation that reaches the entry removes it, so it is
    /// not served after that.
    ///
    /// The records that an error depends on are not known. So an invalidation since the
    /// permit was issued counts as reaching it, unless it is of another key or class:
    /// waiters that began after it do not get the error, and one of them gets a permit.
    ///
    /// To let a waiter try instead, drop the permit.
    ///
    /// # Errors
    /// The error itself, if no entry can be served instead.
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

    /// Ends the fill with a result: [`fill`](Self::fill) for `Ok`, [`fail`](Self::fail)
    /// for `Err`.
    ///
    /// # Errors
    /// The error, if no stored entry can be served instead.
    pub fn finish<F, E>(self, result: Result<F, E>) -> Result<Fetched<V>, FillError>
    where
        F: Into<Fill<V>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let fill: Fill<V> = match result {
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
