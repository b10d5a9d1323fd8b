//! The memory that all request bodies may take together.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bytes that request bodies may hold at once.
#[derive(Clone, Debug)]
pub(crate) struct BodyBudget(Arc<Semaphore>);

/// The budget has no room for more of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl BodyBudget {
    /// A budget of so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// An empty buffer for a body of at most `most` bytes.
    pub(crate) fn buffer(&self, most: usize) -> BodyBuffer {
        BodyBuffer {
            bytes: Vec::new(),
            most,
            budget: self.clone(),
            held: None,
        }
    }
}

/// The received part of a body. Its memory counts from the budget until it is
/// dropped.
///
/// The chunks are copied: kept as they came, each would keep alive the buffer that it
/// was read into, which may be many times as large.
pub(crate) struct BodyBuffer {
    bytes: Vec<u8>,
    most: usize,
    budget: BodyBudget,
    held: Option<OwnedSemaphorePermit>,
}

impl BodyBuffer {
    /// Appends a chunk. The caller has checked that the body stays within its limit.
    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<(), NoRoom> {
        let length = self.bytes.len() + chunk.len();
        let capacity = self.bytes.capacity();
        if length > capacity {
            let larger = (2 * capacity).min(self.most).max(length);
            self.hold(larger - capacity)?;
            self.bytes.reserve_exact(larger - self.bytes.len());
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    fn hold(&mut self, bytes: usize) -> Result<(), NoRoom> {
        // A body is smaller than 4 GiB.
        let bytes = u32::try_from(bytes).map_err(|_| NoRoom)?;
        let budget = Arc::clone(&self.budget.0);
        let more = budget.try_acquire_many_owned(bytes).map_err(|_| NoRoom)?;
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        Ok(())
    }

    /// What was received so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_body_counts_while_it_is_held() {
        let budget = BodyBudget::new(100);
        let mut first = budget.buffer(100);
        assert_eq!(first.push(&[1; 60]), Ok(()));
        let mut second = budget.buffer(100);
        assert_eq!(second.push(&[2; 41]), Err(NoRoom));
        assert_eq!(second.push(&[2; 40]), Ok(()));
        assert_eq!(second.push(&[3]), Err(NoRoom));
        drop(first);
        assert_eq!(second.push(&[3]), Ok(()));
        assert_eq!(second.bytes(), [[2; 40].as_slice(), &[3]].concat());
    }

    proptest! {
        /// Whatever arrives in whatever pieces: what is held never passes the
        /// budget, and all of it is given back.
        #[test]
        fn prop_memory_in_use_stays_within_the_budget(
            pieces in prop::collection::vec((0..4_usize, 0..40_usize), 1..60)
        ) {
            const BYTES: usize = 100;
            let budget = BodyBudget::new(BYTES);
            let mut bodies: Vec<_> = (0..4).map(|_| Some(budget.buffer(60))).collect();
            for (which, length) in pieces {
                let Some(body) = &mut bodies[which] else {
                    bodies[which] = Some(budget.buffer(60));
                    continue;
                };
                if body.bytes().len() + length > 60 || body.push(&vec![0; length]).is_err() {
                    bodies[which] = None;
                }
                let held: usize = bodies.iter().flatten().map(|body| body.bytes.capacity()).sum();
                prop_assert!(held <= BYTES);
                prop_assert_eq!(budget.0.available_permits(), BYTES - held);
            }
            drop(bodies);
            prop_assert_eq!(budget.0.available_permits(), BYTES);
        }
    }
}
