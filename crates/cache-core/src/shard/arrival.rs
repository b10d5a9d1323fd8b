//! The way into a shard.

use super::{Garbage, Shard, Slot};
use crate::{
    class::TtlClass,
    eviction::Marks,
    expiry::Judge,
    freshness::{self, FillCost, Origin},
    list::{Link, NONE},
    tags::TagSet,
};

/// An entry about to be stored.
pub(crate) struct NewEntry<'a, K, V> {
    pub(crate) hash: u64,
    pub(crate) key: K,
    pub(crate) value: V,
    pub(crate) class: TtlClass,
    pub(crate) weight: u32,
    pub(crate) tags: &'a TagSet,
    pub(crate) negative: bool,
    pub(crate) cost: FillCost,
}

/// What became of the entry.
pub(crate) struct Stored<K, V> {
    /// Where it is; itself if the shard has no index left for one more.
    pub(crate) place: Result<u32, (K, V)>,
    /// The live entry that it replaced.
    pub(crate) replaced: Option<(K, V)>,
}

impl<K: Eq, V> Shard<K, V> {
    /// Stores an entry in place of the one with an equal key. Where the shard
    /// weighs more than `limit` with it, another is evicted first, and leaves it
    /// its place: most of what an eviction undoes, an insertion does again.
    #[inline(always)]
    pub(crate) fn store(
        &mut self,
        new: NewEntry<'_, K, V>,
        limit: u64,
        judge: Judge<'_>,
        garbage: &mut Garbage<K, V>,
    ) -> Stored<K, V> {
        let old = self.find(new.hash, &new.key);
        let (marks, replaced) = match old {
            Some(old) => (
                Some(self.table[old].marks),
                self.replace(old, judge, garbage),
            ),
            None => (None, None),
        };
        self.expire_some(new.class, judge, garbage);
        if self.table.is_full() || !self.tags.has_room(new.tags.len()) {
            let place = Err((new.key, new.value));
            return Stored { place, replaced };
        }

        let hash = freshness::part(new.hash);
        let marks = self.policy.welcome(&mut self.table, hash.get(), marks);
        let weight = u64::from(new.weight);
        let vacated = if self.weight + weight > limit {
            self.vacate(marks, judge)
        } else {
            None
        };

        let (class, queue) = (new.class, usize::from(new.negative));
        // Clocks are read before the lock is taken, so that two writers may
        // arrive in another order than that of their moments. The queue keeps
        // its order: the later arrival counts as written no earlier.
        let tail = self.class_mut(class).queues[queue].tail;
        let written = match tail {
            NONE => judge.now,
            tail => judge.now.max(self.table[tail].written),
        };
        self.stored += 1;
        let slot = Slot {
            key: new.key,
            value: new.value,
            written,
            hash,
            class,
            marks,
            // The low end suffices, as walks look at the whole number.
            serial: self.stored as u8,
            origin: Origin::new(new.negative, new.cost),
            links: [Link::UNLINKED; 2],
        };
        let at = match vacated {
            Some(at) => {
                let gone = self.table.exchange(at, slot);
                garbage.push((gone.key, gone.value));
                at
            }
            None => self.table.insert(slot),
        };
        self.policy.insert(&mut self.table, at, marks);
        self.classes[class.index()].queues[queue].push_back(&mut self.table, at);
        self.weight += weight;
        let positions = self.table.positions();
        self.weights.set(at, new.weight, positions);
        let mut first_tag = NONE;
        for tag in new.tags.iter() {
            first_tag = self.tags.add(at, first_tag, tag);
        }
        self.first_tags.set(at, first_tag, positions);
        Stored {
            place: Ok(at),
            replaced,
        }
    }

    /// Takes an entry out of everything but its place, for a newcomer with these
    /// marks.
    #[inline(always)]
    fn vacate(&mut self, newcomer: Marks, judge: Judge<'_>) -> Option<u32> {
        let arriving = u32::from(!newcomer.is_main());
        let at = self.policy.victim(&mut self.table, NONE, arriving)?;
        self.count_eviction(at, judge);
        self.detach(at, true);
        Some(at)
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
        self.remove(at, false)
    }
}
