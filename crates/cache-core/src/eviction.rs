//! Who leaves when the bound is reached: SIEVE.
//!
//! Zhang et al., "SIEVE is Simpler than LRU" (NSDI 2024). Entries stand in
//! order of arrival. A hit sets the entry's *visited* mark and moves nothing. A
//! hand goes from the oldest towards the newest: it clears the marks it meets,
//! and the first entry without one leaves. New entries that are never read
//! again are thus sifted out early, while read ones stay where they are.

use crate::list::{Link, Links, List, NONE};

/// The list that the eviction queue is threaded through.
pub(crate) const ARRIVAL: usize = 0;

#[derive(Debug)]
pub(crate) struct Sieve {
    pub(crate) queue: List<ARRIVAL>,
    hand: u32,
}

impl Sieve {
    pub(crate) const fn new() -> Self {
        Self {
            queue: List::new(),
            hand: NONE,
        }
    }

    pub(crate) fn insert(&mut self, nodes: &mut impl Links<ARRIVAL>, at: u32) {
        self.queue.push_back(nodes, at);
    }

    pub(crate) fn remove(&mut self, nodes: &mut impl Links<ARRIVAL>, at: u32) {
        if self.hand == at {
            let Link { next, .. } = nodes.link(at);
            self.hand = next;
        }
        self.queue.remove(nodes, at);
    }

    /// The entry that should leave, other than `keep`. `take_mark` clears the
    /// visited mark of an entry and says whether it was set.
    pub(crate) fn victim(
        &mut self,
        nodes: &impl Links<ARRIVAL>,
        keep: u32,
        mut take_mark: impl FnMut(u32) -> bool,
    ) -> Option<u32> {
        // One round clears every mark, so that the next finds an entry unless
        // `keep` is the only one.
        for _ in 0..=u64::from(self.queue.len) * 2 {
            let at = match self.hand {
                NONE => self.queue.head,
                hand => hand,
            };
            if at == NONE {
                return None;
            }
            self.hand = nodes.link(at).next;
            if at != keep && !take_mark(at) {
                return Some(at);
            }
        }
        None
    }

    pub(crate) fn remap(&mut self, new: impl Fn(u32) -> u32) {
        self.queue.remap(&new);
        self.hand = new(self.hand);
    }
}
