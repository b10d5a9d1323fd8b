//! The documented guarantees, one by one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod counting_waker;

use std::{
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use cache_core::{
    BuildError, Cache, Clock, Fill, Freshness, Lookup, MAX_TAGS, ManualClock, Permit, Refusal,
    Reuse, TtlClass, Waited, Waiter,
};
use counting_waker::CountingWaker;

const CLASS: TtlClass = TtlClass::DEFAULT;

type Manual<K, V> = Cache<K, V, ManualClock>;

fn manual<K, V>(entries: usize) -> (Manual<K, V>, ManualClock)
where
    K: std::hash::Hash + Eq + Clone,
    V: Clone,
{
    let clock = ManualClock::new();
    let builder = Cache::builder().max_entries(entries).clock(clock.clone());
    (builder.build().unwrap(), clock)
}

fn miss<K, V, C>(cache: &Cache<K, V, C>, key: K) -> Permit<K, V>
where
    K: std::hash::Hash + Eq + Clone,
    V: Clone,
    C: Clock,
{
    match cache.lookup(key, CLASS, Reuse::Any) {
        Lookup::Miss(permit) => permit,
        _ => panic!("not the first miss"),
    }
}

fn wait<K, V, C>(cache: &Cache<K, V, C>, key: K) -> Waiter<K, V>
where
    K: std::hash::Hash + Eq + Clone,
    V: Clone,
    C: Clock,
{
    match cache.lookup(key, CLASS, Reuse::Any) {
        Lookup::InFlight(waiter) => waiter,
        _ => panic!("nobody fills"),
    }
}

#[test]
fn an_entry_is_valid_to_the_nanosecond_of_its_ttl() {
    for ttl in [1, 300, 3_600].map(Duration::from_secs) {
        let (cache, clock) = manual(10);
        let class = cache.classes().define("another").unwrap();
        cache.classes().set_freshness(class, Freshness::ttl(ttl));
        cache.insert(1, 1, class).unwrap();
        clock.advance(ttl);
        assert_eq!(cache.get(&1, class), Some(1));
        assert_eq!(cache.len(), 1);
        clock.advance(Duration::from_nanos(1));
        assert_eq!(cache.len(), 0);
        assert_eq!(cache.get(&1, class), None);
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.expirations), (1, 1, 1));
        assert_eq!(cache.weight(), 0, "an expired entry is removed when read");
    }
}

#[test]
fn a_ttl_of_zero_is_valid_at_the_same_moment_only() {
    let (cache, clock) = manual(10);
    cache
        .classes()
        .set_freshness(CLASS, Freshness::ttl(Duration::ZERO));
    cache.insert(1, 1, CLASS).unwrap();
    assert_eq!(cache.get(&1, CLASS), Some(1));
    clock.advance(Duration::from_nanos(1));
    assert_eq!(cache.get(&1, CLASS), None);
}

#[test]
fn a_changed_ttl_applies_to_what_is_stored() {
    let (cache, clock) = manual(10);
    cache.insert(1, 1, CLASS).unwrap();
    clock.advance(Duration::from_secs(10));
    cache
        .classes()
        .set_freshness(CLASS, Freshness::ttl(Duration::from_secs(9)));
    assert_eq!(cache.len(), 0);
    cache
        .classes()
        .set_freshness(CLASS, Freshness::ttl(Duration::MAX));
    clock.advance(Duration::MAX);
    assert_eq!(cache.get(&1, CLASS), Some(1));
}

#[test]
fn a_stricter_reader_misses_and_leaves_the_entry_to_others() {
    let (cache, clock) = manual(10);
    let hour = cache.classes().define("articles").unwrap();
    let policy = Freshness::ttl(Duration::from_secs(3_600));
    cache.classes().set_freshness(hour, policy);
    cache.insert(1, 1, hour).unwrap();
    clock.advance(Duration::from_secs(301));
    assert_eq!(cache.get(&1, CLASS), None);
    assert_eq!(cache.get(&1, hour), Some(1));
    // Nor is an entry served that is expired under its own class.
    cache.insert(2, 2, CLASS).unwrap();
    clock.advance(Duration::from_secs(301));
    assert_eq!(cache.get(&2, hour), None);

    let Lookup::Hit(hit) = cache.lookup(1, hour, Reuse::Any) else {
        panic!("still live");
    };
    assert_eq!(hit.remaining(), Duration::from_secs(3_600 - 602));
}

#[test]
fn bounds_must_make_sense() {
    let build = |entries| Cache::<u8, u8>::builder().max_entries(entries).build();
    assert_eq!(build(0).unwrap_err(), BuildError::ZeroCapacity);
    let unbounded = Cache::<u8, u8>::builder().build();
    assert_eq!(unbounded.unwrap_err(), BuildError::Unbounded);
    for shards in [0, 65_537, usize::MAX] {
        let built = Cache::<u8, u8>::builder()
            .max_entries(1)
            .shards(shards)
            .build();
        assert_eq!(built.unwrap_err(), BuildError::Shards { shards });
    }
}

#[test]
fn the_bound_is_one_for_all_shards() {
    let cache = Cache::<u32, u32>::builder()
        .max_entries(100)
        .shards(64)
        .build()
        .unwrap();
    for key in 0..10_000 {
        assert_eq!(cache.insert(key, key, CLASS), Ok(None));
        assert_eq!(cache.get(&key, CLASS), Some(key), "just inserted");
        assert_eq!(cache.weight(), u64::from(key + 1).min(100));
    }
    assert_eq!(cache.stats().evictions, 9_900);
    cache.validate().unwrap();
}

#[test]
fn what_is_read_survives_what_is_not() {
    let cache = Cache::<u32, u32>::builder()
        .max_entries(100)
        .shards(1)
        .build()
        .unwrap();
    for key in 0..50 {
        cache.insert(key, key, CLASS).unwrap();
    }
    for scan in 1_000..3_000 {
        cache.insert(scan, scan, CLASS).unwrap();
        cache.get(&(scan % 50), CLASS);
    }
    assert!((0..50).all(|key| cache.get(&key, CLASS).is_some()));
}

#[test]
fn memory_is_given_back() {
    let (cache, clock) = manual::<u32, Arc<()>>(100_000);
    let value = Arc::new(());
    for key in 0..50_000 {
        cache
            .insert(
                key,
                Fill::new(Arc::clone(&value))
                    .tags(["all", if key % 2 == 0 { "even" } else { "odd" }]),
                CLASS,
            )
            .unwrap();
    }
    cache.validate().unwrap();
    assert_eq!(cache.invalidate_tag("even"), 25_000);
    assert_eq!(Arc::strong_count(&value), 25_001);
    cache.validate().unwrap();
    clock.advance(Duration::from_secs(301));
    let mut removed = 0;
    loop {
        let turn = cache.maintain(1_000);
        assert!(turn.removed <= 1_000);
        removed += turn.removed;
        cache.validate().unwrap();
        if !turn.more {
            break;
        }
    }
    assert_eq!((removed, Arc::strong_count(&value)), (25_000, 1));
    // The moved entries still work.
    cache.insert(1, Fill::new(value).tag("all"), CLASS).unwrap();
    assert_eq!(cache.invalidate_tag("all"), 1);
    cache.validate().unwrap();
}

#[test]
fn too_many_tags_are_refused_and_double_ones_are_one() {
    let (cache, _) = manual(10);
    let names: Vec<String> = (0..=MAX_TAGS).map(|n| n.to_string()).collect();
    let mut tags: Vec<&str> = names.iter().map(String::as_str).collect();
    cache.insert(1, "old", CLASS).unwrap();
    let rejected = cache.insert(1, Fill::new("new").tags(&tags), CLASS);
    let rejected = rejected.unwrap_err();
    assert_eq!(
        (rejected.value, rejected.reason),
        ("new", Refusal::TooManyTags)
    );
    assert_eq!(cache.get(&1, CLASS), None, "the old value is outdated");
    tags[0] = tags[1];
    assert_eq!(
        cache.insert(1, Fill::new("new").tags(&tags), CLASS),
        Ok(None)
    );
    assert_eq!(cache.invalidate_tag(tags[0]), 1);
    cache.validate().unwrap();
}

#[test]
fn a_dropped_permit_goes_to_exactly_one_waiter() {
    let (cache, _) = manual::<u32, u32>(10);
    let permit = miss(&cache, 1);
    let wakers: Vec<_> = (0..3).map(|_| Arc::new(CountingWaker::default())).collect();
    let mut waiters: Vec<_> = (0..3).map(|_| wait(&cache, 1)).collect();
    for (waiter, waker) in waiters.iter_mut().zip(&wakers) {
        assert!(waker.poll(waiter).is_pending());
    }
    drop(permit);
    let wakes = || wakers.iter().map(|waker| waker.wakes()).collect::<Vec<_>>();
    assert_eq!(wakes(), [1, 0, 0]);
    // The elected waiter is dropped before it is polled: the next is elected.
    drop(waiters.remove(0));
    assert_eq!(wakes(), [1, 1, 0]);
    let Poll::Ready(Waited::Permit(permit)) = wakers[1].poll(&mut waiters[0]) else {
        panic!("not elected");
    };
    assert_eq!(permit.fill(7), Ok(()));
    assert_eq!(wakes(), [1, 1, 1]);
    let served = wakers[2].poll(&mut waiters[1]);
    assert!(matches!(served, Poll::Ready(Waited::Value(7))));
    assert_eq!(cache.stats().coalesced, 1);
}

#[test]
fn a_value_read_before_an_invalidation_serves_only_those_before_it() {
    let (cache, _) = manual(10);
    let permit = miss(&cache, 1);
    let before = wait(&cache, 1);
    cache.invalidate_tag("claim:7");
    let (after, last) = (wait(&cache, 1), wait(&cache, 1));
    let filled = permit.fill(Fill::new("old").tag("claim:7"));
    assert_eq!(filled, Err(Refusal::Invalidated));
    assert!(matches!(before.wait(), Waited::Value("old")));
    let Waited::Permit(permit) = after.wait() else {
        panic!("began after the invalidation");
    };
    assert_eq!(permit.fill(Fill::new("new").tag("claim:7")), Ok(()));
    assert!(matches!(last.wait(), Waited::Value("new")));
    assert_eq!(cache.get(&1, CLASS), Some("new"));
}

#[test]
fn an_inserted_value_overtakes_a_fill() {
    let (cache, _) = manual(10);
    let permit = miss(&cache, 1);
    let waiter = wait(&cache, 1);
    cache.insert(1, "inserted", CLASS).unwrap();
    assert!(matches!(waiter.wait(), Waited::Value("inserted")));
    assert_eq!(permit.fill("read"), Err(Refusal::Superseded));
    assert_eq!(cache.get(&1, CLASS), Some("inserted"));
}

#[test]
fn a_bypassing_reader_never_joins_and_its_newer_value_wins() {
    let (cache, _) = manual(10);
    let older = miss(&cache, 1);
    let Lookup::Miss(newer) = cache.lookup(1, CLASS, Reuse::Nothing) else {
        panic!("joined a flight");
    };
    assert_eq!(newer.fill("newer"), Ok(()));
    assert_eq!(older.fill("older"), Err(Refusal::Superseded));
    assert_eq!(cache.get(&1, CLASS), Some("newer"));
}

#[test]
fn user_code_runs_unlocked() {
    /// Uses the cache when it is dropped.
    #[derive(Clone)]
    struct Meddler(Arc<Mutex<Option<Cache<u32, Meddler, ManualClock>>>>);

    impl Drop for Meddler {
        fn drop(&mut self) {
            let cache = self.0.lock().unwrap().clone();
            if let Some(cache) = cache {
                assert!(cache.len() <= 2);
                cache.maintain(1);
            }
        }
    }

    let clock = ManualClock::new();
    let home = Arc::new(Mutex::new(None));
    let inside: Arc<Mutex<Option<Cache<u32, Meddler, ManualClock>>>> = Arc::clone(&home);
    let cache = Cache::builder()
        .max_weight(2, move |_, _| {
            let cache = inside.lock().unwrap().clone();
            u64::from(cache.is_some_and(|cache| cache.len() > 5))
        })
        .clock(clock.clone())
        .shards(1)
        .build()
        .unwrap();
    *home.lock().unwrap() = Some(cache.clone());
    let value = || Meddler(Arc::clone(&home));
    for key in 0..4 {
        // Evicts, and replaces.
        cache
            .insert(key, Fill::new(value()).tag("tag"), CLASS)
            .unwrap();
        cache
            .insert(key, Fill::new(value()).tag("tag"), CLASS)
            .unwrap();
    }
    let inner = cache.clone();
    assert_eq!(cache.invalidate_if(move |_, _| inner.len() == 99), 0);
    assert_eq!(cache.invalidate_tag("tag"), 2);
    cache.insert(1, value(), CLASS).unwrap();
    clock.advance(Duration::from_secs(301));
    assert!(cache.get(&1, CLASS).is_none());
    // Ends the cycle of references.
    *home.lock().unwrap() = None;
}

#[test]
fn a_predicate_removes_only_what_it_saw() {
    let (cache, _) = manual(10);
    cache.insert(1, "old", CLASS).unwrap();
    let inner = cache.clone();
    let removed = cache.invalidate_if(move |_, value| {
        // Another entry takes the position while the predicate runs.
        *value == "old" && inner.insert(1, "new", CLASS) == Ok(Some("old"))
    });
    assert_eq!((removed, cache.get(&1, CLASS)), (0, Some("new")));
}

#[test]
fn a_panicking_filler_hands_over() {
    let (cache, _) = manual::<u32, u32>(10);
    let permit = miss(&cache, 1);
    let waiter = wait(&cache, 1);
    let filler = std::thread::spawn(move || {
        let _permit = permit;
        panic!("the source failed (this message belongs to the test)");
    });
    let Waited::Permit(permit) = waiter.wait() else {
        panic!("no value was made");
    };
    assert!(filler.join().is_err());
    assert_eq!(permit.fill(1), Ok(()));
}

#[test]
fn many_threads_one_fill() {
    let cache = Cache::<u32, u64>::builder()
        .max_entries(10)
        .build()
        .unwrap();
    let (fills, barrier) = (AtomicU64::new(0), Barrier::new(16));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                barrier.wait();
                let value = match cache.lookup(1, CLASS, Reuse::Any) {
                    Lookup::Hit(hit) => hit.value,
                    Lookup::Miss(permit) => {
                        let value = fills.fetch_add(1, Ordering::SeqCst);
                        assert_eq!(permit.fill(value), Ok(()));
                        value
                    }
                    Lookup::InFlight(waiter) => match waiter.wait() {
                        Waited::Value(value) => value,
                        other => panic!("the filler did not give up: {other:?}"),
                    },
                    other => panic!("{other:?} without windows"),
                };
                assert_eq!(value, 0);
            });
        }
    });
    assert_eq!(fills.into_inner(), 1);
    let stats = cache.stats();
    assert_eq!(stats.total_requests(), 16);
}

/// A database whose rows have versions. A request must not get a version older than the
/// last one whose invalidation had ended when the request began.
#[test]
fn nothing_stale_under_load() {
    let cache = Cache::<usize, u64>::builder()
        .max_entries(6)
        .shards(4)
        .build()
        .unwrap();
    let keys = 8;
    let versions: Vec<AtomicU64> = (0..keys).map(|_| AtomicU64::new(0)).collect();
    let published: Vec<AtomicU64> = (0..keys).map(|_| AtomicU64::new(0)).collect();
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let (cache, versions, published) = (&cache, &versions, &published);
            scope.spawn(move || {
                for round in 0..3_000 {
                    let key = (round * 2 + writer) % keys;
                    let version = versions[key].fetch_add(1, Ordering::SeqCst) + 1;
                    match round % 5 {
                        0 => cache.invalidate(&key),
                        1 => cache.invalidate_tag(&format!("row:{key}")),
                        2 => cache.invalidate_class(CLASS),
                        3 => cache.invalidate_if(move |known, _| *known == key),
                        _ => cache.invalidate_all(),
                    };
                    published[key].store(version, Ordering::SeqCst);
                }
            });
        }
        for reader in 0..4 {
            let (cache, versions, published) = (&cache, &versions, &published);
            scope.spawn(move || {
                for round in 0..10_000 {
                    let key = (round * 7 + reader) % keys;
                    let floor = published[key].load(Ordering::SeqCst);
                    let fill = |permit: Permit<usize, u64>| {
                        let value = versions[key].load(Ordering::SeqCst);
                        if round % 11 == 0 {
                            drop(permit);
                        } else if round % 13 == 0 {
                            permit.fill(Fill::shared(value)).unwrap_err();
                        } else {
                            let _ = permit.fill(Fill::new(value).tag(format!("row:{key}")));
                        }
                        value
                    };
                    let value = match cache.lookup(key, CLASS, Reuse::Any) {
                        Lookup::Hit(hit) => hit.value,
                        Lookup::Miss(permit) => fill(permit),
                        Lookup::InFlight(_) if round % 17 == 0 => continue,
                        Lookup::InFlight(waiter) => match waiter.wait() {
                            Waited::Value(value) => value,
                            Waited::Permit(permit) => fill(permit),
                            other => panic!("{other:?} without a failure"),
                        },
                        other => panic!("{other:?} without windows"),
                    };
                    assert!(value >= floor, "{value} was served after {floor}");
                }
            });
        }
    });
    cache.validate().unwrap();
    assert!(cache.weight() <= 6);
}
