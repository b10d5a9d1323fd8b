//! Helpers of these tests.

use std::{
    future::{Future, poll_fn},
    hash::Hash,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
};

use cache_core::{Cache, Lookup, ManualClock, Permit, Reuse, TtlClass, Waited, Waiter};

pub(crate) const CLASS: TtlClass = TtlClass::DEFAULT;

/// The key that all request.
pub(crate) const KEY: u32 = 7;

pub(crate) type Store = Cache<u32, u32, ManualClock>;

pub(crate) fn store<K, V>() -> (Cache<K, V, ManualClock>, ManualClock)
where
    K: Hash + Eq + Clone,
    V: Clone,
{
    let clock = ManualClock::new();
    let builder = Cache::builder().max_entries(100).clock(clock.clone());
    (builder.build().unwrap(), clock)
}

pub(crate) fn miss<K, V>(cache: &Cache<K, V, ManualClock>, key: K) -> Permit<K, V>
where
    K: Hash + Eq + Clone,
    V: Clone,
{
    match cache.lookup(key, CLASS, Reuse::Any) {
        Lookup::Miss(permit) => permit,
        _ => panic!("not the first miss"),
    }
}

pub(crate) fn wait<K, V>(cache: &Cache<K, V, ManualClock>, key: K) -> Waiter<K, V>
where
    K: Hash + Eq + Clone,
    V: Clone,
{
    match cache.lookup(key, CLASS, Reuse::Any) {
        Lookup::InFlight(waiter) => waiter,
        _ => panic!("nobody fills"),
    }
}

/// Requests the key; with a permit, fills it with the result of `query`.
pub(crate) async fn ask<F: Future<Output = u32>>(
    cache: Store,
    arrived: impl FnOnce(),
    query: impl FnOnce() -> F,
) -> u32 {
    let found = cache.lookup(KEY, CLASS, Reuse::Any);
    arrived();
    let permit = match found {
        Lookup::Hit(hit) => return hit.value,
        Lookup::Miss(permit) => permit,
        Lookup::InFlight(waiter) => match waiter.await {
            Waited::Value(value) => return value,
            Waited::Permit(permit) => permit,
            other => panic!("{other:?} without a failure"),
        },
        other => panic!("{other:?} without windows"),
    };
    let value = query().await;
    assert_eq!(permit.fill(value), Ok(()));
    value
}

/// Whether the cache counts a permit as outstanding: a predicate is kept in the log only
/// while fills are in flight.
pub(crate) fn holds_permits<K, V>(cache: &Cache<K, V, ManualClock>) -> bool
where
    K: Hash + Eq + Clone,
    V: Clone,
{
    let token = Arc::new(());
    let kept = Arc::clone(&token);
    let removed = cache.invalidate_if(move |_, _| Arc::strong_count(&kept) == 0);
    assert_eq!(removed, 0);
    Arc::strong_count(&token) > 1
}

/// Asserts that nothing of a fill is left: internal links are consistent, no permit is
/// counted, and no fill of the key is in flight.
pub(crate) fn assert_idle<K, V>(cache: &Cache<K, V, ManualClock>, key: K)
where
    K: Hash + Eq + Clone,
    V: Clone,
{
    cache.validate().unwrap();
    assert!(!holds_permits(cache), "a permit is still counted");
    let found = cache.lookup(key, CLASS, Reuse::Any);
    assert!(
        !matches!(found, Lookup::InFlight(_)),
        "somebody still fills"
    );
}

/// Yields to other tasks once.
pub(crate) async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if paused {
            return Poll::Ready(());
        }
        paused = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A barrier that opens when a given number of tasks or threads have arrived.
pub(crate) struct Gate(Mutex<(usize, Vec<Waker>)>);

impl Gate {
    pub(crate) fn new(expected: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new((expected, Vec::new()))))
    }

    pub(crate) fn arrive(&self) {
        let mut gate = self.0.lock().unwrap();
        gate.0 -= 1;
        if gate.0 == 0 {
            let wakers = std::mem::take(&mut gate.1);
            drop(gate);
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    pub(crate) async fn opened(&self) {
        poll_fn(|context| {
            let mut gate = self.0.lock().unwrap();
            if gate.0 == 0 {
                return Poll::Ready(());
            }
            gate.1.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
