//! Look-ups, which return entries, permits or waiters.

use std::{
    hash::{BuildHasher, Hash},
    sync::Arc,
    time::Duration,
};

use equivalent::Equivalent;

use super::Cache;
use crate::{
    class::TtlClass,
    clock::{Clock, nanos},
    hit::{Hit, Kind, Seen},
    listener::Removed,
    single_flight::{
        in_flight::Join,
        lookup::{Lookup, Reuse},
        permit::Permit,
        request::Request,
        waiter::Waiter,
    },
    store::{
        Locked, Store,
        reader::{Accepts, FastRead, Reader},
        shard::Shard,
    },
    sync::ShardGuard,
};

impl<K, V, C, S> Cache<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// Looks `key` up: returns the entry, a permit to fill the key, or a waiter for the
    /// fill that is in flight. Counts as a hit or a miss of `class`; a stale or negative
    /// entry is a hit, and a miss that waits is a miss.
    ///
    /// Most callers want [`get_or_try_fill`](Self::get_or_try_fill) or
    /// [`fetch`](Self::fetch), which are built on this.
    ///
    /// If the entry was stored under another class than `class`, it is served only if the
    /// policies of both classes allow it.
    ///
    /// A hit costs what [`get`](Self::get) costs, and a read of the policy. A miss
    /// allocates a little.
    ///
    /// ```
    /// use cache_core::{Cache, Lookup, Reuse, TtlClass, Waited};
    ///
    /// let cache = Cache::<&str, u32>::builder().max_entries(100).build()?;
    /// let class = TtlClass::DEFAULT;
    /// let value = match cache.lookup("answer", class, Reuse::Any) {
    ///     Lookup::Hit(hit) | Lookup::Negative(hit) => hit.value,
    ///     // Served at once. The permit, if there is one, is to refresh the entry.
    ///     Lookup::Early(hit, _) | Lookup::Stale(hit, _) => hit.value,
    ///     Lookup::Miss(permit) => {
    ///         let value = 42; // costly
    ///         // The value is the answer even if it is not stored.
    ///         let _ = permit.fill(value);
    ///         value
    ///     }
    ///     Lookup::InFlight(waiter) => match waiter.wait() {
    ///         Waited::Value(value) | Waited::Negative(value) => value,
    ///         _ => 42,
    ///     },
    /// };
    /// assert_eq!(value, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// With a `stale_while_revalidate` window, every reader is served at once, and one of
    /// them gets a permit to refresh the entry:
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
    /// let policy = Freshness::ttl(minute).with_stale_while_revalidate(minute);
    /// cache.classes().set_freshness(class, policy);
    ///
    /// cache.insert("claims", 1, class)?;
    /// clock.advance(minute * 3 / 2);
    /// let Lookup::Stale(first, Some(permit)) = cache.lookup("claims", class, Reuse::Any) else {
    ///     unreachable!("nobody refreshes yet");
    /// };
    /// let Lookup::Stale(second, None) = cache.lookup("claims", class, Reuse::Any) else {
    ///     unreachable!("the first reader refreshes");
    /// };
    /// assert_eq!((first.value, second.value), (1, 1));
    /// permit.fill(2)?; // after the first reader has its answer
    /// assert_eq!(cache.get("claims", class), Some(2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lookup(&self, key: K, class: TtlClass, reuse: Reuse) -> Lookup<K, V> {
        self.lookup_key(Owned(key), class, reuse)
    }

    /// [`lookup`](Self::lookup) by anything [`Equivalent`] to a key. The owned key is made
    /// only for a permit or a waiter. A hit on an entry that is neither stale nor due for
    /// a refresh allocates nothing.
    pub fn lookup_by<Q>(&self, key: &Q, class: TtlClass, reuse: Reuse) -> Lookup<K, V>
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
    {
        self.lookup_key(Borrowed(key), class, reuse)
    }

    fn lookup_key(&self, key: impl LookupKey<K>, class: TtlClass, reuse: Reuse) -> Lookup<K, V> {
        let inner = &self.inner;
        let hash = self.hasher.hash_one(key.borrowed());
        let request = Request {
            hash,
            class,
            takes_stale: reuse == Reuse::Any,
        };
        let (accepts, max_age) = match reuse {
            Reuse::Any => (Accepts::All, u64::MAX),
            Reuse::MaxAge(age) => (Accepts::Young(nanos(age)), nanos(age)),
            Reuse::Nothing => {
                let key = key.into_owned();
                let mut shard = inner.lock_for(hash);
                shard.miss(class);
                return self.join(shard, key, request, true);
            }
        };
        let reader = inner.reader(class, accepts);
        let mut shard = inner.guard_for(hash);
        match shard.read_fast(hash, key.borrowed(), max_age, &reader, &mut clone) {
            FastRead::Fresh(value, age) => {
                drop(shard);
                Lookup::Hit(self.fresh(value, age, class, hash))
            }
            FastRead::Absent => {
                self.join(inner.account_for(shard), key.into_owned(), request, false)
            }
            FastRead::Undecided => self.lookup_slowly(shard, key, request, reader),
        }
    }

    fn fresh(&self, value: V, age: u64, class: TtlClass, hash: u64) -> Hit<V> {
        Hit {
            value,
            age: Duration::from_nanos(age),
            // The policy may have changed since the entry was read.
            ttl: Duration::from_nanos(self.inner.classes.ttl_of(class, hash).max(age)),
        }
    }

    #[cold]
    fn lookup_slowly<'a>(
        &'a self,
        shard: ShardGuard<'a, Shard<K, V>>,
        key: impl LookupKey<K>,
        request: Request,
        reader: Reader<'a>,
    ) -> Lookup<K, V> {
        let (inner, hash) = (&self.inner, request.hash);
        // Declared before the guard, so that it is dropped after it.
        let mut removed_entries = Removed::new(&inner.listener);
        let borrowed = key.borrowed();
        let (found, mut shard) = inner.read(
            shard,
            hash,
            borrowed,
            reader,
            &mut clone,
            &mut removed_entries,
        );
        let Some(found) = found else {
            return self.join(shard, key.into_owned(), request, false);
        };
        let kind = found.kind;
        let hit = Hit::from(found);
        match kind {
            Kind::Fresh => return Lookup::Hit(hit),
            Kind::Negative => return Lookup::Negative(hit),
            Kind::Early | Kind::Stale => {}
        }
        let key = key.into_owned();
        let fill_id = shard.in_flight.refresh(hash, &key);
        let fill_id = fill_id.map(|id| (id, inner.log.open()));
        if kind == Kind::Early && fill_id.is_some() {
            shard.early_refresh(request.class);
        }
        drop(shard);
        let permit = fill_id.map(|(id, epoch)| self.permit(key, request, id, epoch));
        match (kind, permit) {
            (Kind::Stale, permit) => Lookup::Stale(hit, permit),
            (_, Some(permit)) => Lookup::Early(hit, permit),
            (_, None) => Lookup::Hit(hit),
        }
    }

    /// Starts a fill for a miss, or joins the fill that is in flight. A `solo` miss
    /// always starts its own fill.
    fn join<'a>(
        &'a self,
        mut shard: Locked<'a, K, V>,
        key: K,
        request: Request,
        solo: bool,
    ) -> Lookup<K, V> {
        let inner = &self.inner;
        // Read under the lock, so that waiters are queued in the order of their epochs.
        let epoch = inner.log.epoch();
        match shard.in_flight.join(request.hash, &key, epoch, solo) {
            Join::Started { id } => {
                let epoch = inner.log.open();
                drop(shard);
                Lookup::Miss(self.permit(key, request, id, epoch))
            }
            Join::Joined { id, waiter, cell } => {
                drop(shard);
                let inner = self.erased();
                Lookup::InFlight(Waiter::new(inner, key, request, (id, waiter), cell))
            }
        }
    }

    /// Starts a fill of `key`, or joins the one that is in flight. Ignores the stored
    /// entry, and counts neither a hit nor a miss.
    pub(crate) fn begin(&self, key: K, class: TtlClass) -> Result<Permit<K, V>, Waiter<K, V>> {
        let request = Request {
            hash: self.hasher.hash_one(&key),
            class,
            takes_stale: false,
        };
        let shard = self.inner.lock_for(request.hash);
        match self.join(shard, key, request, false) {
            Lookup::InFlight(waiter) => Err(waiter),
            Lookup::Miss(permit) => Ok(permit),
            _ => unreachable!("a fill is started or joined"),
        }
    }

    fn permit(&self, key: K, request: Request, fill_id: u64, epoch: u64) -> Permit<K, V> {
        let since = self.inner.now();
        Permit::new(self.erased(), key, request, fill_id, epoch, since)
    }

    /// The shared state without the type of its clock.
    fn erased(&self) -> Arc<Store<K, V>> {
        Arc::<Store<K, V, C>>::clone(&self.inner)
    }
}

/// A key to look up, owned or borrowed.
trait LookupKey<K> {
    type Borrowed: Hash + Equivalent<K> + ?Sized;

    fn borrowed(&self) -> &Self::Borrowed;
    fn into_owned(self) -> K;
}

struct Owned<K>(K);

impl<K: Hash + Eq> LookupKey<K> for Owned<K> {
    type Borrowed = K;

    fn borrowed(&self) -> &K {
        &self.0
    }

    fn into_owned(self) -> K {
        self.0
    }
}

struct Borrowed<'a, Q: ?Sized>(&'a Q);

impl<K, Q> LookupKey<K> for Borrowed<'_, Q>
where
    Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
{
    type Borrowed = Q;

    fn borrowed(&self) -> &Q {
        self.0
    }

    fn into_owned(self) -> K {
        self.0.to_owned()
    }
}

/// Clones the value of a hit.
fn clone<V: Clone>(value: &V, _: Seen<'_>) -> V {
    value.clone()
}
