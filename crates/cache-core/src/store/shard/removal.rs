//! Removal from a shard: replacement, expiry, eviction, invalidation.

use std::ops::Range;

use equivalent::Equivalent;

use super::Shard;
use crate::{
    class::{Classes, TtlClass},
    listener::{Cause, Removed},
    seeded_bugs,
    store::class_queues::{CLASS_QUEUE, QueueId},
    store::expiry::Expiry,
    store::list::{List, NONE},
    store::tags::TagId,
};

/// The number of positions that are copied for a predicate under one lock.
const CHUNK: u32 = 128;

/// The number of stored entries after which serial numbers repeat.
const SERIALS: u64 = 1 << u8::BITS;

/// The position of a walk over a shard, between two locks.
#[derive(Default)]
pub(crate) struct Walk {
    next: u32,
    layout: u32,
    /// The first position of the last candidates, and the number of entries ever stored
    /// when they were copied.
    shown: u32,
    stored: u64,
}

/// A copy of an entry for a predicate, and its position.
pub(crate) struct Candidate<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
    at: u32,
    serial: u8,
}

impl<K: Eq, V> Shard<K, V> {
    #[inline(always)]
    pub(crate) fn is_expired(&self, at: u32, expiry: Expiry<'_>) -> bool {
        let slot = &self.table[at];
        let fresh_below =
            slot.origin.is_plain() && expiry.is_surely_fresh(slot.class, slot.written);
        !fresh_below && expiry.is_expired(slot.class, slot.written, self.traits(at))
    }

    /// Removes an entry from all structures. Counts nothing. Its frequency goes into the
    /// history if it should be `remembered`: not if another entry of its key replaces it.
    #[inline]
    pub(super) fn remove(&mut self, at: u32, remembered: bool) -> Option<(K, V)> {
        self.detach(at, remembered);
        let slot = self.table.remove(at)?;
        Some((slot.key, slot.value))
    }

    /// Removes an entry from all structures except the table.
    #[inline]
    pub(super) fn detach(&mut self, at: u32, remembered: bool) {
        self.policy.remove(&mut self.table, at, remembered);
        let (class, queue) = (self.table[at].class, self.queue_of(at));
        self.classes[class.index()]
            .queue_mut(queue)
            .remove(&mut self.table, at);
        let positions = self.table.positions();
        self.weight -= u64::from(self.weights.get(at));
        self.weights.set(at, 1, positions);
        let first_tag = self.first_tags.get(at);
        if first_tag != NONE {
            self.tags.remove_chain(first_tag);
            self.first_tags.set(at, NONE, positions);
        }
        self.read_at.set(at, 0, positions);
    }

    /// Removes an entry that no other entry replaces.
    #[inline]
    fn discard(&mut self, at: u32, cause: Cause, removed_entries: &mut Removed<'_, K, V>) {
        if let Some(entry) = self.remove(at, true) {
            removed_entries.push(entry, cause);
        }
    }

    #[cold]
    pub(super) fn expire(&mut self, at: u32, removed_entries: &mut Removed<'_, K, V>) {
        let class = self.table[at].class;
        self.discard(at, Cause::Expired, removed_entries);
        self.class_mut(class).counters.expirations += 1;
    }

    /// Removes an entry for an invalidation. Returns whether it was live; an expired one
    /// counts as an expiration.
    fn invalidate(
        &mut self,
        at: u32,
        expiry: Expiry<'_>,
        removed_entries: &mut Removed<'_, K, V>,
    ) -> bool {
        if self.is_expired(at, expiry) {
            self.expire(at, removed_entries);
            return false;
        }
        let class = self.table[at].class;
        self.discard(at, Cause::Invalidated, removed_entries);
        self.class_mut(class).counters.invalidations += 1;
        true
    }

    /// Evicts one entry other than `keep`; `false` if there is none. An expired one counts
    /// as an expiration.
    #[inline]
    pub(crate) fn evict(
        &mut self,
        keep: Option<u32>,
        expiry: Expiry<'_>,
        removed_entries: &mut Removed<'_, K, V>,
    ) -> bool {
        let keep = keep.unwrap_or(NONE);
        let Some(at) = self.policy.victim(&mut self.table, keep, 0) else {
            return false;
        };
        let cause = self.count_eviction(at, expiry);
        if let Some(entry) = self.remove(at, false) {
            removed_entries.push(entry, cause);
        }
        true
    }

    /// Counts an eviction, or an expiration if the entry is expired.
    #[inline(always)]
    pub(super) fn count_eviction(&mut self, at: u32, expiry: Expiry<'_>) -> Cause {
        let expired = self.is_expired(at, expiry);
        let class = self.table[at].class;
        let counters = &mut self.classes[class.index()].counters;
        if expired {
            counters.expirations += 1;
            Cause::Expired
        } else {
            counters.evictions += 1;
            Cause::Evicted
        }
    }

    /// The first expired entry at the head of a queue of the class.
    #[inline]
    fn expired_head(&self, class: usize, expiry: Expiry<'_>) -> Option<u32> {
        let mut heads = self.classes.get(class)?.queues().map(|(_, q)| q.head);
        heads.find(|&head| head != NONE && self.is_expired(head, expiry))
    }

    /// Removes up to two expired entries, of the class of the insertion and of one other
    /// class, in turn. Every insertion does this, so that writes keep up with expiry.
    pub(super) fn expire_some(
        &mut self,
        class: TtlClass,
        expiry: Expiry<'_>,
        removed_entries: &mut Removed<'_, K, V>,
    ) {
        let next = self.next_class as usize + 1;
        let another = if next < self.classes.len() { next } else { 0 };
        // There are few classes.
        self.next_class = another as u32;
        if let Some(at) = self.expired_head(class.index(), expiry) {
            self.expire(at, removed_entries);
        }
        if another != class.index()
            && let Some(at) = self.expired_head(another, expiry)
        {
            self.expire(at, removed_entries);
        }
    }

    /// Removes up to `limit` expired entries and returns their number.
    pub(crate) fn expire_up_to(
        &mut self,
        limit: usize,
        expiry: Expiry<'_>,
        removed_entries: &mut Removed<'_, K, V>,
    ) -> usize {
        let mut removed = 0;
        for class in 0..self.classes.len() {
            while removed < limit {
                let Some(at) = self.expired_head(class, expiry) else {
                    break;
                };
                self.expire(at, removed_entries);
                removed += 1;
            }
        }
        self.shrink_if_sparse();
        removed
    }

    pub(crate) fn has_expired(&self, expiry: Expiry<'_>) -> bool {
        (0..self.classes.len()).any(|class| self.expired_head(class, expiry).is_some())
    }

    /// The number of live entries of a class. Walks the entries that are old enough to be
    /// expired.
    pub(crate) fn live_in(&self, class: usize, expiry: Expiry<'_>) -> usize {
        let Some(state) = self.classes.get(class) else {
            return 0;
        };
        let policy = expiry.policy(Classes::at(class));
        let live_in = |(id, queue): (QueueId, &List<CLASS_QUEUE>)| {
            let in_order = id.is_negative().filter(|_| !state.is_reordered);
            let kept_for = in_order.and_then(|negative| policy.kept_for(negative));
            let may_be_gone = |&at: &u32| {
                let age = expiry.age(self.table[at].written);
                kept_for.is_none_or(|kept_for| age > kept_for)
            };
            let old = queue.iter(&self.table).take_while(may_be_gone);
            let expired = old.filter(|&at| self.is_expired(at, expiry)).count();
            queue.len as usize - expired
        };
        state.queues().map(live_in).sum()
    }

    /// Removes every entry whose key is equivalent to `key`; returns how many were live.
    pub(crate) fn invalidate_key<Q>(
        &mut self,
        hash: u64,
        key: &Q,
        expiry: Expiry<'_>,
        removed_entries: &mut Removed<'_, K, V>,
    ) -> usize
    where
        Q: Equivalent<K> + ?Sized,
    {
        let mut live = 0;
        while let Some(at) = self.find(hash, key) {
            live += usize::from(self.invalidate(at, expiry, removed_entries));
        }
        self.shrink_if_sparse();
        live
    }

    /// Removes every entry with the tag; returns how many were live.
    pub(crate) fn invalidate_tag(
        &mut self,
        tag: TagId,
        expiry: Expiry<'_>,
        removed_entries: &mut Removed<'_, K, V>,
    ) -> usize {
        let mut live = 0;
        while let Some(at) = self.tags.first_entry(tag) {
            live += usize::from(self.invalidate(at, expiry, removed_entries));
        }
        self.shrink_if_sparse();
        live
    }

    /// Removes every entry of the class; returns how many were live.
    pub(crate) fn invalidate_class(
        &mut self,
        class: usize,
        expiry: Expiry<'_>,
        removed_entries: &mut Removed<'_, K, V>,
    ) -> usize {
        let mut live = 0;
        while let Some(at) = self.head_of(class) {
            live += usize::from(self.invalidate(at, expiry, removed_entries));
        }
        self.shrink_if_sparse();
        live
    }

    fn head_of(&self, class: usize) -> Option<u32> {
        let mut heads = self.classes.get(class)?.queues().map(|(_, q)| q.head);
        heads.find(|&head| head != NONE)
    }

    /// Removes every entry; returns how many were live.
    pub(crate) fn invalidate_all(
        &mut self,
        expiry: Expiry<'_>,
        removed_entries: &mut Removed<'_, K, V>,
    ) -> usize {
        (0..self.classes.len())
            .map(|class| self.invalidate_class(class, expiry, removed_entries))
            .sum()
    }

    /// The next positions of a walk; `None` after the last.
    fn next_places(&self, walk: &mut Walk) -> Option<Range<u32>> {
        if walk.layout != self.layout {
            // Entries moved behind the walk: it starts again, and shows some of them
            // twice.
            walk.next = 0;
            walk.layout = self.layout;
        }
        // There are fewer positions than 2^32.
        let end = (self.table.positions() as u32).min(walk.next.saturating_add(CHUNK));
        let range = walk.next..end;
        if range.is_empty() {
            return None;
        }
        walk.shown = walk.next;
        walk.stored = self.stored;
        walk.next = end;
        Some(range)
    }

    /// Copies the next entries for a predicate, which runs without a lock; `None` at the
    /// end.
    pub(crate) fn next_candidates(&self, walk: &mut Walk) -> Option<Vec<Candidate<K, V>>>
    where
        K: Clone,
        V: Clone,
    {
        let copies = self.next_places(walk)?.filter_map(|at| {
            let slot = self.table.get(at)?;
            Some(Candidate {
                key: slot.key.clone(),
                value: slot.value.clone(),
                at,
                serial: slot.serial,
            })
        });
        Some(copies.collect())
    }

    /// Copies the next live entries; `None` at the end.
    pub(crate) fn next_live(&self, walk: &mut Walk, expiry: Expiry<'_>) -> Option<Vec<(K, V)>>
    where
        K: Clone,
        V: Clone,
    {
        let copies = self.next_places(walk)?.filter_map(|at| {
            let slot = self.table.get(at)?;
            (!self.is_expired(at, expiry)).then(|| (slot.key.clone(), slot.value.clone()))
        });
        Some(copies.collect())
    }

    /// Ends a walk. Positions may change again, so memory is freed.
    pub(crate) fn end_walk(&mut self) {
        self.shrink_if_sparse();
    }

    /// Removes the candidates that have not been replaced; returns how many were live.
    pub(crate) fn invalidate_candidates(
        &mut self,
        candidates: &[Candidate<K, V>],
        walk: &mut Walk,
        expiry: Expiry<'_>,
        removed_entries: &mut Removed<'_, K, V>,
    ) -> usize {
        if walk.layout != self.layout {
            return 0;
        }
        if self.stored - walk.stored >= SERIALS {
            // An entry may have the serial number of the one it replaced: the candidates
            // are shown again.
            walk.next = walk.shown;
            return 0;
        }
        let mut live = 0;
        for candidate in candidates {
            let slot = self.table.get(candidate.at);
            let same = |serial| serial == candidate.serial || seeded_bugs::trust_places();
            if slot.is_some_and(|slot| same(slot.serial)) {
                live += usize::from(self.invalidate(candidate.at, expiry, removed_entries));
            }
        }
        live
    }
}
