//! Failed fills: one error for all, or the stale entry.

use std::{fmt, sync::Arc, time::Duration};

use cache_core::{Fill, FillError, Freshness, Lookup, Refusal, Reuse, Waited};
use pollster::block_on;

use crate::support::{CLASS, KEY, Store, assert_idle, holds_permits, miss, store, wait};

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Away;

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database is away")
    }
}

impl std::error::Error for Away {}

/// A value that has been stale for half a minute, of a class with a `stale_if_error` window.
fn with_stale() -> Store {
    let (cache, clock) = store();
    let policy = Freshness::ttl(MINUTE).with_stale_if_error(MINUTE);
    cache.classes().set_freshness(CLASS, policy);
    cache
        .insert(KEY, Fill::new(1).tag("record"), CLASS)
        .unwrap();
    clock.advance(MINUTE * 3 / 2);
    cache
}

fn error_of<T: fmt::Debug>(result: Result<T, FillError>) -> FillError {
    result.expect_err("nothing may stand in")
}

#[test]
fn all_who_wait_get_the_same_error() {
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let waiters: Vec<_> = (0..1_000).map(|_| wait(&cache, KEY)).collect();
    let own = error_of(permit.fail(Away));
    assert!(own.downcast_ref::<Away>().is_some());
    for (number, waiter) in waiters.into_iter().enumerate() {
        let waited = if number % 2 == 0 {
            waiter.wait()
        } else {
            block_on(waiter)
        };
        let Waited::Failed(error) = waited else {
            panic!("{waited:?} of a fill that failed");
        };
        assert!(Arc::ptr_eq(&error, &own));
    }
    let stats = cache.stats();
    assert_eq!((stats.failed_fills, stats.coalesced), (1, 1_000));
    assert!(!holds_permits(&cache));
    // The error is not stored: the next request fills.
    let permit = miss(&cache, KEY);
    assert_eq!(permit.fill(1), Ok(()));
    assert_idle(&cache, KEY);
}

#[test]
fn a_stale_value_stands_in_where_the_class_says_so() {
    let cache = with_stale();
    let permit = miss(&cache, KEY);
    let waiters: Vec<_> = (0..100).map(|_| wait(&cache, KEY)).collect();
    let own = permit.fail(Away).expect("it may stand in");
    assert_eq!((own.value, own.age, own.ttl), (1, MINUTE * 3 / 2, MINUTE));
    for waiter in waiters {
        let waited = waiter.wait();
        assert!(matches!(waited, Waited::Stale(hit) if hit == own));
    }
    assert_idle(&cache, KEY);
}

/// Waiters of one fill: one that accepts stale entries, one that does not, and one of a
/// class with shorter windows.
#[test]
fn what_stands_in_is_each_waiters_to_judge() {
    let cache = with_stale();
    let strict = cache.classes().define("strict").unwrap();
    let policy = Freshness::ttl(MINUTE);
    cache.classes().set_freshness(strict, policy);
    let permit = miss(&cache, KEY);
    let joined = |class, reuse| match cache.lookup(KEY, class, reuse) {
        Lookup::InFlight(waiter) => waiter,
        other => panic!("{other:?} although somebody fills"),
    };
    let lenient = joined(CLASS, Reuse::Any);
    let young = joined(CLASS, Reuse::MaxAge(Duration::MAX));
    let narrow = joined(strict, Reuse::Any);
    let own = permit.fail(Away);
    assert!(own.is_ok());
    assert!(matches!(lenient.wait(), Waited::Stale(hit) if hit.value == 1));
    let errors = [young.wait(), narrow.wait()].map(|waited| match waited {
        Waited::Failed(error) => error,
        other => panic!("{other:?} stands in for a stricter reader"),
    });
    assert!(Arc::ptr_eq(&errors[0], &errors[1]));
    assert_idle(&cache, KEY);
}

/// An invalidation during the fill also removes the stale entry.
#[test]
fn what_was_invalidated_stands_in_for_nobody() {
    let cache = with_stale();
    let permit = miss(&cache, KEY);
    let before = wait(&cache, KEY);
    assert_eq!(cache.invalidate_tag("record"), 1);
    let after = wait(&cache, KEY);
    let own = error_of(permit.fail(Away));
    let waited = before.wait();
    assert!(matches!(waited, Waited::Failed(error) if Arc::ptr_eq(&error, &own)));
    // A waiter that began after the invalidation does not get the error either.
    let Waited::Permit(permit) = after.wait() else {
        panic!("the source may answer now");
    };
    permit.fill(7).unwrap();
    assert_idle(&cache, KEY);
}

/// A waiter that began after an invalidation of another key gets the error.
#[test]
fn an_error_passes_invalidations_of_other_keys() {
    let cache = with_stale();
    let permit = miss(&cache, KEY);
    cache.invalidate(&(KEY + 1));
    let waiter = wait(&cache, KEY);
    assert!(permit.fail(Away).is_ok());
    assert!(matches!(waiter.wait(), Waited::Stale(_)));
    assert_idle(&cache, KEY);
}

/// All waiters get a shared fallback, but no later request.
#[test]
fn a_shared_value_is_not_stored() {
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let waiters: Vec<_> = (0..100).map(|_| wait(&cache, KEY)).collect();
    permit.fill(Fill::shared(5)).unwrap_err();
    for waiter in waiters {
        assert!(matches!(waiter.wait(), Waited::Value(5)));
    }
    assert_eq!(cache.get(&KEY, CLASS), None);
    assert_idle(&cache, KEY);
}

/// Waiters get a negative value as negative, even if the class does not store it.
#[test]
fn a_negative_answer_reaches_all_who_wait() {
    for keeps in [false, true] {
        let (cache, _) = store::<u32, u32>();
        if keeps {
            let policy = Freshness::ttl(MINUTE).with_negative_ttl(MINUTE);
            cache.classes().set_freshness(CLASS, policy);
        }
        let permit = miss(&cache, KEY);
        let waiters: Vec<_> = (0..100).map(|_| wait(&cache, KEY)).collect();
        let stored = permit.fill(Fill::negative(0)) == Ok(());
        assert_eq!(stored, keeps);
        for waiter in waiters {
            assert!(matches!(waiter.wait(), Waited::Negative(0)));
        }
        let found = cache.lookup(KEY, CLASS, Reuse::Any);
        assert_eq!(matches!(found, Lookup::Negative(_)), keeps);
        drop(found);
        assert_idle(&cache, KEY);
    }
}

/// A negative value is outdated by an invalidation like any value: only waiters that began
/// before get it.
#[test]
fn a_negative_answer_loses_against_an_invalidation() {
    let (cache, _) = store::<u32, u32>();
    let policy = Freshness::ttl(MINUTE).with_negative_ttl(MINUTE);
    cache.classes().set_freshness(CLASS, policy);
    let permit = miss(&cache, KEY);
    let before = wait(&cache, KEY);
    cache.invalidate_tag("record");
    let after = wait(&cache, KEY);
    let filled = permit.fill(Fill::negative(0).tag("record"));
    assert_eq!(filled, Err(Refusal::Invalidated));
    assert!(matches!(before.wait(), Waited::Negative(0)));
    let Waited::Permit(permit) = after.wait() else {
        panic!("began after the invalidation");
    };
    assert_eq!(permit.fill(Fill::new(1).tag("record")), Ok(()));
    assert_eq!(cache.get(&KEY, CLASS), Some(1));
    assert_idle(&cache, KEY);
}

/// If fillers drop their permits instead of failing, each waiter tries once.
#[test]
fn a_line_in_which_everyone_gives_up_comes_to_an_end() {
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let waiters: Vec<_> = (0..100).map(|_| wait(&cache, KEY)).collect();
    drop(permit);
    for waiter in waiters {
        let Waited::Permit(permit) = waiter.wait() else {
            panic!("nobody filled");
        };
        drop(permit);
    }
    assert_eq!(cache.stats().coalesced, 0);
    assert_idle(&cache, KEY);
}
