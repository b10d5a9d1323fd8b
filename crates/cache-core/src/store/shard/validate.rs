//! Validation of a shard's internal links, for tests.

use super::Shard;

impl<K: Eq, V> Shard<K, V> {
    /// Checks that table, queues, tag index and counters are consistent; `Err` describes
    /// the first difference. Linear in the size of the shard.
    pub(crate) fn validate(&self) -> Result<(), String> {
        self.table.validate()?;
        self.policy.validate(&self.table)?;
        self.validate_queues()?;
        let (mut chained, mut weight) = (0, 0);
        for (at, _) in self.table.iter() {
            weight += u64::from(self.weights.get(at));
            for entry in self.tags.chain(self.first_tags.get(at)) {
                if entry != at {
                    return Err(format!("a tag of slot {at} names slot {entry}"));
                }
                chained += 1;
            }
        }
        if weight != self.weight {
            return Err(format!("weight {weight}, told {}", self.weight));
        }
        self.tags.validate(chained)
    }

    fn validate_queues(&self) -> Result<(), String> {
        let mut queued = 0;
        let queues = self.classes.iter().enumerate().flat_map(|(index, class)| {
            let queues = class.queues();
            queues.map(move |(id, queue)| (index, class, id, queue))
        });
        for (index, class, id, queue) in queues {
            queue.validate(&self.table)?;
            let mut last = crate::Moment::ORIGIN;
            for at in queue.iter(&self.table) {
                let slot = &self.table[at];
                let ordered = class.is_reordered || slot.written >= last;
                if (slot.class.index(), self.queue_of(at)) != (index, id) || !ordered {
                    return Err(format!("slot {at} is misplaced in class {index}"));
                }
                last = slot.written;
                queued += 1;
            }
        }
        if queued != self.table.len() {
            let entries = self.table.len();
            return Err(format!("{entries} entries, {queued} in class queues"));
        }
        Ok(())
    }
}
