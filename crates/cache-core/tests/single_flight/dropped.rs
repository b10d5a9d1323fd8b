//! Ten thousand waiters, dropped in any order, leave nothing behind.

use std::{sync::Arc, task::Poll, time::Duration};

use cache_core::{Cache, Clock, Fill, ManualClock, Moment, Permit, Waited, Waiter};

use crate::counting_waker::CountingWaker;
use crate::support::{CLASS, KEY, assert_idle, holds_permits, miss, store, wait};

const CROWD: usize = 10_000;

/// A clock with a reference-counted token, which shows whether a cache is alive.
struct Traced {
    _token: Arc<()>,
}

impl Clock for Traced {
    fn now(&self) -> Moment {
        Moment::ORIGIN
    }
}

type Key = Arc<str>;
type Holder = Permit<Key, u32>;

/// A filler, its waiters, and what they share.
struct Line {
    cache: Cache<Key, u32, ManualClock>,
    key: Key,
    waker: Arc<CountingWaker>,
    permit: Option<Holder>,
    waiters: Vec<Waiter<Key, u32>>,
}

impl Line {
    fn new() -> Self {
        let (cache, _) = crate::support::store();
        let key: Key = "the key".into();
        let waker = Arc::new(CountingWaker::default());
        let permit = Some(miss(&cache, Arc::clone(&key)));
        let waiters = (0..CROWD).map(|number| {
            let mut waiter = wait(&cache, Arc::clone(&key));
            // Some are not polled.
            if number % 3 != 0 {
                assert!(waker.poll(&mut waiter).is_pending());
            }
            waiter
        });
        let waiters = waiters.collect();
        Self {
            cache,
            key,
            waker,
            permit,
            waiters,
        }
    }

    fn assert_nothing_left(self) {
        assert!(self.waiters.is_empty());
        drop(self.permit);
        assert_eq!(Arc::strong_count(&self.key), 1, "keys are left");
        assert_eq!(Arc::strong_count(&self.waker), 1, "wakers are left");
        assert!(!holds_permits(&self.cache), "a permit is still counted");
        assert_eq!(self.cache.weight(), 0);
        assert_idle(&self.cache, Arc::clone(&self.key));
    }
}

#[test]
fn waiters_leave_in_any_order() {
    let mut random = fastrand::Rng::with_seed(42);
    let mut line = Line::new();
    random.shuffle(&mut line.waiters);
    for (number, waiter) in std::mem::take(&mut line.waiters).into_iter().enumerate() {
        drop(waiter);
        // Each waiter holds a key, and so do the filler and the fill.
        let left = CROWD - number - 1;
        assert_eq!(Arc::strong_count(&line.key), 1 + left + 2);
    }
    assert!(holds_permits(&line.cache), "the filler holds one");
    assert_eq!(line.waker.wakes(), 0, "nobody was elected");
    line.assert_nothing_left();
}

/// The filler and the elected waiters are dropped somewhere among the others.
#[test]
fn elections_in_the_middle_of_it_leave_nothing_either() {
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..4 {
        let mut line = Line::new();
        random.shuffle(&mut line.waiters);
        let filler_leaves = [CROWD - 1, CROWD / 2, 10, 1][round];
        while !line.waiters.is_empty() {
            if line.waiters.len() == filler_leaves {
                line.permit = None;
            }
            let pick = random.usize(..line.waiters.len());
            let mut waiter = line.waiters.swap_remove(pick);
            // Some are polled before they are dropped, and hold a permit if elected.
            if pick.is_multiple_of(2) {
                match line.waker.poll(&mut waiter) {
                    Poll::Pending => {}
                    Poll::Ready(Waited::Permit(permit)) => {
                        assert!(line.permit.is_none(), "two hold the right to fill");
                        drop(permit);
                    }
                    Poll::Ready(other) => panic!("{other:?} although nobody filled"),
                }
            }
        }
        line.assert_nothing_left();
    }
}

/// A served waiter that is not polled again holds its value until it is dropped.
#[test]
fn values_given_to_waiters_are_not_kept() {
    let (cache, _) = crate::support::store::<u32, Arc<()>>();
    let value = Arc::new(());
    let permit = miss(&cache, 1);
    let mut waiters: Vec<_> = (0..CROWD).map(|_| wait(&cache, 1)).collect();
    let _ = permit.fill(Fill::shared(Arc::clone(&value)));
    fastrand::Rng::with_seed(7).shuffle(&mut waiters);
    for (number, waiter) in waiters.into_iter().enumerate() {
        assert!(
            Arc::strong_count(&value) > 1,
            "waiter {number} was given it"
        );
        drop(waiter);
    }
    assert_eq!(Arc::strong_count(&value), 1);
    assert_idle(&cache, 1);
}

/// Waiters and permits keep their cache alive until they are dropped.
#[test]
fn the_cache_ends_with_its_last_handle() {
    let token = Arc::new(());
    let cache = Cache::<u32, u32>::builder()
        .max_entries(10)
        .clock(Traced {
            _token: Arc::clone(&token),
        })
        .build()
        .unwrap();
    let lookup = |key: u32| cache.lookup(key, CLASS, cache_core::Reuse::Any);
    let held: Vec<_> = (0..100).map(|number| lookup(number % 7)).collect();
    cache.insert(1, Fill::new(1).tag("tag"), CLASS).unwrap();
    drop(cache);
    assert_eq!(Arc::strong_count(&token), 2, "the handles keep it");
    drop(held);
    assert_eq!(Arc::strong_count(&token), 1);
}

/// A wait that times out returns the waiter, which stays in the queue until it is dropped.
#[test]
fn a_wait_that_is_too_long_keeps_its_place_until_it_is_dropped() {
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let first = wait(&cache, KEY).wait_timeout(Duration::ZERO).unwrap_err();
    let second = wait(&cache, KEY).wait_timeout(Duration::ZERO).unwrap_err();
    drop(permit);
    let Ok(Waited::Permit(permit)) = first.wait_timeout(Duration::MAX) else {
        panic!("the first in line takes over");
    };
    drop(second);
    permit.fill(1).unwrap();
    assert_eq!(cache.get(&KEY, CLASS), Some(1));
    assert_idle(&cache, KEY);
}
