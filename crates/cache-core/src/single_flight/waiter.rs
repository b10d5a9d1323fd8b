//! Waiters: misses that wait for another caller's fill.

#[cfg(not(any(shuttle, memory_model)))]
use std::time::{Duration, Instant};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use crate::{
    clock::Moment,
    error::FillError,
    hit::Hit,
    seeded_bugs,
    single_flight::in_flight::{Cell, CellState, FillResult},
    single_flight::{permit::Permit, request::Request},
    store::Store,
    sync::thread,
};

/// The outcome of a wait.
#[derive(Debug)]
pub enum Waited<K, V> {
    /// The value of the fill, or of an insertion that superseded it. No invalidation that
    /// reaches the value was made between its reading and the start of the wait.
    Value(V),
    /// The negative value of the fill, with the same promise.
    Negative(V),
    /// The fill failed, and this stored entry is served instead; see [`Permit::fail`].
    Stale(Hit<V>),
    /// The fill failed, and no entry can be served instead. All waiters share the error.
    Failed(FillError),
    /// The right to fill: the permit was dropped, or its value was invalidated before this
    /// wait began.
    Permit(Permit<K, V>),
}

/// A miss that waits for another caller's fill of the key.
///
/// Await it under any runtime, or block a thread with [`wait`](Self::wait). It may be
/// dropped at any time; if it was just elected to fill, the next waiter is elected.
///
/// ```
/// use cache_core::{Cache, Lookup, Reuse, TtlClass, Waited};
///
/// let cache = Cache::<&str, u32>::builder().max_entries(100).build()?;
/// let class = TtlClass::DEFAULT;
/// let Lookup::Miss(permit) = cache.lookup("key", class, Reuse::Any) else {
///     unreachable!("the cache is empty");
/// };
/// let Lookup::InFlight(waiter) = cache.lookup("key", class, Reuse::Any) else {
///     unreachable!("the key is being filled");
/// };
/// std::thread::spawn(move || permit.fill(7));
/// assert!(matches!(waiter.wait(), Waited::Value(7)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// Panics if it is polled again after it was ready.
#[must_use = "a waiter does nothing unless awaited"]
pub struct Waiter<K, V> {
    inner: Arc<Store<K, V>>,
    /// Present until the waiter is ready.
    key: Option<K>,
    request: Request,
    fill_id: u64,
    number: u64,
    cell: Arc<Cell<V>>,
}

impl<K, V> Waiter<K, V> {
    pub(crate) const fn new(
        inner: Arc<Store<K, V>>,
        key: K,
        request: Request,
        (fill_id, number): (u64, u64),
        cell: Arc<Cell<V>>,
    ) -> Self {
        Self {
            inner,
            key: Some(key),
            request,
            fill_id,
            number,
            cell,
        }
    }

    /// Takes the permit of this waiter, which was elected at `epoch`. The fill is timed
    /// from `since`.
    fn permit(&mut self, epoch: u64, since: Moment) -> Option<Permit<K, V>> {
        let inner = Arc::clone(&self.inner);
        let key = self.key.take()?;
        Some(Permit::new(
            inner,
            key,
            self.request,
            self.fill_id,
            epoch,
            since,
        ))
    }

    /// The outcome of the wait, given the result of the fill.
    fn receive(&mut self, result: FillResult<V>) -> Waited<K, V> {
        self.key = None;
        match result {
            FillResult::Value(value) => Waited::Value(value),
            FillResult::Negative(value) => Waited::Negative(value),
            FillResult::Failed { error, stand_in } => {
                match self.request.accept(stand_in, &self.inner.classes) {
                    Some(hit) => Waited::Stale(hit),
                    None => Waited::Failed(error),
                }
            }
        }
    }
}

impl<K, V: Clone> Waiter<K, V> {
    /// Blocks the thread until the wait is over. In async code, await the waiter instead.
    pub fn wait(mut self) -> Waited<K, V> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(waited) = Pin::new(&mut self).poll(&mut context) {
                return waited;
            }
            // If the waker was woken since the poll, this returns at once.
            thread::park();
        }
    }
}

#[cfg(not(any(shuttle, memory_model)))]
impl<K, V: Clone> Waiter<K, V> {
    /// [`wait`](Self::wait) with a time limit, by the system's clock.
    ///
    /// # Errors
    /// The waiter, if the wait is not over by then. It stays in the queue until it is
    /// dropped.
    ///
    /// ```
    /// use cache_core::{Cache, Lookup, Reuse, TtlClass, Waited};
    /// use std::time::Duration;
    ///
    /// let cache = Cache::<&str, u32>::builder().max_entries(100).build()?;
    /// let look = || cache.lookup("key", TtlClass::DEFAULT, Reuse::Any);
    /// let (Lookup::Miss(permit), Lookup::InFlight(waiter)) = (look(), look()) else {
    ///     unreachable!("the first one fills");
    /// };
    /// let waiter = waiter.wait_timeout(Duration::from_millis(1)).unwrap_err();
    /// permit.fill(7);
    /// assert!(matches!(waiter.wait_timeout(Duration::ZERO), Ok(Waited::Value(7))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait_timeout(mut self, timeout: Duration) -> Result<Waited<K, V>, Self> {
        // A deadline beyond the range of the clock never passes.
        let deadline = Instant::now().checked_add(timeout);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(waited) = Pin::new(&mut self).poll(&mut context) {
                return Ok(waited);
            }
            let Some(deadline) = deadline else {
                thread::park();
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self);
            }
            thread::park_timeout(left);
        }
    }
}

/// Wakes a blocked thread.
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

// Nothing in a waiter is pinned through it.
impl<K, V> Unpin for Waiter<K, V> {}

impl<K, V: Clone> Future for Waiter<K, V> {
    type Output = Waited<K, V>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // Wakers are user code: cloned before the lock is taken, dropped after it.
        let waker = context.waker().clone();
        let mut state = self.cell.lock();
        match std::mem::replace(&mut *state, CellState::Done) {
            CellState::Waiting(old) => {
                *state = CellState::Waiting(Some(waker));
                drop(state);
                drop(old);
                Poll::Pending
            }
            CellState::Ready(result) => {
                drop(state);
                Poll::Ready(self.receive(Arc::unwrap_or_clone(result)))
            }
            CellState::Elected { epoch } => {
                drop(state);
                let now = self.inner.now();
                match self.permit(epoch, now) {
                    Some(permit) => Poll::Ready(Waited::Permit(permit)),
                    None => unreachable!("a waiter has its key until it is ready"),
                }
            }
            CellState::Done => panic!("a waiter was polled after it was ready"),
        }
    }
}

impl<K, V> Drop for Waiter<K, V> {
    fn drop(&mut self) {
        if self.key.is_none() {
            return;
        }
        let left = {
            let hash = self.request.hash;
            let mut shard = self.inner.lock_for(hash);
            shard.in_flight.leave(hash, self.fill_id, self.number)
        };
        if left {
            return;
        }
        // The waiter was taken out of the fill, to be served or elected. A result that
        // comes later finds the cell done; an election is passed on.
        let state = std::mem::replace(&mut *self.cell.lock(), CellState::Done);
        if seeded_bugs::keep_election() {
            return;
        }
        if let CellState::Elected { epoch } = state {
            // The permit is dropped, so its start does not matter.
            drop(self.permit(epoch, Moment::ORIGIN));
        }
    }
}

impl<K: fmt::Debug, V> fmt::Debug for Waiter<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
