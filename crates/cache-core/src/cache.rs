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
    class::{Classes, TtlClass},
    clock::{Clock, SystemClock, nanos},
    deferred::Deferred,
    error::{BuildError, Rejected},
    fill::Fill,
    hit::{Hit, Kind, Meta, Seen},
    judge::FillCost,
    listener::Removed,
    single_flight::in_flight::Join,
    single_flight::lookup::{Lookup, Reuse},
    single_flight::waiter::Waiter,
    single_flight::{permit::Permit, request::Request},
    store::reader::{Accepts, FastRead, Reader},
    store::shard::{Shard, insertion::NewEntry},
    store::{Entering, Locked, Store},
    sync::{Ordering, ShardGuard},
};

/// A sharded, bounded TTL store. Clones share one store.
///
/// `V` is cloned by every hit but a [`read`](Cache::read), under the lock of its shard:
/// put an [`Arc`] around what is not cheap to clone. `Eq`, `Clone` and `ToOwned` of keys
/// run under that lock as well, and must not use the cache. No other code of the user
/// does: weigher, predicates, listener, wakers, and drops of keys and values run
/// unlocked.
pub struct Cache<K, V, C = SystemClock, S = DefaultHashBuilder> {
    pub(crate) inner: Arc<Store<K, V, C>>,
    pub(crate) hasher: S,
}

impl<K, V, C, S: Clone> Clone for Cache<K, V, C, S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            hasher: self.hasher.clone(),
        }
    }
}

impl<K, V, C, S> Cache<K, V, C, S> {
    pub(crate) const fn new(inner: Arc<Store<K, V, C>>, hasher: S) -> Self {
        Self { inner, hasher }
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
    /// cache.insert("a".to_owned(), 1, TtlClass::DEFAULT)?;
    /// assert_eq!(cache.get("a", TtlClass::DEFAULT), Some(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn get<Q>(&self, key: &Q, class: TtlClass) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.lend(key, class, &mut |value, _| value.clone())
    }

    /// As [`get`](Self::get), but shows the value to `read` instead of cloning it, and
    /// returns what that returns.
    ///
    /// `read` runs under the lock of the key's shard: it must be short, and must not use
    /// the cache, or the thread waits for itself. It runs once at most.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<String, String>::builder().max_entries(100).build()?;
    /// cache.insert("a".to_owned(), "a long text".to_owned(), TtlClass::DEFAULT)?;
    /// let found = cache.read("a", TtlClass::DEFAULT, |text, meta| {
    ///     (text.len(), meta.age() < meta.ttl())
    /// });
    /// assert_eq!(found, Some((11, true)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn read<Q, R>(
        &self,
        key: &Q,
        class: TtlClass,
        read: impl FnOnce(&V, Meta<'_>) -> R,
    ) -> Option<R>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let mut read = Some(read);
        let mut lend = |value: &V, seen: Seen<'_>| {
            let read = read.take()?;
            Some(read(value, Meta::from(seen)))
        };
        self.lend(key, class, &mut lend).flatten()
    }

    #[inline(always)]
    fn lend<Q, R>(
        &self,
        key: &Q,
        class: TtlClass,
        lend: &mut impl FnMut(&V, Seen<'_>) -> R,
    ) -> Option<R>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hasher.hash_one(key);
        let reader = self.inner.reader(class, Accepts::Values);
        let mut shard = self.inner.guard_for(hash);
        match shard.read_fast(hash, key, u64::MAX, &reader, lend) {
            FastRead::Fresh(lent, _) => Some(lent),
            FastRead::Absent => None,
            FastRead::Undecided => self.lend_slowly(shard, hash, key, reader, lend),
        }
    }

    #[cold]
    fn lend_slowly<'a, Q, R>(
        &'a self,
        shard: ShardGuard<'a, Shard<K, V>>,
        hash: u64,
        key: &Q,
        reader: Reader<'a>,
        lend: &mut impl FnMut(&V, Seen<'_>) -> R,
    ) -> Option<R>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        // Declared before the guard, so that it is dropped after it.
        let mut removed_entries = Removed::new(&self.inner.listener);
        let (found, _shard) = self
            .inner
            .read(shard, hash, key, reader, lend, &mut removed_entries);
        found.map(|found| found.value)
    }

    /// The entry for `key`, or the right to fill it, or a way to wait for the fill that
    /// is in flight. Counted as a hit or a miss for `class`; a stale
    /// or a negative entry is a hit, a miss that waits stays a miss.
    ///
    /// [`get_or_try_fill`](Self::get_or_try_fill) and [`fetch`](Self::fetch) are built
    /// on this, and are what most callers want.
    ///
    /// Where the entry was stored under another class than `class`, both
    /// policies must agree to serve it.
    ///
    /// A hit costs what [`get`](Self::get) does and a look at the policy; a miss
    /// allocates a little.
    ///
    /// ```
    /// use cache_core::{Cache, Lookup, Reuse, TtlClass, Waited};
    ///
    /// let cache = Cache::<&str, u32>::builder().max_entries(100).build()?;
    /// let class = TtlClass::DEFAULT;
    /// let value = match cache.lookup("answer", class, Reuse::Any) {
    ///     Lookup::Hit(hit) | Lookup::Negative(hit) => hit.value,
    ///     // Served at once; the permit, if there is one, is for a refresh.
    ///     Lookup::Early(hit, _) | Lookup::Stale(hit, _) => hit.value,
    ///     Lookup::Miss(permit) => {
    ///         let value = 42; // costly
    ///         // It is the answer, whether or not it is stored.
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
    /// With a window for stale entries, every reader is served at once, and one
    /// of them refreshes the entry:
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

    /// As [`lookup`](Self::lookup), by anything [`Equivalent`] to a key, which is made
    /// owned only where a fill begins or is waited for. A hit on an entry that is neither
    /// stale nor due for a refresh allocates nothing.
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
            // By the policy of now, which may be another than that of the glance.
            ttl: Duration::from_nanos(self.inner.classes.life(class, hash).max(age)),
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

    /// What a miss comes to: a fill of its own (in any case if it wants to be
    /// `alone`), or waiting for the one in flight.
    fn join<'a>(
        &'a self,
        mut shard: Locked<'a, K, V>,
        key: K,
        request: Request,
        alone: bool,
    ) -> Lookup<K, V> {
        let inner = &self.inner;
        // Under the lock, so that those who wait stand in the order of epochs.
        let epoch = inner.log.epoch();
        match shard.in_flight.join(request.hash, &key, epoch, alone) {
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

    /// Joins the fill of a key that is in flight, or begins one. Looks at no entry, and
    /// counts nothing.
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
            _ => unreachable!("a fill is begun or joined"),
        }
    }

    fn permit(&self, key: K, request: Request, fill_id: u64, epoch: u64) -> Permit<K, V> {
        let since = self.inner.clock.now();
        Permit::new(self.erased(), key, request, fill_id, epoch, since)
    }

    /// The shared state without the type of its clock.
    fn erased(&self) -> Arc<Store<K, V>> {
        Arc::<Store<K, V, C>>::clone(&self.inner)
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
    ///     cache.insert(key, key, TtlClass::DEFAULT)?;
    /// }
    /// cache.set_capacity(10)?;
    /// assert_eq!((cache.capacity(), cache.len()), (10, 10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
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

    /// Stores a value under `key`: a plain one, or a [`Fill`] with the tags of the
    /// records that it depends on. Those who wait for a fill of the key get it, and that
    /// fill will be refused: the inserted value is taken to be newer. Returns the live
    /// value that it replaced.
    ///
    /// The value should have been made by the caller. One that was
    /// *read* somewhere may be outdated by the time it is stored: use
    /// [`get_or_try_fill`](Self::get_or_try_fill) or a [`Permit`], which notice.
    ///
    /// Over the bound, other entries are evicted: first from the shard of the
    /// key, then from others in turn.
    ///
    /// # Errors
    /// [`Rejected`] with the value if it was not stored.
    ///
    /// ```
    /// use cache_core::{Cache, Fill, TtlClass};
    ///
    /// let cache = Cache::<u32, &str>::builder().max_entries(100).build()?;
    /// let class = TtlClass::DEFAULT;
    /// assert_eq!(cache.insert(1, "old", class)?, None);
    /// assert_eq!(cache.insert(1, Fill::new("new").tag("claim:12"), class)?, Some("old"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn insert(
        &self,
        key: K,
        value: impl Into<Fill<V>>,
        class: TtlClass,
    ) -> Result<Option<V>, Rejected<V>> {
        let inner = &*self.inner;
        let hash = self.hasher.hash_one(&key);
        let Fill { value, mut terms } = value.into();
        terms.tags.sort();
        let weight = inner.weigh(&key, &value, class, &terms);
        let new = NewEntry {
            hash,
            key,
            value,
            class,
            terms: &terms,
            // Nobody knows what it took to make it.
            cost: FillCost::NONE,
        };
        let entering = Entering {
            new,
            weight,
            fill_id: None,
        };
        let judge = inner.judge_roughly();
        let mut after = Deferred::new(&inner.listener);
        let mut shard = inner.lock_for(hash);
        let outcome = inner.enter(&mut shard, entering, judge, &mut after);
        drop(shard);
        after.run(&inner.log);
        inner.trim(inner.shard_of(hash), judge);
        let replaced = after.take_replaced();
        match outcome {
            Ok(()) => Ok(replaced.map(|(_, old)| old)),
            Err((reason, (_, value))) => Err(Rejected { value, reason }),
        }
    }
}

/// A key to look up.
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

/// What look-ups make of a value that they are lent.
fn clone<V: Clone>(value: &V, _: Seen<'_>) -> V {
    value.clone()
}

impl<K, V, C, S> fmt::Debug for Cache<K, V, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("weight", &self.weight())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}
