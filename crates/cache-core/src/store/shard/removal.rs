//! Removal from a shard: replacement, expiry, eviction, invalidation.

use equivalent::Equivalent;

use super::Shard;
use crate::{
    class::{Classes, TtlClass},
    listener::{Cause, Removed},
    store::class_queues::{CLASS_QUEUE, QueueId},
    store::expiry::Expiry,
    store::list::{List, NONE},
    store::tags::TagId,
};

/// The part of an invalidation that is done under one lock.
pub(crate) struct Cut {
    /// How many more entries it may remove.
    left: usize,
    /// Whether it left entries that it would have removed.
    pub(crate) is_short: bool,
    /// How many live entries it removed.
    pub(crate) live: usize,
}

impl Cut {
    /// A part that removes up to `most` entries.
    pub(crate) fn of(most: usize) -> Self {
        Self {
            left: most,
            is_short: false,
            live: 0,
        }
    }

    /// Whether one more entry may be removed.
    fn takes_one(&mut self) -> bool {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => self.is_short = true,
        }
        !self.is_short
    }
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
    pub(super) fn invalidate(
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

    /// Removes entries with the tag, as many as the cut allows.
    pub(crate) fn invalidate_tag(
        &mut self,
        tag: TagId,
        cut: &mut Cut,
        expiry: Expiry<'_>,
        removed_entries: &mut Removed<'_, K, V>,
    ) {
        while let Some(at) = self.tags.first_entry(tag)
            && cut.takes_one()
        {
            cut.live += usize::from(self.invalidate(at, expiry, removed_entries));
        }
    }

    /// Removes entries of the class, as many as the cut allows.
    pub(crate) fn invalidate_class(
        &mut self,
        class: usize,
        cut: &mut Cut,
        expiry: Expiry<'_>,
        removed_entries: &mut Removed<'_, K, V>,
    ) {
        while let Some(at) = self.head_of(class)
            && cut.takes_one()
        {
            cut.live += usize::from(self.invalidate(at, expiry, removed_entries));
        }
    }

    fn head_of(&self, class: usize) -> Option<u32> {
        let mut heads = self.classes.get(class)?.queues().map(|(_, q)| q.head);
        heads.find(|&head| head != NONE)
    }

    /// Removes entries, as many as the cut allows.
    pub(crate) fn invalidate_all(
        &mut self,
        cut: &mut Cut,
        expiry: Expiry<'_>,
        removed_entries: &mut Removed<'_, K, V>,
    ) {
        for class in 0..self.classes.len() {
            self.invalidate_class(class, cut, expiry, removed_entries);
        }
    }
}
