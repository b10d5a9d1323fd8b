//! The ways out of a shard: replacement, expiry, eviction, invalidation.

use std::hash::Hash;

use equivalent::Equivalent;

use super::{Garbage, Shard, index_hash};
use crate::{
    class::TtlClass,
    eviction::ARRIVAL,
    expiry::Judge,
    list::{Link, NONE, index},
};

/// How many slots are shown to a predicate per turn of the lock.
const CHUNK: usize = 128;

/// Where a walk over a shard stands between two turns of the lock.
#[derive(Default)]
pub(crate) struct Walk {
    next: usize,
    layout: u64,
}

/// An entry that was shown to a predicate, and where it was.
pub(crate) struct Candidate<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
    at: u32,
    generation: u32,
}

impl<K: Hash + Eq + Clone, V> Shard<K, V> {
    pub(crate) fn is_expired(&self, at: u32, judge: Judge<'_>) -> bool {
        let slot = &self.slots[at as usize];
        judge.is_expired(slot.class, slot.written)
    }

    /// Takes an entry out of every structure. Counts nothing.
    pub(super) fn remove(&mut self, at: u32) -> Option<(K, V)> {
        let slot = &mut self.slots[at as usize];
        let entry = slot.entry.take()?;
        let class = slot.class;
        let found = self
            .index
            .find_entry(index_hash(slot.hash), |&other| other == at);
        if let Ok(found) = found {
            found.remove();
        }
        self.sieve.remove(&mut self.nodes, at);
        self.classes[class.index()]
            .queue
            .remove(&mut self.nodes, at);
        let node = &mut self.nodes.0[at as usize];
        self.weight -= u64::from(node.weight);
        let first_tag = std::mem::replace(&mut node.first_tag, NONE);
        node.links[ARRIVAL] = Link {
            prev: NONE,
            next: self.vacant,
        };
        self.vacant = at;
        self.tags.remove_chain(first_tag);
        Some(entry)
    }

    pub(super) fn expire(&mut self, at: u32, garbage: &mut Garbage<K, V>) {
        let class = self.slots[at as usize].class;
        garbage.extend(self.remove(at));
        self.class_mut(class).counters.expirations += 1;
    }

    /// Removes an entry by order of an invalidation; whether it was live. One
    /// that was not has expired, and counts as that.
    fn invalidate(&mut self, at: u32, judge: Judge<'_>, garbage: &mut Garbage<K, V>) -> bool {
        if self.is_expired(at, judge) {
            self.expire(at, garbage);
            return false;
        }
        let class = self.slots[at as usize].class;
        garbage.extend(self.remove(at));
        self.class_mut(class).counters.invalidations += 1;
        true
    }

    /// Makes room for one entry, sparing `keep`; `false` if none can leave. An
    /// entry that had expired counts as that: nothing was lost with it.
    pub(crate) fn evict(
        &mut self,
        keep: Option<u32>,
        judge: Judge<'_>,
        garbage: &mut Garbage<K, V>,
    ) -> bool {
        let slots = &mut self.slots;
        let take_mark = |at: u32| std::mem::take(&mut slots[at as usize].visited);
        let keep = keep.unwrap_or(NONE);
        let Some(at) = self.sieve.victim(&self.nodes, keep, take_mark) else {
            return false;
        };
        if self.is_expired(at, judge) {
            self.expire(at, garbage);
        } else {
            let class = self.slots[at as usize].class;
            garbage.extend(self.remove(at));
            self.class_mut(class).counters.evictions += 1;
        }
        true
    }

    /// The oldest entry of a class, if it is expired.
    fn expired_head(&self, class: usize, judge: Judge<'_>) -> Option<u32> {
        let head = self.classes.get(class)?.queue.head;
        (head != NONE && self.is_expired(head, judge)).then_some(head)
    }

    /// Removes up to two expired entries: what every insertion does, so that
    /// writing alone keeps up with expiry. Looks at one class besides the
    /// writer's own, a different one each time.
    pub(super) fn expire_some(
        &mut self,
        class: TtlClass,
        judge: Judge<'_>,
        garbage: &mut Garbage<K, V>,
    ) {
        self.next_class = (self.next_class + 1) % self.classes.len().max(1);
        for class in [class.index(), self.next_class] {
            if let Some(at) = self.expired_head(class, judge) {
                self.expire(at, garbage);
            }
        }
    }

    /// Removes up to `limit` expired entries and returns how many.
    pub(crate) fn expire_up_to(
        &mut self,
        limit: usize,
        judge: Judge<'_>,
        garbage: &mut Garbage<K, V>,
    ) -> usize {
        let mut removed = 0;
        for class in 0..self.classes.len() {
            while removed < limit {
                let Some(at) = self.expired_head(class, judge) else {
                    break;
                };
                self.expire(at, garbage);
                removed += 1;
            }
        }
        self.shrink_if_sparse();
        removed
    }

    pub(crate) fn has_expired(&self, judge: Judge<'_>) -> bool {
        (0..self.classes.len()).any(|class| self.expired_head(class, judge).is_some())
    }

    /// How many entries of a class are live: all but the expired prefix.
    pub(crate) fn live_in(&self, class: usize, judge: Judge<'_>) -> usize {
        let queue = &self.classes[class].queue;
        let expired = queue
            .iter(&self.nodes)
            .take_while(|&at| self.is_expired(at, judge))
            .count();
        queue.len as usize - expired
    }

    /// Removes every entry that `key` is equivalent to; how many were live.
    pub(crate) fn invalidate_key<Q>(
        &mut self,
        hash: u64,
        key: &Q,
        judge: Judge<'_>,
        garbage: &mut Garbage<K, V>,
    ) -> usize
    where
        Q: Equivalent<K> + ?Sized,
    {
        let mut live = 0;
        while let Some(at) = self.find(hash, key) {
            live += usize::from(self.invalidate(at, judge, garbage));
        }
        self.shrink_if_sparse();
        live
    }

    /// Removes every entry that carries the tag; how many were live.
    pub(crate) fn invalidate_tag(
        &mut self,
        hash: u64,
        tag: &str,
        judge: Judge<'_>,
        garbage: &mut Garbage<K, V>,
    ) -> usize {
        let mut live = 0;
        while let Some(at) = self.tags.first_entry(hash, tag) {
            live += usize::from(self.invalidate(at, judge, garbage));
        }
        self.shrink_if_sparse();
        live
    }

    /// Removes every entry of the class; how many were live.
    pub(crate) fn invalidate_class(
        &mut self,
        class: usize,
        judge: Judge<'_>,
        garbage: &mut Garbage<K, V>,
    ) -> usize {
        let mut live = 0;
        while let Some(at) = self.head_of(class) {
            live += usize::from(self.invalidate(at, judge, garbage));
        }
        self.shrink_if_sparse();
        live
    }

    fn head_of(&self, class: usize) -> Option<u32> {
        let head = self.classes.get(class)?.queue.head;
        (head != NONE).then_some(head)
    }

    /// Removes every entry; how many were live.
    pub(crate) fn invalidate_all(
        &mut self,
        judge: Judge<'_>,
        garbage: &mut Garbage<K, V>,
    ) -> usize {
        (0..self.classes.len())
            .map(|class| self.invalidate_class(class, judge, garbage))
            .sum()
    }

    /// Copies the next entries for a predicate that runs unlocked; nothing is
    /// left when the result is `None`.
    pub(crate) fn next_candidates(&self, walk: &mut Walk) -> Option<Vec<Candidate<K, V>>>
    where
        V: Clone,
    {
        if walk.layout != self.layout {
            // Entries changed places behind the walk: it begins again. Those
            // already judged are judged anew.
            *walk = Walk {
                next: 0,
                layout: self.layout,
            };
        }
        let end = self.slots.len().min(walk.next.saturating_add(CHUNK));
        let range = walk.next..end;
        if range.is_empty() {
            return None;
        }
        walk.next = end;
        let copies = range.filter_map(|position| {
            let (key, value) = self.slots[position].entry.as_ref()?;
            Some(Candidate {
                key: key.clone(),
                value: value.clone(),
                at: index(position),
                generation: self.nodes.0[position].generation,
            })
        });
        Some(copies.collect())
    }

    /// Ends a walk, when indexes may change again.
    pub(crate) fn end_walk(&mut self) {
        self.shrink_if_sparse();
    }

    /// Removes those candidates that are still what they were; how many of
    /// them were live.
    pub(crate) fn invalidate_candidates(
        &mut self,
        candidates: &[Candidate<K, V>],
        walk: &Walk,
        judge: Judge<'_>,
        garbage: &mut Garbage<K, V>,
    ) -> usize {
        if walk.layout != self.layout {
            return 0;
        }
        let mut live = 0;
        for candidate in candidates {
            let at = candidate.at as usize;
            let same = self.nodes.0[at].generation == candidate.generation
                && self.slots[at].entry.is_some();
            if same {
                live += usize::from(self.invalidate(candidate.at, judge, garbage));
            }
        }
        live
    }
}
