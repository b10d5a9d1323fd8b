//! Work that is deferred until the lock of a shard is released, because it runs user code.

use std::task::Waker;

use smallvec::SmallVec;

use crate::{
    invalidation::log::InvalidationLog,
    listener::{Cause, Listener, Removed},
    single_flight::in_flight::{FillResult, InFlightFill, QueuedWaiter, serve},
};

/// Entries to drop and waiters to serve. Made before the lock of the shard is taken, so
/// that it drops after the lock is released.
pub(crate) struct Deferred<'a, K, V> {
    pub(crate) removed_entries: Removed<'a, K, V>,
    /// The live entry that a new one replaced.
    pub(crate) replaced: Option<(K, V)>,
    /// Boxed, because most insertions end no fill.
    duties: Option<Box<FillDuties<K, V>>>,
}

/// The deferred work of ended fills.
pub(crate) struct FillDuties<K, V> {
    /// To be dropped.
    pub(crate) keys: SmallVec<[K; 2]>,
    pub(crate) waiters: Vec<QueuedWaiter<V>>,
    /// The result for the waiters; present if there are any.
    pub(crate) result: Option<FillResult<V>>,
    /// The waker of the waiter that was elected to fill.
    pub(crate) elected: Option<Waker>,
    /// The number of recalled permits, to be uncounted.
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

    /// The number of waiters to be served.
    pub(crate) fn waiting(&self) -> usize {
        self.duties
            .as_ref()
            .map_or(0, |duties| duties.waiters.len())
    }

    /// Takes over the parts of an ended fill, under the lock of the shard.
    pub(crate) fn end_fill(&mut self, fill: Option<InFlightFill<K, V>>) {
        if let Some(fill) = fill {
            let ended = fill.into_parts();
            let duties = self.duties();
            duties.keys.push(ended.key);
            duties.waiters.extend(ended.waiters);
            duties.recalled += usize::from(ended.recalled);
        }
    }

    /// Takes the replaced live entry out, for a caller that keeps it. Calls the listener.
    pub(crate) fn take_replaced(&mut self) -> Option<(K, V)> {
        let (key, value) = self.replaced.take()?;
        self.removed_entries.tell(&key, &value, Cause::Replaced);
        Some((key, value))
    }

    /// Serves the waiters. Removed entries are dropped later, with `self`, because a drop
    /// of the user may take long or panic.
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
