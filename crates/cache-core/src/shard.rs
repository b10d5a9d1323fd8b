//! One lock's worth of a cache: table, queues, tag index, flights, counters.
//!
//! Nothing here drops a key or a value of the user: what leaves is moved into a
//! `departed` list that the caller drops after unlocking. The user's code that
//! does run under the lock is `Eq` of the key, and `Clone` of the key and the
//! value; each runs before anything has changed, so that a panic in it leaves
//! the shard whole.

mod arrival;
mod removal;
mod resize;
mod validate;

pub(crate) use arrival::NewEntry;
pub(crate) use removal::Walk;

use std::num::NonZeroU32;

use equivalent::Equivalent;

use crate::{
    class::{Classes, TtlClass},
    clock::Moment,
    column::Column,
    departure::Departed,
    eviction::{ARRIVAL, Marks, Policy},
    expiry::{ClassCounters, ClassState, Judge, QueueId, WRITTEN},
    flight::Flights,
    freshness::{self, Dice, Judged, Origin, Phase, Traits},
    list::{Link, Links, NONE},
    seeded_bugs,
    span::Span,
    table::{Hashed, Table},
    tags::TagIndex,
};

/// An entry. What a hit touches stands first: for keys and values of 16 bytes,
/// the 48 bytes up to the links.
#[repr(C)]
pub(crate) struct Slot<K, V> {
    key: K,
    value: V,
    written: Moment,
    /// Never zero, so that a vacant place takes no room to mark.
    hash: NonZeroU32,
    class: TtlClass,
    pub(crate) marks: Marks,
    /// Tells the entries that follow each other in one place apart.
    serial: u8,
    origin: Origin,
    /// Neighbours in the eviction queue and in the queue of the class.
    links: [Link; 2],
}

impl<K, V> Hashed for Slot<K, V> {
    fn hash(&self) -> u32 {
        self.hash.get()
    }
}

impl<K, V> Links<ARRIVAL> for Table<Slot<K, V>> {
    fn link(&self, at: u32) -> Link {
        self[at].links[ARRIVAL]
    }

    fn link_mut(&mut self, at: u32) -> &mut Link {
        &mut self[at].links[ARRIVAL]
    }
}

impl<K, V> Links<WRITTEN> for Table<Slot<K, V>> {
    fn link(&self, at: u32) -> Link {
        self[at].links[WRITTEN]
    }

    fn link_mut(&mut self, at: u32) -> &mut Link {
        &mut self[at].links[WRITTEN]
    }
}

/// How a reader judges what it finds.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) judge: Judge<'a>,
    /// The present is no later than this, and no earlier than the judge's.
    pub(crate) latest: Moment,
    pub(crate) class: TtlClass,
    /// Every value of that class is fresh below this age.
    pub(crate) calm: u64,
    pub(crate) accepts: Accepts,
}

impl<'a> Reader<'a> {
    fn at_a_glance(&self, age: u64, hash: NonZeroU32) -> Seen<'a> {
        Seen::AtAGlance {
            age,
            hash: hash.get(),
            class: self.class,
            classes: self.judge.classes,
        }
    }
}

/// What a reader knows of an entry that it is lent; times in nanoseconds.
#[derive(Clone, Copy)]
pub(crate) enum Seen<'a> {
    /// A plain entry of this class. How long it is fresh was not looked up.
    AtAGlance {
        age: u64,
        hash: u32,
        class: TtlClass,
        classes: &'a Classes,
    },
    Closely {
        age: u64,
        ttl: u64,
    },
}

/// What a reader takes, besides what is fresh.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepts {
    /// Nothing: neither negative entries nor the duty to refresh.
    Values,
    /// Negative entries, and no entry older than this, in nanoseconds.
    Young(u64),
    /// Negative and stale entries.
    All,
}

/// An entry that a reader may have, as it found it; times in nanoseconds.
pub(crate) struct Found<V> {
    pub(crate) value: V,
    pub(crate) age: u64,
    pub(crate) ttl: u64,
    pub(crate) kind: Kind,
}

/// What a reader found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Fresh,
    /// Fresh, but due for a refresh.
    Early,
    Stale,
    Negative,
}

/// What a reader makes of a shard at a glance.
pub(crate) enum Glance<V> {
    /// A fresh value, and its age in nanoseconds.
    Fresh(V, u64),
    Absent,
    /// It takes a closer look to tell.
    Unclear,
}

/// What a reader makes of a shard.
pub(crate) enum Look<V> {
    Serve(Found<V>),
    Miss,
    /// It takes the exact time to tell. Nothing was counted.
    Unsure,
}

/// Counters that belong to no class.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FillCounters {
    pub(crate) coalesced: u64,
    pub(crate) refused: u64,
    pub(crate) rejected: u64,
    pub(crate) failed: u64,
}

/// How many of the first classes count their hits in the cache line of the
/// lock: the standard ones.
const NEAR: usize = 4;

/// In the order of declaration, so that what a hit touches fills one cache line
/// together with the lock.
#[repr(C)]
pub(crate) struct Shard<K, V> {
    /// Hits of the first classes, counted on in `classes` once full.
    near_hits: [u32; NEAR],
    table: Table<Slot<K, V>>,
    /// By class index; grows to the highest class seen.
    classes: Vec<ClassState>,
    weight: u64,
    /// How many entries were ever stored.
    stored: u64,
    /// Which class the next look for expired entries begins with.
    next_class: u32,
    /// Changes whenever entries move to other places.
    layout: u32,
    policy: Policy,
    weights: Column,
    first_tags: Column,
    /// TTLs of their own, as [`Span`]s.
    ttls: Column,
    /// How old entries were when they were last read, as [`Span`]s. Kept where the
    /// class has a time to idle.
    read_at: Column,
    tags: TagIndex,
    pub(crate) flights: Flights<K, V>,
    pub(crate) fills: FillCounters,
    /// Decides who refreshes early.
    dice: Dice,
}

/// What an entry is to a reader, and how long it is fresh; `None` if it is not
/// for this reader. `own` is how the entry's class judges it, `other` how the
/// reader's class does, where that is another.
fn kind_for(
    accepts: Accepts,
    own: Judged,
    other: Option<Judged>,
    negative: bool,
    age: u64,
) -> Option<(Kind, u64)> {
    let found = other.map_or(own, |other| own.and(other));
    let kind = match (found.phase, accepts) {
        (_, Accepts::Young(most)) if age > most => None,
        (Phase::Fresh | Phase::Early, Accepts::Values) if negative => None,
        (Phase::Fresh | Phase::Early, _) if negative => Some(Kind::Negative),
        (Phase::Early, Accepts::Young(_) | Accepts::All) => Some(Kind::Early),
        (Phase::Fresh | Phase::Early, _) => Some(Kind::Fresh),
        (Phase::Stale, Accepts::All) => Some(Kind::Stale),
        (Phase::Stale | Phase::OnError | Phase::Gone, _) => None,
    };
    Some((kind?, found.ttl))
}

impl<K, V> Shard<K, V> {
    /// An empty shard for about so many entries (zero if nobody knows), whose
    /// random numbers follow from `seed`.
    pub(crate) fn new(expected: usize, seed: u64) -> Self {
        Self {
            near_hits: [0; NEAR],
            table: Table::new(expected),
            classes: Vec::new(),
            weight: 0,
            stored: 0,
            next_class: 0,
            layout: 0,
            policy: Policy::new(),
            weights: Column::new(1),
            first_tags: Column::new(NONE),
            ttls: Column::new(Span::NONE),
            read_at: Column::new(0),
            tags: TagIndex::new(),
            flights: Flights::new(),
            fills: FillCounters::default(),
            dice: Dice::new(seed),
        }
    }

    /// The sum of the weights of all entries, expired ones included.
    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }

    /// How many classes the shard knows of.
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

    /// What the entry is, apart from its age.
    fn traits(&self, at: u32) -> Traits {
        let slot = &self.table[at];
        Traits {
            negative: slot.origin.is_negative(),
            hash: slot.hash.get(),
            cost: slot.origin.cost(),
            ttl: Span::from_bits(self.ttls.get(at)),
            // Zero where nothing is kept.
            read_at: Span::from_bits(self.read_at.get(at)).unwrap_or(Span::of(0)),
        }
    }

    /// Which queue of its class the entry stands in.
    fn queue_of(&self, at: u32) -> QueueId {
        let negative = self.table[at].origin.is_negative();
        QueueId::new(negative, Span::from_bits(self.ttls.get(at)))
    }

    /// Remembers that the entry was read at this age, and moves it to the end of its
    /// queue.
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

    /// Counts a look-up that found nothing.
    #[cold]
    pub(crate) fn miss(&mut self, class: TtlClass) {
        self.class_mut(class).counters.misses += 1 + u64::from(seeded_bugs::double_count());
    }

    /// Counts a fresh entry whose reader was told to make it anew.
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
        let hash = freshness::part(hash);
        let same = |slot: &Slot<K, V>| slot.hash == hash && key.equivalent(&slot.key);
        self.table.find(hash.get(), same)
    }

    /// What `lend` makes of the value for `key`, and its age, counted as a hit, if it
    /// is fresh at a glance: what most look-ups come to. An absent one is counted as a
    /// miss; else nothing was counted or decided.
    #[inline(always)]
    pub(crate) fn glance<Q, R>(
        &mut self,
        hash: u64,
        key: &Q,
        max_age: u64,
        reader: &Reader<'_>,
        lend: &mut impl FnMut(&V, Seen<'_>) -> R,
    ) -> Glance<R>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let hash = freshness::part(hash);
        let same = |slot: &Slot<K, V>| slot.hash == hash && key.equivalent(&slot.key);
        let Some(slot) = self.table.find_mut(hash.get(), same) else {
            self.miss(reader.class);
            return Glance::Absent;
        };
        // Of an entry from the future, the difference is huge.
        let written = slot.written.as_nanos();
        let oldest = reader.latest.as_nanos().wrapping_sub(written);
        if slot.class != reader.class
            || !slot.origin.is_plain()
            || oldest >= reader.calm
            || oldest > max_age
        {
            return Glance::Unclear;
        }
        let age = reader.judge.age(slot.written);
        // User code, before anything has changed.
        let lent = lend(&slot.value, reader.at_a_glance(age, hash));
        slot.marks.touch();
        match self.near_hits.get_mut(reader.class.index()) {
            Some(hits) if *hits < u32::MAX => *hits += 1,
            _ => self.hit(reader.class, Kind::Fresh),
        }
        Glance::Fresh(lent, age)
    }

    /// The entry for `key`, if the reader may have it, counted as a hit or a
    /// miss. An entry expired under its own class is removed; one that is
    /// merely not for this reader stays for others.
    pub(crate) fn read<Q, R>(
        &mut self,
        hash: u64,
        key: &Q,
        reader: &Reader<'_>,
        lend: &mut impl FnMut(&V, Seen<'_>) -> R,
        departed: &mut Departed<'_, K, V>,
    ) -> Look<R>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let Some(at) = self.find(hash, key) else {
            self.miss(reader.class);
            return Look::Miss;
        };
        if reader.judge.now != reader.latest {
            return Look::Unsure;
        }
        let traits = self.traits(at);
        let Self { table, dice, .. } = self;
        let slot = &mut table[at];
        let age = reader.judge.age(slot.written);
        let policy = reader.judge.policy(slot.class);
        let own = policy.judge(age, traits, || dice.roll());
        let other = (slot.class != reader.class).then(|| {
            let policy = reader.judge.policy(reader.class);
            policy.judge(age, traits, || dice.roll())
        });
        let served = kind_for(reader.accepts, own, other, traits.negative, age);
        if let Some((kind, ttl)) = served {
            let value = lend(&slot.value, Seen::Closely { age, ttl });
            slot.marks.touch();
            if policy.idles() {
                self.note_read(at, age);
            }
            self.hit(reader.class, kind);
            return Look::Serve(Found {
                value,
                age,
                ttl,
                kind,
            });
        }
        self.miss(reader.class);
        if own.phase == Phase::Gone {
            self.expire(at, departed);
            self.shrink_if_sparse();
        }
        Look::Miss
    }

    /// The value for `key` that may stand in for a fill that failed, judged by
    /// its own class alone. Counts nothing.
    pub(crate) fn stand_in(&self, hash: u64, key: &K, judge: Judge<'_>) -> Option<Found<V>>
    where
        V: Clone,
    {
        let found = self.peek(hash, key, judge)?;
        (found.kind != Kind::Negative).then_some(found)
    }

    /// Whether there is a live entry for `key`. Counts nothing.
    pub(crate) fn has<Q>(&self, hash: u64, key: &Q, judge: Judge<'_>) -> bool
    where
        Q: Equivalent<K> + ?Sized,
    {
        let found = self.find(hash, key);
        found.is_some_and(|at| !self.is_expired(at, judge))
    }

    /// The live entry for `key`, judged by its own class alone. Counts nothing.
    pub(crate) fn peek<Q>(&self, hash: u64, key: &Q, judge: Judge<'_>) -> Option<Found<V>>
    where
        Q: Equivalent<K> + ?Sized,
        V: Clone,
    {
        let at = self.find(hash, key)?;
        let slot = &self.table[at];
        let age = judge.age(slot.written);
        let Judged { phase, ttl } = judge
            .policy(slot.class)
            .judge(age, self.traits(at), || u64::MAX);
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
