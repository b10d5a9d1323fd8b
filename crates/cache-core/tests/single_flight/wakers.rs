//! Wakers: changed between polls, moved between threads, and never used under a lock.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread,
};

use cache_core::{Fill, Waited};
use pollster::block_on;

use crate::counting_waker::CountingWaker;
use crate::support::{CLASS, KEY, Store, assert_idle, miss, store, wait};

#[test]
fn the_last_waker_is_woken_and_no_other() {
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let mut waiter = wait(&cache, KEY);
    let wakers: Vec<_> = (0..10)
        .map(|_| Arc::new(CountingWaker::default()))
        .collect();
    for waker in &wakers {
        assert!(waker.poll(&mut waiter).is_pending());
    }
    // Only the last is kept at all.
    let kept = wakers.iter().map(|waker| Arc::strong_count(waker) - 1);
    assert_eq!(kept.collect::<Vec<_>>(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(permit.fill(1), Ok(()));
    let wakes = wakers.iter().map(|waker| waker.wakes());
    assert_eq!(wakes.collect::<Vec<_>>(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(Arc::strong_count(&wakers[9]), 1, "none is kept");
    let waited = wakers[0].poll(&mut waiter);
    assert!(matches!(waited, Poll::Ready(Waited::Value(1))));
    assert_idle(&cache, KEY);
}

/// A waiter that was elected, and is polled with another waker than the woken one, gets its
/// permit.
#[test]
fn an_election_does_not_depend_on_the_waker() {
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let mut waiter = wait(&cache, KEY);
    let (old, new) = (
        Arc::new(CountingWaker::default()),
        Arc::new(CountingWaker::default()),
    );
    assert!(old.poll(&mut waiter).is_pending());
    drop(permit);
    assert_eq!(old.wakes(), 1);
    assert!(matches!(
        new.poll(&mut waiter),
        Poll::Ready(Waited::Permit(_))
    ));
    assert_idle(&cache, KEY);
}

/// A waiter that is polled often is woken once; one that was never polled gets the value.
#[test]
fn polling_is_free_and_not_needed() {
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let (mut eager, lazy) = (wait(&cache, KEY), wait(&cache, KEY));
    let waker = Arc::new(CountingWaker::default());
    for _ in 0..100 {
        assert!(waker.poll(&mut eager).is_pending());
    }
    assert_eq!(Arc::strong_count(&waker), 2);
    assert_eq!(permit.fill(1), Ok(()));
    assert_eq!(waker.wakes(), 1);
    assert!(matches!(lazy.wait(), Waited::Value(1)));
    assert!(matches!(block_on(eager), Waited::Value(1)));
    assert_idle(&cache, KEY);
}

/// A waiter is polled by one thread, then moved to another, which blocks.
#[test]
fn a_waiter_may_change_its_thread() {
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let waker = Arc::new(CountingWaker::default());
    let mut moved = wait(&cache, KEY);
    assert!(waker.poll(&mut moved).is_pending());
    let (blocked, awaited) = (wait(&cache, KEY), wait(&cache, KEY));
    thread::scope(|scope| {
        let waiting = [
            scope.spawn(move || moved.wait()),
            scope.spawn(move || blocked.wait()),
            scope.spawn(move || block_on(awaited)),
        ];
        assert_eq!(permit.fill(1), Ok(()));
        for waiter in waiting {
            assert!(matches!(waiter.join(), Ok(Waited::Value(1))));
        }
    });
    assert_idle(&cache, KEY);
}

/// Uses the cache whenever it is woken, and when it is dropped.
struct Meddler(Store);

impl Meddler {
    fn meddle(&self) {
        self.0
            .insert(KEY + 1, Fill::new(0).tag("tag"), CLASS)
            .unwrap();
        assert_eq!(self.0.invalidate_tag("tag"), 1);
        assert!(self.0.len() <= 1);
    }
}

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        self.meddle();
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        self.meddle();
    }
}

/// With one shard, a waker that is used under the lock of the shard deadlocks.
#[test]
fn wakers_run_and_end_unlocked() {
    let cache: Store = cache_core::Cache::builder()
        .max_entries(100)
        .shards(1)
        .clock(cache_core::ManualClock::new())
        .build()
        .unwrap();
    let poll = |waiter: &mut cache_core::Waiter<u32, u32>| {
        let waker = Waker::from(Arc::new(Meddler(cache.clone())));
        assert!(
            Pin::new(waiter)
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    };
    let permit = miss(&cache, KEY);
    let mut waiters: Vec<_> = (0..4).map(|_| wait(&cache, KEY)).collect();
    for waiter in &mut waiters {
        poll(waiter);
        // Drops the previous waker.
        poll(waiter);
    }
    // Elects the first, drops the second with its waker, serves the others.
    drop(permit);
    let Poll::Ready(Waited::Permit(permit)) =
        Arc::new(CountingWaker::default()).poll(&mut waiters[0])
    else {
        panic!("the first was not elected");
    };
    drop(waiters.remove(1));
    assert_eq!(permit.fill(1), Ok(()));
    assert!(matches!(waiters.pop().unwrap().wait(), Waited::Value(1)));
    assert_idle(&cache, KEY);
}

/// The drop of a replaced waker may even insert the value that its waiter waits for.
#[test]
fn a_waker_ends_outside_the_lock_of_its_waiter() {
    struct Filler(Store);
    impl Wake for Filler {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Filler {
        fn drop(&mut self) {
            self.0.insert(KEY, 1, CLASS).unwrap();
        }
    }
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let mut waiter = wait(&cache, KEY);
    let waker = Waker::from(Arc::new(Filler(cache.clone())));
    let polled = Pin::new(&mut waiter).poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    drop(waker);
    let waker = Arc::new(CountingWaker::default());
    assert!(
        waker.poll(&mut waiter).is_pending(),
        "it looked before that"
    );
    assert_eq!(waker.wakes(), 1);
    let waited = waker.poll(&mut waiter);
    assert!(matches!(waited, Poll::Ready(Waited::Value(1))));
    drop(permit);
    assert_idle(&cache, KEY);
}
