//! What is left to do once the lock of a shard is released: user code runs here.

use std::task::Waker;

use smallvec::SmallVec;

use crate::{
    invalidation::log::InvalidationLog,
    listener::{Cause, Listener, Removed},
    single_flight::in_flight::{FillResult, InFlightFill, QueuedWaiter, serve},
};

/// What left, to be dropped, and who waits, to be served. Made before the lock is
/// taken, so that it is dropped after it in any case.
pub(crate) struct Deferred<'a, K, V> {
    pub(crate) removed_entries: Removed<'a, K, V>,
    /// The live entry that a new one replaced.
    pub(crate) replaced: Option<(K, V)>,
    /// Most insertions end no fill.
    duties: Option<Box<FillDuties<K, V>>>,
}

/// What a fill that ended leaves to be done.
pub(crate) struct FillDuties<K, V> {
    /// To be dropped.
    pub(crate) keys: SmallVec<[K; 2]>,
    pub(crate) waiters: Vec<QueuedWaiter<V>>,
    /// What the waiters get; present if there are any.
    pub(crate) result: Option<FillResult<V>>,
    /// Who was elected to fill.
    pub(crate) elected: Option<Waker>,
    /// How many permits were called back.
    recalled: usize,
}

impl<'a, K, V> Deferred<'a, K, V> {
    pub(crate) fn new(listener: &'a Option<Listener<K, V>>) -> Self {
        Self {
            removed_entries: Removed::new(listener),
            replaced: None,
            duties: None,
        }
    }

    pub(crate) fn duties(&mut self) -> &mut FillDuties<K, V> {
        self.duties.get_or_insert_with(|| {
            Box::new(FillDuties {
                keys: SmallVec::new(),
                waiters: Vec::new(),
                result: None,
                elected: None,
                recalled: 0,
            })
        })
    }

    /// How many wait to be served.
    pub(crate) fn waiting(&self) -> usize {
        self.duties
            .as_ref()
            .map_or(0, |duties| duties.waiters.len())
    }

    /// Takes over what an ended fill leaves, under the lock of the shard.
    pub(crate) fn end_fill(&mut self, fill: Option<InFlightFill<K, V>>) {
        if let Some(fill) = fill {
            let landed = fill.into_parts();
            let duties = self.duties();
            duties.keys.push(landed.key);
            duties.waiters.extend(landed.waiters);
            duties.recalled += usize::from(landed.recalled);
        }
    }

    /// The live entry that a new one replaced, which goes elsewhere.
    pub(crate) fn take_replaced(&mut self) -> Option<(K, V)> {
        let (key, value) = self.replaced.take()?;
        self.removed_entries.tell(&key, &value, Cause::Replaced);
        Some((key, value))
    }

    /// Serves the waiters, and only then drops what left: a drop of the user
    /// may take long, and may panic.
    #[inline]
    pub(crate) fn run(&mut self, log: &InvalidationLog<K, V>) {
        if let Some(duties) = self.duties.take() {
            duties.run(log);
        }
    }
}

impl<K, V> Drop for Deferred<'_, K, V> {
    fn drop(&mut self) {
        self.take_replaced();
    }
}

impl<K, V> FillDuties<K, V> {
    fn run(self, log: &InvalidationLog<K, V>) {
        serve(self.waiters, self.result, self.elected);
        for _ in 0..self.recalled {
            log.close();
        }
    }
}
