//! The public face of the store.

use std::{
    fmt,
    hash::{BuildHasher, Hash},
    sync::Arc,
    time::Duration,
};

use equivalent::Equivalent;
use hashbrown::DefaultHashBuilder;

use crate::{
    aftermath::Aftermath,
    builder::Builder,
    class::{Classes, TtlClass},
    clock::{Clock, SystemClock, nanos},
    departure::Departed,
    error::BuildError,
    flight::Boarding,
    freshness::FillCost,
    inner::{Entering, Inner, Locked},
    lookup::{Hit, Inserted, Lookup, Reuse},
    permit::{Permit, Request},
    shard::{Accepts, Glance, Kind, NewEntry, Reader, Shard},
    sync::{Ordering, ShardGuard},
    tags::TagSet,
    waiter::Waiter,
};

/// A sharded, bounded TTL store. Clones share one store.
///
/// `V` is cloned by every hit, under the lock of its shard: put an [`Arc`]
/// around whatever is not cheap to clone. `Eq` and `Clone` of `K` run under
/// that lock as well, and must not use the cache. No other code of the user
/// does: weigher, predicates, wakers, and drops of keys and values run
/// unlocked.
pub struct Cache<K, V, C = SystemClock, S = DefaultHashBuilder> {
    pub(crate) inner: Arc<Inner<K, V, C, S>>,
}

impl<K, V, C, S> Clone for Cache<K, V, C, S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<K, V> Cache<K, V> {
    /// The options of a new cache.
    pub fn builder() -> Builder<K, V> {
        Builder::default()
    }
}

impl<K, V, C, S> Cache<K, V, C, S> {
    pub(crate) const fn from_inner(inner: Arc<Inner<K, V, C, S>>) -> Self {
        Self { inner }
    }

    /// The TTL classes of this cache, to define and change.
    #[must_use]
    pub fn classes(&self) -> &Classes {
        &self.inner.classes
    }

    /// The clock of this cache.
    #[must_use]
    pub fn clock(&self) -> &C {
        &self.inner.clock
    }

    /// The bound, in entries or in the unit of the weigher.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.inner.capacity()
    }

    /// The weight held at present: the number of entries, or the sum of what
    /// the weigher counted. Includes what has expired but was not removed yet.
    /// One atomic load.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.inner.total.0.load(Ordering::Relaxed)
    }
}

impl<K, V, C, S> Cache<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// The fresh value for `key`, counted as a hit or a miss for `class`. Never
    /// a stale or a negative one: [`lookup`](Self::lookup) tells these apart.
    ///
    /// The entry must be fresh under the class it was stored under and, where
    /// that is another, under `class`, too. `key` is a `K` or anything
    /// [`Equivalent`] to one; of several equivalent entries, any is found.
    ///
    /// Costs one hash, one reading of the clock, one lock of a shard, and the
    /// clone of the value; writes nothing that other shards read.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<String, u32>::builder().max_entries(100).build()?;
    /// cache.insert("a".to_owned(), 1, TtlClass::LIVE_DATA, &[]);
    /// assert_eq!(cache.get("a", TtlClass::LIVE_DATA), Some(1));
    /// # Ok::<(), cache_core::BuildError>(())
    /// ```
    #[inline]
    pub fn get<Q>(&self, key: &Q, class: TtlClass) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.inner.hasher.hash_one(key);
        let reader = self.inner.reader(class, Accepts::Values);
        let mut shard = self.inner.guard_for(hash);
        match shard.glance(hash, key, u64::MAX, &reader) {
            Glance::Fresh(value, _) => Some(value),
            Glance::Absent => None,
            Glance::Unclear => self.get_slowly(shard, hash, key, reader),
        }
    }

    #[cold]
    fn get_slowly<'a, Q>(
        &'a self,
        shard: ShardGuard<'a, Shard<K, V>>,
        hash: u64,
        key: &Q,
        reader: Reader<'a>,
    ) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        // Declared before the guard, so that it is dropped after it.
        let mut departed = Departed::new(&self.inner.listener);
        let (found, _shard) = self.inner.read(shard, hash, key, reader, &mut departed);
        found.map(|found| found.value)
    }

    /// The entry for `key`, or the right to fill it, or a way to wait for the
    /// one who has that right. Counted as a hit or a miss for `class`; a stale
    /// or a negative entry is a hit, a miss that waits stays a miss.
    ///
    /// Where the entry was stored under another class than `class`, both
    /// policies must agree to serve it.
    ///
    /// A hit costs what [`get`](Self::get) does and a look at the policy; a miss
    /// allocates a little.
    ///
    /// ```
    /// use cache_core::{Cache, Lookup, Reuse, TtlClass};
    ///
    /// let cache = Cache::<&str, u32>::builder().max_entries(100).build()?;
    /// let class = TtlClass::KNOWLEDGE_BASE;
    /// let value = match cache.lookup("answer", class, Reuse::Any) {
    ///     Lookup::Hit(hit) => hit.value,
    ///     Lookup::Miss(permit) => {
    ///         let value = 42; // costly
    ///         permit.fill(value, &[]);
    ///         value
    ///     }
    ///     _ => unreachable!("nobody else fills, and the class has no windows"),
    /// };
    /// assert_eq!(value, 42);
    /// # Ok::<(), cache_core::BuildError>(())
    /// ```
    ///
    /// With a window for stale entries, every reader is served at once, and one
    /// of them makes the entry anew:
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
    /// let class = TtlClass::LIVE_DATA;
    /// let minute = Duration::from_secs(60);
    /// let policy = Freshness::ttl(minute).with_stale_while_revalidate(minute);
    /// cache.classes().set_freshness(class, policy);
    ///
    /// cache.insert("claims", 1, class, &[]);
    /// clock.advance(minute * 3 / 2);
    /// let Lookup::Stale(first, Some(permit)) = cache.lookup("claims", class, Reuse::Any) else {
    ///     unreachable!("nobody refreshes yet");
    /// };
    /// let Lookup::Stale(second, None) = cache.lookup("claims", class, Reuse::Any) else {
    ///     unreachable!("the first reader refreshes");
    /// };
    /// assert_eq!((first.value, second.value), (1, 1));
    /// permit.fill(2, &[]); // after the first reader has its answer
    /// assert_eq!(cache.get("claims", class), Some(2));
    /// # Ok::<(), cache_core::BuildError>(())
    /// ```
    pub fn lookup(&self, key: K, class: TtlClass, reuse: Reuse) -> Lookup<K, V, C, S> {
        let inner = &self.inner;
        let hash = inner.hasher.hash_one(&key);
        let request = Request {
            hash,
            class,
            takes_stale: reuse == Reuse::Any,
        };
        let (accepts, max_age) = match reuse {
            Reuse::Any => (Accepts::All, u64::MAX),
            Reuse::MaxAge(age) => (Accepts::Young(nanos(age)), nanos(age)),
            Reuse::Nothing => {
                let mut shard = inner.lock_for(hash);
                shard.miss(class);
                return self.board(shard, key, request, true);
            }
        };
        let reader = inner.reader(class, accepts);
        let mut shard = inner.guard_for(hash);
        match shard.glance(hash, &key, max_age, &reader) {
            Glance::Fresh(value, age) => {
                drop(shard);
                Lookup::Hit(self.fresh(value, age, class, hash))
            }
            Glance::Absent => self.board(inner.account_for(shard), key, request, false),
            Glance::Unclear => self.lookup_closely(shard, key, request, reader),
        }
    }

    /// As [`lookup`](Self::lookup), by anything [`Equivalent`] to a key.
    ///
    /// With [`Reuse::Any`], a hit on an entry that is fresh, not negative and of this
    /// class allocates nothing, unless the entry nears its end under jitter or early
    /// refresh. Everything else makes the key owned and looks once more.
    pub fn lookup_by<Q>(&self, key: &Q, class: TtlClass, reuse: Reuse) -> Lookup<K, V, C, S>
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + ?Sized,
    {
        let inner = &self.inner;
        if reuse == Reuse::Any {
            let hash = inner.hasher.hash_one(key);
            let reader = inner.reader(class, Accepts::All);
            let mut shard = inner.guard_for(hash);
            match shard.glance(hash, key, u64::MAX, &reader) {
                Glance::Fresh(value, age) => {
                    drop(shard);
                    return Lookup::Hit(self.fresh(value, age, class, hash));
                }
                // The look-up that follows counts.
                Glance::Absent => shard.uncount_miss(class),
                Glance::Unclear => {}
            }
        }
        self.lookup(key.to_owned(), class, reuse)
    }

    fn fresh(&self, value: V, age: u64, class: TtlClass, hash: u64) -> Hit<V> {
        Hit {
            value,
            age: Duration::from_nanos(age),
            // By the policy of now, which may be another than that of the glance.
            ttl: Duration::from_nanos(self.inner.classes.life(class, hash).max(age)),
        }
    }

    #[cold]
    fn lookup_closely<'a>(
        &'a self,
        shard: ShardGuard<'a, Shard<K, V>>,
        key: K,
        request: Request,
        reader: Reader<'a>,
    ) -> Lookup<K, V, C, S> {
        let (inner, hash) = (&self.inner, request.hash);
        // Declared before the guard, so that it is dropped after it.
        let mut departed = Departed::new(&inner.listener);
        let (found, mut shard) = inner.read(shard, hash, &key, reader, &mut departed);
        let Some(found) = found else {
            return self.board(shard, key, request, false);
        };
        let kind = found.kind;
        let hit = Hit::from(found);
        match kind {
            Kind::Fresh => return Lookup::Hit(hit),
            Kind::Negative => return Lookup::Negative(hit),
            Kind::Early | Kind::Stale => {}
        }
        let flight = shard.flights.refresh(hash, &key);
        let flight = flight.map(|id| (id, inner.log.open()));
        if kind == Kind::Early && flight.is_some() {
            shard.early_refresh(request.class);
        }
        drop(shard);
        let permit = flight.map(|(id, epoch)| self.permit(key, request, id, epoch));
        match (kind, permit) {
            (Kind::Stale, permit) => Lookup::Stale(hit, permit),
            (_, Some(permit)) => Lookup::Early(hit, permit),
            (_, None) => Lookup::Hit(hit),
        }
    }

    /// What a miss comes to: a flight of its own (in any case if it wants to be
    /// `alone`), or waiting for one under way.
    fn board<'a>(
        &'a self,
        mut shard: Locked<'a, K, V>,
        key: K,
        request: Request,
        alone: bool,
    ) -> Lookup<K, V, C, S> {
        let inner = &self.inner;
        // Under the lock, so that those who wait stand in the order of epochs.
        let epoch = inner.log.epoch();
        match shard.flights.board(request.hash, &key, epoch, alone) {
            Boarding::Started { id } => {
                let epoch = inner.log.open();
                drop(shard);
                Lookup::Miss(self.permit(key, request, id, epoch))
            }
            Boarding::Joined { id, waiter, cell } => {
                drop(shard);
                let inner = Arc::clone(inner);
                Lookup::InFlight(Waiter::new(inner, key, request, (id, waiter), cell))
            }
        }
    }

    fn permit(&self, key: K, request: Request, flight: u64, epoch: u64) -> Permit<K, V, C, S> {
        let since = self.inner.clock.now();
        Permit::new(Arc::clone(&self.inner), key, request, flight, epoch, since)
    }

    /// Changes the bound, in entries or in the unit of the weigher. Under a smaller
    /// one, entries are evicted until the others fit.
    ///
    /// The number of shards stays: it was chosen for the first bound.
    ///
    /// # Errors
    /// [`BuildError::ZeroCapacity`]; the bound stays.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<u32, u32>::builder().max_entries(100).build()?;
    /// for key in 0..100 {
    ///     cache.insert(key, key, TtlClass::LIVE_DATA, &[]);
    /// }
    /// cache.set_capacity(10)?;
    /// assert_eq!((cache.capacity(), cache.len()), (10, 10));
    /// # Ok::<(), cache_core::BuildError>(())
    /// ```
    pub fn set_capacity(&self, capacity: u64) -> Result<(), BuildError> {
        if capacity == 0 {
            return Err(BuildError::ZeroCapacity);
        }
        self.inner.capacity.store(capacity, Ordering::Relaxed);
        // No shard is spared.
        self.inner.trim(usize::MAX, self.inner.judge());
        Ok(())
    }

    /// Stores a value under `key`, with the tags of the records that it depends
    /// on. Those who wait for a fill of the key get it, and that fill will be
    /// refused: the inserted value is taken to be newer.
    ///
    /// The value should have been made by whoever inserts it. One that was
    /// *read* somewhere may be outdated by the time it is stored: use a
    /// [`Permit`], which notices.
    ///
    /// Over the bound, other entries are evicted: first from the shard of the
    /// key, then from others in turn.
    ///
    /// ```
    /// use cache_core::{Cache, Inserted, TtlClass};
    ///
    /// let cache = Cache::<u32, &str>::builder().max_entries(100).build()?;
    /// let class = TtlClass::LIVE_DATA;
    /// assert_eq!(cache.insert(1, "old", class, &[]), Inserted::New);
    /// assert_eq!(cache.insert(1, "new", class, &[]), Inserted::Replaced("old"));
    /// # Ok::<(), cache_core::BuildError>(())
    /// ```
    pub fn insert(&self, key: K, value: V, class: TtlClass, tags: &[&str]) -> Inserted<V> {
        let inner = &*self.inner;
        let hash = inner.hasher.hash_one(&key);
        let tags = TagSet::new(tags, &inner.tag_hasher);
        let weight = inner.weigh(&key, &value, &tags);
        let new = NewEntry {
            hash,
            key,
            value,
            class,
            tags: &tags,
            negative: false,
            // Nobody knows what it took to make it.
            cost: FillCost::NONE,
        };
        let entering = Entering {
            new,
            weight,
            flight: None,
        };
        let judge = inner.judge_roughly();
        let mut after = Aftermath::new(&inner.listener);
        let mut shard = inner.lock_for(hash);
        let outcome = inner.enter(&mut shard, entering, judge, &mut after);
        drop(shard);
        after.run(&inner.log);
        inner.trim(inner.shard_of(hash), judge);
        match (outcome, after.take_replaced()) {
            (Ok(()), None) => Inserted::New,
            (Ok(()), Some((_, old))) => Inserted::Replaced(old),
            (Err((reason, (_, value))), _) => Inserted::Rejected { value, reason },
        }
    }
}

impl<K, V, C, S> fmt::Debug for Cache<K, V, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("weight", &self.weight())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}
