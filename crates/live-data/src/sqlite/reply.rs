//! A one-shot future from a worker thread, independent of any async runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

/// The worker's end: keeps the promise, or breaks it by being dropped.
#[derive(Debug)]
pub(super) struct Promise<T>(Arc<Mutex<Slot<T>>>);

/// The caller's end: `None` when the promise was broken.
#[derive(Debug)]
pub(super) struct Reply<T> {
    slot: Arc<Mutex<Slot<T>>>,
    abandoned: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Slot<T> {
    Waiting(Option<Waker>),
    Settled(Option<T>),
}

/// Both ends, and a flag that is set when the caller stops waiting.
pub(super) fn promise<T>() -> (Promise<T>, Reply<T>, Arc<AtomicBool>) {
    let slot = Arc::new(Mutex::new(Slot::Waiting(None)));
    let abandoned = Arc::new(AtomicBool::new(false));
    let reply = Reply {
        slot: Arc::clone(&slot),
        abandoned: Arc::clone(&abandoned),
    };
    (Promise(slot), reply, abandoned)
}

impl<T> Promise<T> {
    /// Hands the value over and wakes the caller.
    pub(super) fn keep(self, value: T) {
        self.settle(Some(value));
    }

    fn settle(&self, value: Option<T>) {
        let waker = {
            let mut slot = self.0.lock();
            match &mut *slot {
                Slot::Settled(_) => return,
                Slot::Waiting(waker) => {
                    let waker = waker.take();
                    *slot = Slot::Settled(value);
                    waker
                }
            }
        };
        // Woken without the lock: a waker may poll the reply at once.
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        self.settle(None);
    }
}

impl<T> Future for Reply<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self.slot.lock() {
            Slot::Settled(value) => Poll::Ready(value.take()),
            Slot::Waiting(waker) => {
                match waker {
                    Some(waker) => waker.clone_from(context.waker()),
                    None => *waker = Some(context.waker().clone()),
                }
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        // The flag guards no other data, so no ordering is needed.
        self.abandoned.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::block_on;

    #[test]
    fn a_kept_promise_crosses_threads() {
        let (promise, reply, abandoned) = promise();
        let worker = std::thread::spawn(move || promise.keep(7));
        assert_eq!(block_on(reply), Some(7));
        assert!(worker.join().is_ok());
        assert!(abandoned.load(Ordering::Relaxed));
    }

    #[test]
    fn a_broken_promise_wakes_the_caller() {
        let (promise, reply, _) = promise::<u8>();
        let worker = std::thread::spawn(move || drop(promise));
        assert_eq!(block_on(reply), None);
        assert!(worker.join().is_ok());
    }

    #[test]
    fn nobody_waits_after_the_reply_is_dropped() {
        let (promise, reply, abandoned) = promise();
        assert!(!abandoned.load(Ordering::Relaxed));
        drop(reply);
        assert!(abandoned.load(Ordering::Relaxed));
        promise.keep(7);
    }
}
