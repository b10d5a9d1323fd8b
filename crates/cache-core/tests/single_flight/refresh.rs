//! Refreshes are single-flight as well.

use std::time::Duration;

use cache_core::{Freshness, Lookup, ManualClock, Refusal, Reuse, Waited};

use crate::support::{CLASS, KEY, Store, assert_idle, holds_permits, miss, store, wait};

const MINUTE: Duration = Duration::from_secs(60);

/// A value that has been stale for half a minute, and is served for another half.
fn with_stale() -> (Store, ManualClock) {
    let (cache, clock) = store();
    let policy = Freshness::ttl(MINUTE).with_stale_while_revalidate(MINUTE);
    cache.classes().set_freshness(CLASS, policy);
    cache.insert(KEY, 1, CLASS).unwrap();
    clock.advance(MINUTE * 3 / 2);
    (cache, clock)
}

#[test]
fn of_ten_thousand_stale_reads_one_makes_the_entry_anew() {
    let (cache, _) = with_stale();
    let mut permits = Vec::new();
    for _ in 0..10_000 {
        match cache.lookup(KEY, CLASS, Reuse::Any) {
            Lookup::Stale(hit, permit) => {
                assert_eq!(hit.value, 1);
                permits.extend(permit);
            }
            other => panic!("{other:?} within the window"),
        }
    }
    let permit = permits.pop().unwrap();
    assert!(permits.is_empty());
    let stats = cache.stats();
    assert_eq!((stats.stale, stats.misses), (10_000, 0));
    assert_eq!(permit.fill(2), Ok(()));
    assert_eq!(cache.get(&KEY, CLASS), Some(2));
    assert_idle(&cache, KEY);
}

/// After a refresh without waiters is given up, the next reader gets the permit.
#[test]
fn a_refresh_that_is_given_up_goes_to_the_next_reader() {
    let (cache, _) = with_stale();
    for _ in 0..3 {
        let Lookup::Stale(_, Some(permit)) = cache.lookup(KEY, CLASS, Reuse::Any) else {
            panic!("nobody refreshes");
        };
        assert!(holds_permits(&cache));
        drop(permit);
        assert!(!holds_permits(&cache));
    }
    // The same after a failed refresh, and the entry stays.
    let Lookup::Stale(_, Some(permit)) = cache.lookup(KEY, CLASS, Reuse::Any) else {
        panic!("nobody refreshes");
    };
    assert!(permit.fail("away").is_ok_and(|hit| hit.value == 1));
    let next = cache.lookup(KEY, CLASS, Reuse::Any);
    assert!(matches!(next, Lookup::Stale(_, Some(_))));
    drop(next);
    assert_idle(&cache, KEY);
}

/// Readers that accept no stale entry wait for the refresh in flight, and so does every
/// reader after the window is over.
#[test]
fn a_refresh_serves_those_who_wait_for_it() {
    let (cache, clock) = with_stale();
    let Lookup::Stale(_, Some(permit)) = cache.lookup(KEY, CLASS, Reuse::Any) else {
        panic!("nobody refreshes");
    };
    let fresh = Reuse::MaxAge(Duration::MAX);
    let Lookup::InFlight(strict) = cache.lookup(KEY, CLASS, fresh) else {
        panic!("the refresh is under way");
    };
    clock.advance(MINUTE);
    let late = wait(&cache, KEY);
    assert_eq!(permit.fill(2), Ok(()));
    assert!(matches!(strict.wait(), Waited::Value(2)));
    assert!(matches!(late.wait(), Waited::Value(2)));
    assert_idle(&cache, KEY);
}

/// The same for early refresh: one reader at a time gets a permit, and all others have an
/// ordinary hit.
#[test]
fn of_all_early_readers_one_makes_the_entry_anew() {
    let (cache, clock) = store();
    // So eager that only one random number in a thousand million declines.
    let policy = Freshness::ttl(MINUTE).with_early_refresh(1e12).unwrap();
    cache.classes().set_freshness(CLASS, policy);
    let permit = miss(&cache, KEY);
    clock.advance(Duration::from_secs(1));
    assert_eq!(permit.fill(1), Ok(()));
    let mut refreshing = None;
    for _ in 0..1_000 {
        match cache.lookup(KEY, CLASS, Reuse::Any) {
            Lookup::Early(hit, permit) => {
                assert!(hit.value == 1 && !hit.is_stale());
                assert!(refreshing.replace(permit).is_none(), "two refresh");
            }
            Lookup::Hit(hit) => assert_eq!(hit.value, 1),
            other => panic!("{other:?} of a fresh entry"),
        }
    }
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.early_refreshes), (1_000, 1));
    drop(refreshing);
    let next = cache.lookup(KEY, CLASS, Reuse::Any);
    let Lookup::Early(_, permit) = next else {
        panic!("{next:?} although nobody refreshes");
    };
    // An invalidation refuses a refresh like every fill.
    assert_eq!(cache.invalidate(&KEY), 1);
    let filled = permit.fill(2);
    assert_eq!(filled, Err(Refusal::Invalidated));
    assert_eq!(cache.get(&KEY, CLASS), None);
    assert_idle(&cache, KEY);
}
