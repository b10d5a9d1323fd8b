//! Waiters: misses that wait for the fill of another.

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

/// What waiting came to.
#[derive(Debug)]
pub enum Waited<K, V> {
    /// The value of the fill, or of an insertion that overtook it. No
    /// invalidation that reaches it came between the reading of the value and
    /// the beginning of the wait.
    Value(V),
    /// The answer that there is nothing, which the fill came to; with the same
    /// promise.
    Negative(V),
    /// The fill failed, and this entry stands in for its value; see
    /// [`Permit::fail`].
    Stale(Hit<V>),
    /// The fill failed, and nothing may stand in for its value. The error is
    /// shared by all who waited.
    Failed(FillError),
    /// The right to fill: whoever had it gave it up, or what it read had been
    /// invalidated before this wait began.
    Permit(Permit<K, V>),
}

/// A miss of a key that another is filling.
///
/// Await it under any runtime, or block a thread with [`wait`](Self::wait). It
/// may be dropped at any time; if it had just been elected to fill, the next
/// waiter is.
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
/// Polling it again after it was ready panics.
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

    /// The permit of one who was elected at this epoch, and takes it at this
    /// moment.
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

    /// What was given to all, as far as it is good for this one.
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
    /// Blocks the thread until the wait is over. For code outside any runtime:
    /// inside one, await the waiter instead.
    pub fn wait(mut self) -> Waited<K, V> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(waited) = Pin::new(&mut self).poll(&mut context) {
                return waited;
            }
            // A wake-up between the look and here makes this return at once.
            thread::park();
        }
    }
}

#[cfg(not(any(shuttle, memory_model)))]
impl<K, V: Clone> Waiter<K, V> {
    /// As [`wait`](Self::wait), for no longer than this by the system's clock.
    ///
    /// # Errors
    /// The waiter, if the wait is not over by then: it still stands in line, until
    /// it is dropped.
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
        // A time that no clock reaches is none.
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
        // Wakers are user code: cloned before the lock, dropped after it.
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
                let now = self.inner.clock.now();
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
        // Someone took this waiter out of the fill to give it something. What
        // was not given yet will find it gone; an election passes on.
        let state = std::mem::replace(&mut *self.cell.lock(), CellState::Done);
        if seeded_bugs::keep_election() {
            return;
        }
        if let CellState::Elected { epoch } = state {
            // It will not fill, so that it does not matter since when.
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
