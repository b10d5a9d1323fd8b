//! One lock's worth of a cache: table, queues, tag index, flights, counters.
//!
//! Nothing here drops a key or a value of the user: what leaves is moved into a
//! `garbage` list that the caller drops after unlocking. The user's code that
//! does run under the lock is `Eq` of the key, and `Clone` of the key and the
//! value; each runs before anything has changed, so that a panic in it leaves
//! the shard whole.

mod compact;
mod removal;
mod validate;

pub(crate) use removal::Walk;

use std::hash::Hash;

use equivalent::Equivalent;
use hashbrown::HashTable;

use crate::{
    class::TtlClass,
    clock::Moment,
    eviction::{ARRIVAL, Sieve},
    expiry::{ClassState, Judge, WRITTEN},
    flight::Flights,
    list::{Link, Links, NONE, index},
    tags::{TagIndex, TagSet},
};

/// What a hit reads: key, value and age stand together, apart from the links.
struct Slot<K, V> {
    /// `None` while the slot is vacant.
    entry: Option<(K, V)>,
    written: Moment,
    hash: u32,
    class: TtlClass,
    /// The mark that SIEVE clears.
    visited: bool,
}

/// What only writing and removing touch, at the same index as the slot.
struct Node {
    /// Neighbours in the eviction queue and in the queue of the class. The
    /// first chains the vacant slots, too.
    links: [Link; 2],
    first_tag: u32,
    weight: u32,
    /// Distinguishes the entries that use the slot one after another.
    generation: u32,
}

struct Nodes(Vec<Node>);

impl Links<ARRIVAL> for Nodes {
    fn link(&self, at: u32) -> Link {
        self.0[at as usize].links[ARRIVAL]
    }

    fn link_mut(&mut self, at: u32) -> &mut Link {
        &mut self.0[at as usize].links[ARRIVAL]
    }
}

impl Links<WRITTEN> for Nodes {
    fn link(&self, at: u32) -> Link {
        self.0[at as usize].links[WRITTEN]
    }

    fn link_mut(&mut self, at: u32) -> &mut Link {
        &mut self.0[at as usize].links[WRITTEN]
    }
}

/// Keys and values that left, to be dropped once the lock is released.
pub(crate) type Garbage<K, V> = Vec<(K, V)>;

/// How a reader judges what it finds.
pub(crate) struct Reader<'a> {
    pub(crate) judge: Judge<'a>,
    pub(crate) class: TtlClass,
    /// The greatest age that the reader accepts, in nanoseconds.
    pub(crate) max_age: u64,
}

/// A live entry, as a reader found it; times in nanoseconds.
pub(crate) struct Found<V> {
    pub(crate) value: V,
    pub(crate) age: u64,
    pub(crate) ttl: u64,
}

/// An entry about to be stored.
pub(crate) struct NewEntry<'a, K, V> {
    pub(crate) hash: u64,
    pub(crate) key: K,
    pub(crate) value: V,
    pub(crate) class: TtlClass,
    pub(crate) weight: u32,
    pub(crate) tags: &'a TagSet<'a>,
}

/// What became of the entry.
pub(crate) struct Stored<K, V> {
    /// Where it is; itself if the shard has no index left for one more.
    pub(crate) place: Result<u32, (K, V)>,
    /// The live entry that it replaced.
    pub(crate) replaced: Option<(K, V)>,
}

/// Counters that belong to no class.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FillCounters {
    pub(crate) coalesced: u64,
    pub(crate) refused: u64,
    pub(crate) rejected: u64,
}

/// In the order of declaration, so that what a hit touches stands together, in
/// the cache lines of the lock.
#[repr(C)]
pub(crate) struct Shard<K, V> {
    /// Slots by hash.
    index: HashTable<u32>,
    slots: Vec<Slot<K, V>>,
    /// By class index; grows to the highest class seen.
    classes: Vec<ClassState>,
    weight: u64,
    nodes: Nodes,
    /// The first vacant slot.
    vacant: u32,
    sieve: Sieve,
    /// Which class the next look for expired entries begins with.
    next_class: usize,
    tags: TagIndex,
    /// Changes whenever entries move to other slots.
    layout: u64,
    pub(crate) flights: Flights<K, V>,
    pub(crate) fills: FillCounters,
}

/// The hash as the index knows it. Slots keep 32 bits; they are used twice, as
/// the table takes its position from the low end and its tag from the high end.
fn index_hash(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

/// The part of a hash that slots keep.
fn slot_hash(hash: u64) -> u32 {
    hash as u32
}

impl<K, V> Shard<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            index: HashTable::new(),
            slots: Vec::new(),
            nodes: Nodes(Vec::new()),
            vacant: NONE,
            sieve: Sieve::new(),
            classes: Vec::new(),
            next_class: 0,
            tags: TagIndex::new(),
            weight: 0,
            layout: 0,
            flights: Flights::new(),
            fills: FillCounters {
                coalesced: 0,
                refused: 0,
                rejected: 0,
            },
        }
    }

    /// The sum of the weights of all entries, expired ones included.
    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }

    pub(crate) fn classes(&self) -> &[ClassState] {
        &self.classes
    }
}

impl<K: Hash + Eq + Clone, V> Shard<K, V> {
    fn class_mut(&mut self, class: TtlClass) -> &mut ClassState {
        let index = class.index();
        if index >= self.classes.len() {
            self.classes.resize_with(index + 1, ClassState::new);
        }
        &mut self.classes[index]
    }

    fn find<Q>(&self, hash: u64, key: &Q) -> Option<u32>
    where
        Q: Equivalent<K> + ?Sized,
    {
        let hash = slot_hash(hash);
        let same = |&at: &u32| {
            let slot = &self.slots[at as usize];
            slot.hash == hash && matches!(&slot.entry, Some((own, _)) if key.equivalent(own))
        };
        self.index.find(index_hash(hash), same).copied()
    }

    /// The live entry for `key`, if the reader accepts it, counted as a hit or
    /// a miss. An entry expired under its own class is removed; one that is
    /// merely too old for this reader stays for others.
    pub(crate) fn read<Q>(
        &mut self,
        hash: u64,
        key: &Q,
        reader: &Reader<'_>,
        garbage: &mut Garbage<K, V>,
    ) -> Option<Found<V>>
    where
        Q: Equivalent<K> + ?Sized,
        V: Clone,
    {
        let found = self.find(hash, key).and_then(|at| self.look(at, reader));
        match found {
            Some(Ok(found)) => {
                self.class_mut(reader.class).counters.hits += 1;
                Some(found)
            }
            None => {
                self.miss(reader.class);
                None
            }
            Some(Err(expired)) => {
                self.miss(reader.class);
                self.expire(expired, garbage);
                self.shrink_if_sparse();
                None
            }
        }
    }

    /// Counts a look-up that found nothing.
    pub(crate) fn miss(&mut self, class: TtlClass) {
        self.class_mut(class).counters.misses += 1;
    }

    /// What a reader makes of the entry at `at`: `Err` if it is expired.
    fn look(&mut self, at: u32, reader: &Reader<'_>) -> Option<Result<Found<V>, u32>>
    where
        V: Clone,
    {
        let slot = &mut self.slots[at as usize];
        let age = reader.judge.age(slot.written);
        let mut ttl = reader.judge.classes.ttl_nanos(slot.class);
        if age > ttl {
            return Some(Err(at));
        }
        if slot.class != reader.class {
            ttl = ttl.min(reader.judge.classes.ttl_nanos(reader.class));
        }
        if age > ttl || age > reader.max_age {
            return None;
        }
        let (_, value) = slot.entry.as_ref()?;
        let value = value.clone();
        slot.visited = true;
        Some(Ok(Found { value, age, ttl }))
    }

    /// Stores an entry in place of the one with an equal key.
    pub(crate) fn store(
        &mut self,
        new: NewEntry<'_, K, V>,
        judge: Judge<'_>,
        garbage: &mut Garbage<K, V>,
    ) -> Stored<K, V> {
        let old = self.find(new.hash, &new.key);
        let visited = old.is_some();
        let replaced = old.and_then(|old| self.replace(old, judge, garbage));
        self.expire_some(new.class, judge, garbage);
        if !self.has_room(new.tags.len()) {
            let place = Err((new.key, new.value));
            return Stored { place, replaced };
        }

        let class = new.class;
        // Clocks are read before the lock is taken, so that two writers may
        // arrive in another order than that of their moments. The queue keeps
        // its order: the later arrival counts as written no earlier.
        let tail = self.class_mut(class).queue.tail;
        let written = match tail {
            NONE => judge.now,
            tail => judge.now.max(self.slots[tail as usize].written),
        };
        let hash = slot_hash(new.hash);
        let at = self.occupy(
            new.weight,
            Slot {
                entry: Some((new.key, new.value)),
                written,
                hash,
                class,
                visited,
            },
        );
        let slots = &self.slots;
        self.index.insert_unique(index_hash(hash), at, |&at| {
            index_hash(slots[at as usize].hash)
        });
        self.sieve.insert(&mut self.nodes, at);
        self.classes[class.index()]
            .queue
            .push_back(&mut self.nodes, at);
        self.weight += u64::from(new.weight);
        for (hash, tag) in new.tags.iter() {
            let first = &mut self.nodes.0[at as usize].first_tag;
            *first = self.tags.add(at, *first, hash, tag);
        }
        Stored {
            place: Ok(at),
            replaced,
        }
    }

    /// Removes the entry with this very key; returns it if it was live.
    pub(crate) fn take(
        &mut self,
        hash: u64,
        key: &K,
        judge: Judge<'_>,
        garbage: &mut Garbage<K, V>,
    ) -> Option<(K, V)> {
        let at = self.find(hash, key)?;
        self.replace(at, judge, garbage)
    }

    /// Removes what a new value replaces; returns it if it was live.
    fn replace(
        &mut self,
        at: u32,
        judge: Judge<'_>,
        garbage: &mut Garbage<K, V>,
    ) -> Option<(K, V)> {
        if self.is_expired(at, judge) {
            self.expire(at, garbage);
            return None;
        }
        self.remove(at)
    }

    /// Whether an entry with so many tags finds indexes to be named by.
    fn has_room(&self, tags: usize) -> bool {
        (self.vacant != NONE || self.slots.len() < NONE as usize) && self.tags.has_room(tags)
    }

    /// Puts a slot into a vacant place, or a new one.
    fn occupy(&mut self, weight: u32, slot: Slot<K, V>) -> u32 {
        if self.vacant != NONE {
            let at = self.vacant;
            let node = &mut self.nodes.0[at as usize];
            self.vacant = node.links[ARRIVAL].next;
            node.generation = node.generation.wrapping_add(1);
            node.weight = weight;
            self.slots[at as usize] = slot;
            return at;
        }
        let at = index(self.slots.len());
        self.slots.push(slot);
        self.nodes.0.push(Node {
            links: [Link::UNLINKED; 2],
            first_tag: NONE,
            weight,
            generation: 0,
        });
        at
    }
}
