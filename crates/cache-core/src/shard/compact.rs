//! Giving memory back after a shard has lost most of its entries.

use std::hash::Hash;

use super::{Nodes, Shard, index_hash};
use crate::{
    eviction::ARRIVAL,
    expiry::WRITTEN,
    list::{Link, NONE, index},
    slab::is_sparse,
    tags::TagIndex,
};

impl<K: Hash + Eq + Clone, V> Shard<K, V> {
    /// Moves the entries together when less than a quarter of the room is in
    /// use. Indexes held across this call mean nothing afterwards.
    pub(super) fn shrink_if_sparse(&mut self) {
        if is_sparse(self.index.len(), self.slots.capacity()) {
            self.compact();
        } else if self.tags.is_sparse() {
            self.rebuild_tags();
        }
    }

    fn compact(&mut self) {
        let used = self.index.len();
        // Some room to grow, so that the next insertion does not copy again.
        let room = used + used / 2;
        let mut slots = Vec::with_capacity(room);
        let mut nodes = Vec::with_capacity(room);
        let mut moved = vec![NONE; self.slots.len()];
        let old_slots = std::mem::take(&mut self.slots);
        let old_nodes = std::mem::take(&mut self.nodes.0);
        for ((from, slot), node) in old_slots.into_iter().enumerate().zip(old_nodes) {
            if slot.entry.is_some() {
                moved[from] = index(slots.len());
                slots.push(slot);
                nodes.push(node);
            }
        }
        let new = |at: u32| moved.get(at as usize).copied().unwrap_or(NONE);
        for node in &mut nodes {
            for list in [ARRIVAL, WRITTEN] {
                let Link { prev, next } = node.links[list];
                node.links[list] = Link {
                    prev: new(prev),
                    next: new(next),
                };
            }
        }
        self.slots = slots;
        self.nodes = Nodes(nodes);
        self.vacant = NONE;
        self.sieve.remap(new);
        for class in &mut self.classes {
            class.queue.remap(new);
        }
        for at in self.index.iter_mut() {
            *at = new(*at);
        }
        let slots = &self.slots;
        self.index
            .shrink_to(room, |&at| index_hash(slots[at as usize].hash));
        self.layout += 1;
        self.rebuild_tags();
    }

    fn rebuild_tags(&mut self) {
        let old = std::mem::replace(&mut self.tags, TagIndex::new());
        for (at, node) in (0..).zip(&mut self.nodes.0) {
            node.first_tag = old.copy_chain(node.first_tag, &mut self.tags, at);
        }
    }
}
