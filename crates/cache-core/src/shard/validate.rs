//! Checks of a shard's internal links, for tests.

use std::hash::Hash;

use super::{Shard, index_hash};
use crate::list::NONE;

impl<K: Hash + Eq + Clone, V> Shard<K, V> {
    /// Checks that table, queues, tag index and counts tell of the same
    /// entries; says what differs. Linear in the size of the shard.
    pub(crate) fn validate(&self) -> Result<(), String> {
        self.validate_slots()?;
        self.validate_queues()?;
        let mut chained = 0;
        for (at, node) in (0..).zip(&self.nodes.0) {
            for (entry, tag) in self.tags.chain(node.first_tag) {
                if entry != at {
                    return Err(format!("tag {tag:?} of slot {at} names slot {entry}"));
                }
                chained += 1;
            }
        }
        self.tags.validate(chained)
    }

    fn validate_slots(&self) -> Result<(), String> {
        let (mut used, mut weight) = (0, 0);
        for (at, slot) in (0u32..).zip(&self.slots) {
            if slot.entry.is_none() {
                continue;
            }
            let found = self.index.find(index_hash(slot.hash), |&other| other == at);
            if found.is_none() {
                return Err(format!("slot {at} is not in the table"));
            }
            used += 1;
            weight += u64::from(self.nodes.0[at as usize].weight);
        }
        let mut vacant = 0;
        let mut at = self.vacant;
        while at != NONE && vacant <= self.slots.len() {
            vacant += 1;
            at = self.nodes.0[at as usize].links[0].next;
        }
        let told = (self.index.len(), self.slots.len(), self.weight);
        if told != (used, used + vacant, weight) || self.nodes.0.len() != self.slots.len() {
            return Err(format!(
                "{used} slots used, {vacant} vacant, weight {weight}; told {told:?}"
            ));
        }
        Ok(())
    }

    fn validate_queues(&self) -> Result<(), String> {
        self.sieve.queue.validate(&self.nodes)?;
        let mut queued = 0;
        for (index, class) in self.classes.iter().enumerate() {
            class.queue.validate(&self.nodes)?;
            let mut last = crate::Moment::ORIGIN;
            for at in class.queue.iter(&self.nodes) {
                let slot = &self.slots[at as usize];
                if slot.class.index() != index || slot.written < last {
                    return Err(format!("slot {at} is misplaced in class {index}"));
                }
                last = slot.written;
                queued += 1;
            }
        }
        let used = self.index.len();
        if (self.sieve.queue.len as usize, queued) != (used, used) {
            return Err(format!("{used} entries, {queued} in class queues"));
        }
        Ok(())
    }
}
