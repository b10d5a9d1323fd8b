//! Frees memory after most entries of a shard are removed.

use super::Shard;
use crate::{
    store::class_queues::{CLASS_QUEUE, ClassState},
    store::list::Link,
    store::marks::EVICTION_QUEUE,
    store::slot::Slot,
    store::table::{Moves, Table},
    store::tags::TagIndex,
};

impl<K, V> Shard<K, V> {
    /// Frees memory if less than a quarter of the capacity is in use. Invalidates
    /// positions.
    pub(super) fn shrink_if_sparse(&mut self) {
        if self.table.is_sparse() {
            let moves = self.table.shrink();
            self.follow(&moves);
        }
        if self.tags.is_sparse() {
            self.rebuild_tags();
        }
    }

    /// Updates every position after the entries moved.
    fn follow(&mut self, moves: &Moves) {
        let new = |at: u32| moves.new_place(at);
        for slot in self.table.iter_mut() {
            for list in [EVICTION_QUEUE, CLASS_QUEUE] {
                let Link { prev, next } = slot.links[list];
                slot.links[list] = Link {
                    prev: new(prev),
                    next: new(next),
                };
            }
        }
        self.policy.remap(new);
        for queue in self.classes.iter_mut().flat_map(ClassState::queues_mut) {
            queue.remap(new);
        }
        let positions = self.table.positions();
        self.weights.rearrange(moves, positions);
        self.first_tags.rearrange(moves, positions);
        self.ttls.rearrange(moves, positions);
        self.read_at.rearrange(moves, positions);
        self.tags.remap(new);
        self.layout = self.layout.wrapping_add(1);
    }

    fn rebuild_tags(&mut self) {
        let old = std::mem::replace(&mut self.tags, TagIndex::new());
        let positions = self.table.positions();
        for at in occupied(&self.table) {
            let chain = old.copy_chain(self.first_tags.get(at), &mut self.tags, at);
            self.first_tags.set(at, chain, positions);
        }
    }
}

/// The positions of all entries.
fn occupied<K, V>(table: &Table<Slot<K, V>>) -> impl Iterator<Item = u32> {
    table.iter().map(|(at, _)| at)
}
