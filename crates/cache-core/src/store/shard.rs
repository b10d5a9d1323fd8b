//! A shard, the part of a cache under one lock: table, queues, tag index, fills in flight,
//! counters.
//!
//! No key or value of the user is dropped here: removed entries move into a
//! `removed_entries` list that the caller drops after unlocking. The user code that runs
//! under the lock (`Eq` of keys, `Clone` of keys and values, the closure of `read`) runs
//! before anything is changed, so that a panic in it leaves the shard consistent.

pub(crate) mod insertion;
pub(crate) mod removal;
mod resize;
mod validate;
pub(crate) mod walk;

use equivalent::Equivalent;

use crate::{
    class::TtlClass,
    hit::{Found, Kind, Seen},
    listener::Removed,
    policy::{self, Evaluation, Phase, Traits, XorShift},
    seeded_bugs,
    single_flight::in_flight::InFlightFills,
    span::Span,
    store::class_queues::{ClassCounters, ClassState, QueueId},
    store::eviction::EvictionPolicy,
    store::expiry::Expiry,
    store::list::NONE,
    store::reader::{FastRead, Reader, SlowRead, kind_for},
    store::slot::Slot,
    store::sparse_column::SparseColumn,
    store::table::Table,
    store::tags::TagIndex,
};

/// Counters that belong to no class.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FillCounters {
    pub(crate) coalesced: u64,
    pub(crate) refused: u64,
    pub(crate) rejected: u64,
    pub(crate) failed: u64,
}

/// The number of classes, from the first, whose hits are counted in the cache line of the
/// lock.
const NEAR: usize = 4;

/// One shard. The fields stay in the order of declaration, so that those that a hit
/// touches fill one cache line together with the lock.
#[repr(C)]
pub(crate) struct Shard<K, V> {
    /// Hits of the first classes. When one of these is full, counting continues in
    /// `classes`.
    near_hits: [u32; NEAR],
    table: Table<Slot<K, V>>,
    /// By class index, up to the highest class used.
    classes: Vec<ClassState>,
    weight: u64,
    /// The number of entries ever stored.
    stored: u64,
    /// The class that the last insertion checked for expired entries, in addition to its own.
    next_class: u32,
    /// Changes whenever entries move to other positions.
    layout: u32,
    policy: EvictionPolicy,
    weights: SparseColumn,
    first_tags: SparseColumn,
    /// The entries' own TTLs, as [`Span`]s.
    ttls: SparseColumn,
    /// The ages of entries when they were last read, as [`Span`]s. Kept if the class has a
    /// time to idle.
    read_at: SparseColumn,
    tags: TagIndex,
    pub(crate) in_flight: InFlightFills<K, V>,
    pub(crate) fills: FillCounters,
    /// For early refresh.
    random: XorShift,
}

impl<K, V> Shard<K, V> {
    /// An empty shard for about `expected` entries (zero if unknown), whose random numbers
    /// follow from `seed`.
    pub(crate) fn new(expected: usize, seed: u64) -> Self {
        Self {
            near_hits: [0; NEAR],
            table: Table::new(expected),
            classes: Vec::new(),
            weight: 0,
            stored: 0,
            next_class: 0,
            layout: 0,
            policy: EvictionPolicy::new(),
            weights: SparseColumn::new(1),
            first_tags: SparseColumn::new(NONE),
            ttls: SparseColumn::new(Span::NONE),
            read_at: SparseColumn::new(0),
            tags: TagIndex::new(),
            in_flight: InFlightFills::new(),
            fills: FillCounters::default(),
            random: XorShift::new(seed),
        }
    }

    /// The sum of the weights of all entries, expired ones included.
    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }

    /// The number of entries, expired ones included.
    pub(crate) fn entries(&self) -> usize {
        self.table.len()
    }

    /// The number of classes that have counters.
    pub(crate) fn classes(&self) -> usize {
        self.classes.len().max(NEAR)
    }

    pub(crate) fn counters(&self, class: usize) -> ClassCounters {
        let state = self.classes.get(class);
        let mut counters = state.map_or_else(ClassCounters::default, |state| state.counters);
        counters.hits += u64::from(self.near_hits.get(class).copied().unwrap_or(0));
        counters
    }

    fn class_mut(&mut self, class: TtlClass) -> &mut ClassState {
        let index = class.index();
        if index >= self.classes.len() {
            self.classes.resize_with(index + 1, ClassState::new);
        }
        &mut self.classes[index]
    }

    /// The properties of the entry that its phase depends on, except its age.
    fn traits(&self, at: u32) -> Traits {
        let slot = &self.table[at];
        Traits {
            negative: slot.origin.is_negative(),
            hash: slot.hash.get(),
            cost: slot.origin.cost(),
            ttl: Span::from_bits(self.ttls.get(at)),
            // Zero if reads are not recorded.
            read_at: Span::from_bits(self.read_at.get(at)).unwrap_or(Span::of(0)),
        }
    }

    /// The queue of the entry in its class.
    fn queue_of(&self, at: u32) -> QueueId {
        let negative = self.table[at].origin.is_negative();
        QueueId::new(negative, Span::from_bits(self.ttls.get(at)))
    }

    /// Records that the entry was read at this age, and moves it to the end of its queue.
    fn note_read(&mut self, at: u32, age: u64) {
        let positions = self.table.positions();
        self.read_at.set(at, Span::of(age).bits(), positions);
        let (class, queue) = (self.table[at].class, self.queue_of(at));
        let state = &mut self.classes[class.index()];
        state.is_reordered = true;
        let queue = state.queue_mut(queue);
        queue.remove(&mut self.table, at);
        queue.push_back(&mut self.table, at);
    }

    /// Counts a miss.
    #[cold]
    pub(crate) fn miss(&mut self, class: TtlClass) {
        self.class_mut(class).counters.misses += 1 + u64::from(seeded_bugs::double_count());
    }

    /// Counts a hit whose reader got a permit to refresh the entry early.
    pub(crate) fn early_refresh(&mut self, class: TtlClass) {
        self.class_mut(class).counters.early_refreshes += 1;
    }

    fn hit(&mut self, class: TtlClass, kind: Kind) {
        let counters = &mut self.class_mut(class).counters;
        counters.hits += 1;
        counters.stale += u64::from(kind == Kind::Stale);
        counters.negative += u64::from(kind == Kind::Negative);
    }
}

impl<K: Eq, V> Shard<K, V> {
    #[inline]
    fn find<Q>(&self, hash: u64, key: &Q) -> Option<u32>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let hash = policy::stored_hash(hash);
        let same = |slot: &Slot<K, V>| slot.hash == hash && key.equivalent(&slot.key);
        self.table.find(hash.get(), same)
    }

    /// The fast path of a read, for most look-ups. If the entry is surely fresh, counts a
    /// hit and returns the result of `lend` and the age; if there is no entry, counts a
    /// miss. Otherwise nothing is counted.
    #[inline(always)]
    pub(crate) fn read_fast<Q, R>(
        &mut self,
        hash: u64,
        key: &Q,
        max_age: u64,
        reader: &Reader<'_>,
        lend: &mut impl FnMut(&V, Seen<'_>) -> R,
    ) -> FastRead<R>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let hash = policy::stored_hash(hash);
        let same = |slot: &Slot<K, V>| slot.hash == hash && key.equivalent(&slot.key);
        let Some(slot) = self.table.find_mut(hash.get(), same) else {
            self.miss(reader.class);
            return FastRead::Absent;
        };
        // For an entry dated in the future, the difference wraps to a huge age.
        let written = slot.written.as_nanos();
        let oldest = reader.latest.as_nanos().wrapping_sub(written);
        if slot.class != reader.class
            || !slot.origin.is_plain()
            || oldest >= reader.fresh_below
            || oldest > max_age
        {
            return FastRead::Undecided;
        }
        let age = reader.expiry.age(slot.written);
        // User code, before anything is changed.
        let lent = lend(&slot.value, reader.seen_fast(age, hash));
        slot.marks.touch();
        match self.near_hits.get_mut(reader.class.index()) {
            Some(hits) if *hits < u32::MAX => *hits += 1,
            _ => self.hit(reader.class, Kind::Fresh),
        }
        FastRead::Fresh(lent, age)
    }

    /// The slow path of a read: returns the entry for `key` if it may be served to the
    /// reader, and counts a hit or a miss. An entry that is expired under its own class is
    /// removed; one that only this reader does not accept stays.
    pub(crate) fn read<Q, R>(
        &mut self,
        hash: u64,
        key: &Q,
        reader: &Reader<'_>,
        lend: &mut impl FnMut(&V, Seen<'_>) -> R,
        removed_entries: &mut Removed<'_, K, V>,
    ) -> SlowRead<R>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let Some(at) = self.find(hash, key) else {
            self.miss(reader.class);
            return SlowRead::Miss;
        };
        if reader.expiry.now != reader.latest {
            return SlowRead::NeedsExactTime;
        }
        let traits = self.traits(at);
        let Self { table, random, .. } = self;
        let slot = &mut table[at];
        let age = reader.expiry.age(slot.written);
        let policy = reader.expiry.policy(slot.class);
        let own = policy.evaluate(age, traits, || random.next());
        let other = (slot.class != reader.class).then(|| {
            let policy = reader.expiry.policy(reader.class);
            policy.evaluate(age, traits, || random.next())
        });
        let served = kind_for(reader.accepts, own, other, traits.negative, age);
        if let Some((kind, ttl)) = served {
            let value = lend(&slot.value, Seen::Exact { age, ttl });
            slot.marks.touch();
            if policy.has_time_to_idle() {
                self.note_read(at, age);
            }
            self.hit(reader.class, kind);
            return SlowRead::Serve(Found {
                value,
                age,
                ttl,
                kind,
            });
        }
        self.miss(reader.class);
        if own.phase == Phase::Gone {
            self.expire(at, removed_entries);
            self.shrink_if_sparse();
        }
        SlowRead::Miss
    }

    /// The entry for `key` that may be served for a failed fill, by the policy of its own
    /// class. Counts nothing.
    pub(crate) fn stand_in(&self, hash: u64, key: &K, expiry: Expiry<'_>) -> Option<Found<V>>
    where
        V: Clone,
    {
        let found = self.peek(hash, key, expiry)?;
        (found.kind != Kind::Negative).then_some(found)
    }

    /// Whether there is a live entry for `key`. Counts nothing.
    pub(crate) fn has<Q>(&self, hash: u64, key: &Q, expiry: Expiry<'_>) -> bool
    where
        Q: Equivalent<K> + ?Sized,
    {
        let found = self.find(hash, key);
        found.is_some_and(|at| !self.is_expired(at, expiry))
    }

    /// The live entry for `key`, by the policy of its own class. Counts nothing.
    pub(crate) fn peek<Q>(&self, hash: u64, key: &Q, expiry: Expiry<'_>) -> Option<Found<V>>
    where
        Q: Equivalent<K> + ?Sized,
        V: Clone,
    {
        let at = self.find(hash, key)?;
        let slot = &self.table[at];
        let age = expiry.age(slot.written);
        let Evaluation { phase, ttl } =
            expiry
                .policy(slot.class)
                .evaluate(age, self.traits(at), || u64::MAX);
        let kind = match phase {
            Phase::Gone => return None,
            _ if slot.origin.is_negative() => Kind::Negative,
            _ if age > ttl => Kind::Stale,
            _ => Kind::Fresh,
        };
        Some(Found {
            value: slot.value.clone(),
            age,
            ttl,
            kind,
        })
    }
}
