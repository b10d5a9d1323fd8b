//! Panics of the filler, of user code in a fill, and of waiters. No lock is poisoned, and
//! the next waiter continues.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

use cache_core::{Cache, Fill, ManualClock, TtlClass, Waited};

use crate::{
    counting_waker::CountingWaker,
    support::{CLASS, KEY, ask, assert_idle, holds_permits, miss, pause, store, wait},
    tasks::{Fate, Tasks},
};

const MESSAGE: &str = "the source failed (this message belongs to the test)";

/// Asserts that all operations that take a lock still work.
fn assert_usable<V: Clone>(cache: &Cache<u32, V, ManualClock>, value: V) {
    let other = KEY + 1;
    cache
        .insert(other, Fill::new(value).tag("tag"), CLASS)
        .unwrap();
    assert!(cache.get(&other, CLASS).is_some());
    assert_eq!(cache.invalidate_tag("tag"), 1);
    assert_eq!(cache.invalidate(&other), 0);
    assert_eq!(cache.invalidate_class(TtlClass::nth(1)), 0);
    assert_eq!(cache.maintain(10).removed, 0);
    assert_eq!(cache.len(), cache.stats().entries);
    cache.validate().unwrap();
}

#[test]
fn a_filler_that_panics_at_any_step_is_followed_by_one() {
    for fatal in 0..4 {
        let (cache, _) = store();
        let queries = Arc::new(AtomicUsize::new(0));
        let mut tasks = Tasks::new();
        for _ in 0..10 {
            let (cache, queries) = (cache.clone(), Arc::clone(&queries));
            let query = move || async move {
                let first = queries.fetch_add(1, Ordering::SeqCst) == 0;
                for step in 0..4 {
                    assert!(!(first && step == fatal), "{MESSAGE}");
                    pause().await;
                }
                100
            };
            tasks.spawn(ask(cache, || (), query));
        }
        tasks.run();
        assert!(matches!(tasks.fates()[0], Fate::Panicked));
        assert_eq!(tasks.results(), vec![&100; 9]);
        assert_eq!(queries.load(Ordering::SeqCst), 2);
        assert_usable(&cache, 1);
        assert_idle(&cache, KEY);
    }
}

#[test]
fn a_filler_thread_that_panics_is_followed_by_one() {
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let waiters: Vec<_> = (0..8).map(|_| wait(&cache, KEY)).collect();
    let filler = thread::spawn(move || {
        let _permit = permit;
        panic!("{MESSAGE}");
    });
    let fills = AtomicUsize::new(0);
    thread::scope(|scope| {
        for waiter in waiters {
            let fills = &fills;
            scope.spawn(move || match waiter.wait() {
                Waited::Value(value) => assert_eq!(value, 100),
                Waited::Permit(permit) => {
                    fills.fetch_add(1, Ordering::SeqCst);
                    assert_eq!(permit.fill(100), Ok(()));
                }
                other => panic!("{other:?} without a failure"),
            });
        }
    });
    assert!(filler.join().is_err());
    assert_eq!(fills.into_inner(), 1);
    assert_usable(&cache, 1);
    assert_idle(&cache, KEY);
}

/// The weigher is user code that runs during a fill.
#[test]
fn a_fill_whose_weigher_panics_is_handed_over() {
    let cache: Cache<u32, u32, ManualClock> = Cache::builder()
        .max_weight(100, |_, &value| {
            assert_ne!(value, 13, "{MESSAGE}");
            1
        })
        .clock(ManualClock::new())
        .build()
        .unwrap();
    let permit = miss(&cache, KEY);
    let waiter = wait(&cache, KEY);
    let filled = catch_unwind(AssertUnwindSafe(|| permit.fill(13)));
    assert!(filled.is_err());
    let Waited::Permit(permit) = waiter.wait() else {
        panic!("no value was made");
    };
    assert_eq!(permit.fill(1), Ok(()));
    assert_usable(&cache, 1);
    assert_idle(&cache, KEY);
}

/// Predicates of invalidations are called for the value of a fill.
#[test]
fn a_fill_whose_predicate_panics_is_handed_over() {
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let waiter = wait(&cache, KEY);
    let removed = cache.invalidate_if(|_, &value| {
        assert_ne!(value, 13, "{MESSAGE}");
        false
    });
    assert_eq!(removed, 0);
    let filled = catch_unwind(AssertUnwindSafe(|| permit.fill(13)));
    assert!(filled.is_err());
    let Waited::Permit(permit) = waiter.wait() else {
        panic!("no value was made");
    };
    // The predicate is older than this permit.
    assert_eq!(permit.fill(13), Ok(()));
    assert_usable(&cache, 1);
    assert_idle(&cache, KEY);
}

/// If the clone of the value panics for one waiter, the others get it.
#[test]
fn a_value_whose_clone_panics_hurts_one_waiter() {
    struct Fragile(Arc<AtomicBool>);
    impl Clone for Fragile {
        fn clone(&self) -> Self {
            assert!(!self.0.swap(false, Ordering::SeqCst), "{MESSAGE}");
            Self(Arc::clone(&self.0))
        }
    }
    let (cache, _) = store::<u32, Fragile>();
    let fatal = Arc::new(AtomicBool::new(false));
    let permit = miss(&cache, KEY);
    let waiters: Vec<_> = (0..3).map(|_| wait(&cache, KEY)).collect();
    assert_eq!(permit.fill(Fragile(Arc::clone(&fatal))), Ok(()));
    fatal.store(true, Ordering::SeqCst);
    let mut fates = waiters.into_iter().map(|waiter| {
        let waited = catch_unwind(AssertUnwindSafe(|| waiter.wait()));
        matches!(waited, Ok(Waited::Value(_)))
    });
    assert!(!fates.next().unwrap(), "the first clone panics");
    assert!(fates.all(|served| served));
    // The same under the lock of a shard, for a hit.
    fatal.store(true, Ordering::SeqCst);
    assert!(catch_unwind(AssertUnwindSafe(|| cache.get(&KEY, CLASS))).is_err());
    assert!(cache.get(&KEY, CLASS).is_some());
    assert_usable(&cache, Fragile(fatal));
    assert_idle(&cache, KEY);
}

/// If a waker panics, the others are woken, and the value is stored.
#[test]
fn a_waker_that_panics_keeps_nobody_asleep() {
    struct Cracked;
    impl Wake for Cracked {
        fn wake(self: Arc<Self>) {
            panic!("{MESSAGE}");
        }
    }
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let waker = Arc::new(CountingWaker::default());
    let mut waiters: Vec<_> = (0..5).map(|_| wait(&cache, KEY)).collect();
    for (number, waiter) in waiters.iter_mut().enumerate() {
        let polled = if number == 1 {
            let waker = Waker::from(Arc::new(Cracked));
            Pin::new(waiter).poll(&mut Context::from_waker(&waker))
        } else {
            waker.poll(waiter)
        };
        assert!(polled.is_pending());
    }
    assert!(catch_unwind(AssertUnwindSafe(|| permit.fill(1))).is_err());
    assert_eq!(waker.wakes(), 4);
    for waiter in &mut waiters {
        let waited = waker.poll(waiter);
        assert!(matches!(waited, Poll::Ready(Waited::Value(1))));
    }
    assert!(!holds_permits(&cache));
    assert_usable(&cache, 1);
    assert_idle(&cache, KEY);
}
