//! Own TTLs, times to idle, `read` and `compute`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Barrier,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use cache_core::{
    Cache, Fill, Freshness, Hit, Lookup, ManualClock, Op, Refusal, Reuse, TtlClass, Waited,
};
use proptest::prelude::*;

const CLASS: TtlClass = TtlClass::DEFAULT;

type TestCache = Cache<u32, u32, ManualClock>;

fn store(freshness: Freshness) -> (TestCache, ManualClock) {
    let clock = ManualClock::new();
    let cache = Cache::builder()
        .max_entries(1_000)
        .clock(clock.clone())
        .shards(1)
        .build()
        .unwrap();
    cache.classes().set_freshness(CLASS, freshness);
    (cache, clock)
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_class_bounds_the_ttl_of_its_entries_even_when_it_is_shortened() {
    let (cache, clock) = store(Freshness::ttl(secs(60)));
    cache.insert(1, Fill::new(1).ttl(secs(10)), CLASS).unwrap();
    cache.insert(2, Fill::new(2).ttl(secs(600)), CLASS).unwrap();
    clock.advance(secs(10));
    assert_eq!(cache.get(&1, CLASS), Some(1));
    clock.advance(secs(1));
    assert_eq!(
        (cache.get(&1, CLASS), cache.get(&2, CLASS)),
        (None, Some(2))
    );
    cache
        .classes()
        .set_freshness(CLASS, Freshness::ttl(secs(5)));
    assert_eq!(cache.get(&2, CLASS), None);
}

#[test]
fn windows_follow_a_ttl_of_its_own() {
    let policy = Freshness::ttl(secs(60)).with_stale_while_revalidate(secs(5));
    let (cache, clock) = store(policy);
    cache.insert(1, Fill::new(1).ttl(secs(10)), CLASS).unwrap();
    clock.advance(secs(15));
    assert!(matches!(
        cache.lookup(1, CLASS, Reuse::Any),
        Lookup::Stale(..)
    ));
    clock.advance(Duration::from_nanos(1));
    assert!(!cache.contains_key(&1));
}

#[test]
fn a_class_without_negative_entries_refuses_one_that_is_inserted() {
    let (cache, _) = store(Freshness::ttl(secs(60)));
    let rejected = cache.insert(1, Fill::negative(1), CLASS).unwrap_err();
    assert_eq!((rejected.value, rejected.reason), (1, Refusal::NoNegatives));
}

#[test]
fn an_inserted_value_that_is_only_shared_leaves_what_is_stored() {
    let (cache, _) = store(Freshness::ttl(secs(60)));
    cache.insert(1, 1, CLASS).unwrap();
    let Lookup::Miss(permit) = cache.lookup(1, CLASS, Reuse::Nothing) else {
        panic!("nothing is to be reused");
    };
    let rejected = cache.insert(1, Fill::shared(2), CLASS).unwrap_err();
    assert_eq!(rejected.reason, Refusal::Shared);
    assert_eq!(cache.get(&1, CLASS), Some(1));
    assert_eq!(cache.stats().rejected, 0);
    drop(permit);
}

#[test]
fn an_entry_that_is_read_stays_and_one_that_idles_goes() {
    let policy = Freshness::ttl(secs(600)).with_time_to_idle(secs(10));
    let (cache, clock) = store(policy);
    for key in 0..4 {
        cache.insert(key, key, CLASS).unwrap();
    }
    for _ in 0..5 {
        clock.advance(secs(10));
        assert_eq!(cache.get(&0, CLASS), Some(0));
        assert_eq!(cache.read(&1, CLASS, |value, _| *value), Some(1));
        assert!(matches!(cache.lookup(2, CLASS, Reuse::Any), Lookup::Hit(_)));
        // `peek` is not a read.
        assert_eq!(cache.peek(&3).is_some(), clock_is_young(&clock));
    }
    assert_eq!(cache.len(), 3);
    // Reads moved the others behind it.
    assert_eq!(cache.maintain(10).removed, 1);
    clock.advance(secs(11));
    assert_eq!(cache.maintain(10).removed, 3);
    cache.validate().unwrap();
}

fn clock_is_young(clock: &ManualClock) -> bool {
    use cache_core::Clock;
    clock.now().as_nanos() <= 10_000_000_000
}

#[test]
fn a_time_to_idle_can_be_taken_away_again() {
    let idle = Freshness::ttl(secs(100)).with_time_to_idle(secs(10));
    let (cache, clock) = store(idle);
    cache.insert(1, 1, CLASS).unwrap();
    clock.advance(secs(5));
    cache.insert(2, 2, CLASS).unwrap();
    // Now the older entry is behind the younger.
    assert_eq!(cache.get(&1, CLASS), Some(1));
    cache
        .classes()
        .set_freshness(CLASS, Freshness::ttl(secs(100)));
    clock.advance(secs(96));
    cache.validate().unwrap();
    assert_eq!((cache.len(), cache.get(&2, CLASS)), (1, Some(2)));
}

#[test]
fn a_lent_value_may_panic_its_reader() {
    let (cache, _) = store(Freshness::ttl(secs(60)));
    cache.insert(1, 1, CLASS).unwrap();
    let read = || cache.read(&1, CLASS, |_, _| panic!("as any code may"));
    assert!(catch_unwind(AssertUnwindSafe(read)).is_err());
    cache.validate().unwrap();
    assert_eq!(cache.stats().hits, 0);
    assert_eq!(cache.read(&1, CLASS, |value, _| *value), Some(1));
}

proptest! {
    /// Entries with their own TTLs, shorter than that of the class, are removed by
    /// maintenance at the latest after twice their TTL, however they are mixed.
    #[test]
    fn prop_what_has_expired_waits_no_longer_than_it_lived(
        entries in prop::collection::vec((0_u64..4_000, 0_u64..500), 1..40),
        after in 0_u64..8_000,
    ) {
        let (cache, clock) = store(Freshness::ttl(secs(60)));
        let mut now = 0;
        let mut written = Vec::new();
        for (key, (ttl, pause)) in (0..).zip(entries) {
            cache.insert(key, Fill::new(key).ttl(Duration::from_nanos(ttl)), CLASS).unwrap();
            written.push((now, ttl));
            clock.advance(Duration::from_nanos(pause));
            now += pause;
        }
        clock.advance(Duration::from_nanos(after));
        now += after;
        cache.maintain(usize::MAX);
        let live = written.iter().filter(|(at, ttl)| now - at <= *ttl).count();
        // Insertions remove some expired entries.
        let overdue = written.iter().filter(|(at, ttl)| now - at > (2 * ttl).max(1)).count();
        prop_assert_eq!(cache.len(), live);
        prop_assert!(cache.weight() <= (written.len() - overdue) as u64);
        cache.validate().unwrap();
    }
}

fn add(current: Option<Hit<u32>>) -> Op<u32> {
    Op::Put(Fill::new(current.map_or(0, |hit| hit.value) + 1).tag("count"))
}

#[test]
fn computations_lose_no_step() {
    let (cache, _) = store(Freshness::ttl(secs(60)));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    cache.compute_blocking(1, CLASS, add).unwrap();
                }
            });
        }
    });
    assert_eq!(cache.get(&1, CLASS), Some(2_000));
    assert_eq!(cache.stats().refused_fills, 0, "they take turns");
}

/// Each change of the entry during a computation calls the closure again.
#[test]
fn a_computation_sees_what_overtook_it() {
    type Change = fn(&TestCache);
    let changes: [(Change, Option<u32>); 4] = [
        (|cache| _ = cache.insert(1, 10, CLASS), Some(10)),
        (|cache| _ = cache.remove(&1), None),
        (|cache| _ = cache.invalidate_tag("count"), None),
        (|cache| _ = cache.invalidate_all(), None),
    ];
    for (change, seen) in changes {
        let (cache, _) = store(Freshness::ttl(secs(60)));
        cache.insert(1, Fill::new(5).tag("count"), CLASS).unwrap();
        let mut shown = Vec::new();
        let left = cache.compute_blocking(1, CLASS, |current| {
            shown.push(current.map(|hit| hit.value));
            if shown.len() == 1 {
                change(&cache);
            }
            add(current)
        });
        assert_eq!(shown, [Some(5), seen]);
        assert_eq!(left, Ok(Some(seen.unwrap_or(0) + 1)));
        assert_eq!(cache.get(&1, CLASS), left.unwrap());
    }
}

#[test]
fn a_computation_sees_an_older_fill_that_ends_during_it() {
    let (cache, _) = store(Freshness::ttl(secs(60)));
    let Lookup::Miss(permit) = cache.lookup(1, CLASS, Reuse::Nothing) else {
        panic!("nothing is to be reused");
    };
    let mut permit = Some(permit);
    let left = cache.compute_blocking(1, CLASS, |current| {
        if let Some(permit) = permit.take() {
            permit.fill(7).unwrap();
        }
        add(current)
    });
    assert_eq!(left, Ok(Some(8)));
}

#[test]
fn a_removal_that_was_overtaken_is_decided_again() {
    let (cache, _) = store(Freshness::ttl(secs(60)));
    cache.insert(1, 5, CLASS).unwrap();
    let mut first = true;
    let left = cache.compute_blocking(1, CLASS, |current| {
        if std::mem::take(&mut first) {
            cache.insert(1, 6, CLASS).unwrap();
        }
        match current {
            Some(hit) if hit.value == 5 => Op::Remove,
            _ => Op::Keep,
        }
    });
    assert_eq!(left, Ok(Some(6)));
    assert_eq!(cache.get(&1, CLASS), Some(6));
}

#[test]
fn misses_wait_for_a_computation_and_get_what_it_puts() {
    let (cache, _) = store(Freshness::ttl(secs(60)));
    let mut waiter = None;
    cache
        .compute_blocking(1, CLASS, |current| {
            let Lookup::InFlight(waiting) = cache.lookup(1, CLASS, Reuse::Any) else {
                panic!("the key is being computed");
            };
            waiter = Some(waiting);
            add(current)
        })
        .unwrap();
    assert!(matches!(waiter.unwrap().wait(), Waited::Value(1)));
}

#[test]
fn a_computation_that_keeps_or_panics_hands_its_key_on() {
    let (cache, _) = store(Freshness::ttl(secs(60)));
    let kept = cache.compute_blocking(1, CLASS, |_| Op::Keep);
    assert_eq!(kept, Ok(None));
    let panicking = || cache.compute_blocking(1, CLASS, |_| panic!("as any code may"));
    assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
    assert_eq!(cache.compute_blocking(1, CLASS, add), Ok(Some(1)));
    cache.validate().unwrap();
}

#[test]
fn what_is_too_large_comes_back() {
    let cache = Cache::<u32, u32>::builder()
        .max_weight(10, |_, value| u64::from(*value))
        .build()
        .unwrap();
    let rejected = cache.compute_blocking(1, CLASS, |_| Op::Put(Fill::new(11)));
    let rejected = rejected.unwrap_err();
    assert_eq!((rejected.value, rejected.reason), (11, Refusal::TooLarge));
}

/// Four threads compute, fill, insert and invalidate: no two computations replace the same
/// value.
#[test]
fn computations_amid_everything_else_are_single_steps() {
    let (cache, _) = store(Freshness::ttl(secs(60)));
    let next = AtomicU32::new(1);
    let fresh = || Fill::new(next.fetch_add(1, Ordering::Relaxed)).tag("count");
    let start = Barrier::new(5);
    let compute = || {
        start.wait();
        let mut replaced = Vec::new();
        for _ in 0..1_000 {
            let mut seen = None;
            let put = cache.compute_blocking(1, CLASS, |current| {
                seen = current.map(|hit| hit.value);
                Op::Put(fresh())
            });
            put.unwrap();
            replaced.extend(seen);
        }
        replaced
    };
    let replaced = thread::scope(|scope| {
        let computing = [0, 1].map(|_| scope.spawn(compute));
        scope.spawn(|| {
            start.wait();
            for _ in 0..1_000 {
                cache.invalidate_tag("count");
            }
        });
        scope.spawn(|| {
            start.wait();
            for _ in 0..1_000 {
                let made = || Ok::<_, std::io::Error>(fresh());
                cache.get_or_try_fill_blocking(&1, CLASS, made).unwrap();
            }
        });
        scope.spawn(|| {
            start.wait();
            for _ in 0..1_000 {
                cache.insert(1, fresh(), CLASS).unwrap();
                let Lookup::Miss(permit) = cache.lookup(1, CLASS, Reuse::Nothing) else {
                    panic!("nothing is to be reused");
                };
                let _ = permit.fill(fresh());
            }
        });
        computing.map(|thread| thread.join().unwrap()).concat()
    });
    let different: BTreeSet<_> = replaced.iter().collect();
    assert_eq!(different.len(), replaced.len(), "a step was lost");
    assert!(replaced.len() > 100);
    cache.validate().unwrap();
}

/// The right that a computation gave up is an ordinary one: an older fill does not end it.
#[test]
fn a_computation_that_keeps_leaves_an_ordinary_fill() {
    let (cache, _) = store(Freshness::ttl(secs(60)));
    let Lookup::Miss(older) = cache.lookup(1, CLASS, Reuse::Nothing) else {
        panic!("nothing is to be reused");
    };
    let mut waiter = None;
    let kept = cache.compute_blocking(1, CLASS, |_| {
        let Lookup::InFlight(waiting) = cache.lookup(1, CLASS, Reuse::Any) else {
            panic!("the key is being computed");
        };
        waiter = Some(waiting);
        Op::Keep
    });
    assert_eq!(kept, Ok(None));
    let Waited::Permit(newer) = waiter.unwrap().wait() else {
        panic!("the key was handed over");
    };
    older.fill(1).unwrap();
    assert_eq!(newer.fill(2), Ok(()));
    assert_eq!(cache.get(&1, CLASS), Some(2));
}
