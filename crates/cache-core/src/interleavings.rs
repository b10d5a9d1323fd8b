//! Randomised schedules over the real code: every lock, atomic, park and spawn
//! is a point where the scheduler may switch. A waiter that hangs is a deadlock
//! that it reports. Run with
//!
//! ```text
//! RUSTFLAGS="--cfg shuttle" cargo test -p cache-core --lib interleavings
//! ```
//!
//! `SCHEDULES` in the environment sets how many are tried per test (2,000).

use std::{
    collections::hash_map::DefaultHasher, hash::BuildHasherDefault, sync::Arc, time::Duration,
};

use shuttle::{
    rand::{Rng, thread_rng},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use crate::{
    Cache, Lookup, ManualClock, Permit, Refusal, Reuse, TtlClass, Waited,
    log::{InvalidationLog, Selector, Subject},
    permit::Filled,
};

/// Hashes alike in every run, so that a failing schedule can be replayed.
type Fixed = BuildHasherDefault<DefaultHasher>;
type Store = Cache<u32, u64, ManualClock, Fixed>;

const CLASS: TtlClass = TtlClass::LIVE_DATA;

fn explore(test: impl Fn() + Send + Sync + 'static) {
    let schedules = std::env::var("SCHEDULES")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(2_000);
    let test = Arc::new(test);
    let random = Arc::clone(&test);
    shuttle::check_random(move || random(), schedules / 2);
    // Few switches at chosen places find other bugs than many at random ones.
    shuttle::check_pct(move || test(), schedules / 2, 3);
}

fn store(entries: usize, shards: usize) -> (Store, ManualClock) {
    let clock = ManualClock::new();
    let store = Cache::builder()
        .max_entries(entries)
        .shards(shards)
        .clock(clock.clone())
        .hasher(Fixed::default())
        .build()
        .unwrap();
    (store, clock)
}

/// What is left when all are done: sound links, no flight, an empty log.
fn check_idle(store: &Store) {
    store.validate().unwrap();
    assert_eq!(store.inner.log.size(), (0, 0), "permits or events are left");
    let stats = store.stats();
    assert_eq!(stats.hits + stats.misses, stats.total_requests());
    assert!(store.weight() <= store.capacity());
}

fn invalidate(store: &Store, key: u32, how: u32) -> usize {
    match how {
        0 => store.invalidate(&key),
        1 => store.invalidate_tag("row"),
        2 => store.invalidate_class(CLASS),
        3 => store.invalidate_if(move |known, _| *known == key),
        _ => store.invalidate_all(),
    }
}

/// A database of one row whose version counts up; a request may be served any
/// version but those older than an invalidation that ended before it began.
#[test]
fn nothing_read_before_an_invalidation_is_served_after_it() {
    explore(|| {
        let (store, _) = store(2, 1);
        let version = Arc::new(AtomicU64::new(0));
        let published = Arc::new(AtomicU64::new(0));
        let mut threads = Vec::new();
        {
            let (store, version, published) =
                (store.clone(), Arc::clone(&version), Arc::clone(&published));
            threads.push(thread::spawn(move || {
                for _ in 0..2 {
                    let next = version.fetch_add(1, Ordering::SeqCst) + 1;
                    invalidate(&store, 1, thread_rng().gen_range(0..5));
                    published.store(next, Ordering::SeqCst);
                }
            }));
        }
        for _ in 0..3 {
            let (store, version, published) =
                (store.clone(), Arc::clone(&version), Arc::clone(&published));
            threads.push(thread::spawn(move || {
                for _ in 0..2 {
                    request(&store, &version, &published);
                }
            }));
        }
        for thread in threads {
            thread.join().unwrap();
        }
        check_idle(&store);
    });
}

fn request(store: &Store, version: &AtomicU64, published: &AtomicU64) {
    let floor = published.load(Ordering::SeqCst);
    let fill = |permit: Permit<u32, u64, ManualClock, Fixed>| {
        let value = version.load(Ordering::SeqCst);
        match thread_rng().gen_range(0..6) {
            0 => drop(permit),
            1 => permit.share(value),
            _ => {
                permit.fill(value, &["row"]);
            }
        }
        value
    };
    let reuse = match thread_rng().gen_range(0..6) {
        0 => Reuse::Nothing,
        1 => Reuse::MaxAge(Duration::ZERO),
        _ => Reuse::Any,
    };
    let value = match store.lookup(1, CLASS, reuse) {
        Lookup::Hit(hit) => hit.value,
        Lookup::Miss(permit) => fill(permit),
        // Some are cancelled, elected or not.
        Lookup::InFlight(_) if thread_rng().gen_range(0..4) == 0 => return,
        Lookup::InFlight(waiter) => match waiter.wait() {
            Waited::Value(value) => value,
            Waited::Permit(permit) => fill(permit),
            other => panic!("{other:?} without a failure"),
        },
        other => panic!("{other:?} without windows"),
    };
    assert!(value >= floor, "version {value} was served after {floor}");
}

/// However permits are dropped and waiters cancelled, all others come through.
#[test]
fn nobody_hangs_when_fillers_and_waiters_give_up() {
    explore(|| {
        let (store, _) = store(2, 1);
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let store = store.clone();
                thread::spawn(move || {
                    let permit = match store.lookup(1, CLASS, Reuse::Any) {
                        Lookup::Hit(_) => return,
                        Lookup::Miss(permit) => permit,
                        Lookup::InFlight(_) if thread_rng().gen_range(0..3) == 0 => return,
                        Lookup::InFlight(waiter) => match waiter.wait() {
                            Waited::Value(_) => return,
                            Waited::Permit(permit) => permit,
                            other => panic!("{other:?} without a failure"),
                        },
                        other => panic!("{other:?} without windows"),
                    };
                    if thread_rng().gen_range(0..2) == 0 {
                        permit.fill(1, &[]);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        check_idle(&store);
    });
}

/// Inserting, filling, expiring, evicting and maintaining at once, over more
/// shards than entries: counts and links stay true, the bound holds.
#[test]
fn everything_at_once_keeps_the_books() {
    explore(|| {
        let (store, clock) = store(2, 2);
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (store, clock) = (store.clone(), clock.clone());
                thread::spawn(move || {
                    for _ in 0..4 {
                        let key = thread_rng().gen_range(0..4);
                        match thread_rng().gen_range(0..6) {
                            0 => {
                                store.insert(key, 1, CLASS, &["row"]);
                            }
                            1 => {
                                invalidate(&store, key, thread_rng().gen_range(0..5));
                            }
                            2 => {
                                clock.advance(Duration::from_secs(200));
                                store.maintain(1);
                            }
                            3 => {
                                store.get(&key, CLASS);
                            }
                            _ => {
                                if let Lookup::Miss(permit) = store.lookup(key, CLASS, Reuse::Any) {
                                    permit.fill(1, &["row"]);
                                }
                            }
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        check_idle(&store);
    });
}

/// An insertion that overtakes a fill ends it whatever the filler, the waiters
/// and the elected are doing.
#[test]
fn an_insertion_serves_all_who_wait() {
    explore(|| {
        let (store, _) = store(4, 1);
        let Lookup::Miss(permit) = store.lookup(1, CLASS, Reuse::Any) else {
            panic!("the store is empty");
        };
        let waiters: Vec<_> = (0..2)
            .map(|_| match store.lookup(1, CLASS, Reuse::Any) {
                Lookup::InFlight(waiter) => waiter,
                _ => panic!("the key is being filled"),
            })
            .map(|waiter| {
                thread::spawn(move || match waiter.wait() {
                    Waited::Value(value) => assert_eq!(value, 2),
                    Waited::Permit(permit) => match permit.fill(2, &[]) {
                        Filled::Stored | Filled::Refused(Refusal::Superseded) => (),
                        other => panic!("{other:?}"),
                    },
                    other => panic!("{other:?} without a failure"),
                })
            })
            .collect();
        let dropper = thread::spawn(move || drop(permit));
        store.insert(1, 2, CLASS, &[]);
        assert_eq!(store.get(&1, CLASS), Some(2));
        dropper.join().unwrap();
        for waiter in waiters {
            waiter.join().unwrap();
        }
        check_idle(&store);
    });
}

/// The log alone, against its own oracle: invalidation number *i* is made after
/// the record has version *i*, so that a permit which read version *v* may pass
/// only if the log was asked about no invalidation beyond *v*.
#[test]
fn the_log_forgets_nothing_that_a_permit_needs() {
    explore(|| {
        let log = Arc::new(InvalidationLog::<u32, u64>::new());
        let version = Arc::new(AtomicU64::new(0));
        let writer = {
            let (log, version) = (Arc::clone(&log), Arc::clone(&version));
            thread::spawn(move || {
                for number in 1..=3 {
                    version.store(number, Ordering::SeqCst);
                    log.record(Selector::All);
                }
            })
        };
        let fillers: Vec<_> = (0..2)
            .map(|_| {
                let (log, version) = (Arc::clone(&log), Arc::clone(&version));
                thread::spawn(move || {
                    for _ in 0..2 {
                        let epoch = log.open();
                        let read = version.load(Ordering::SeqCst);
                        let verdict = log.judge(
                            epoch,
                            &Subject {
                                hash: 1,
                                key: &1,
                                value: &read,
                                class: CLASS,
                                tags: None,
                            },
                        );
                        let passes = verdict.conflict.is_none();
                        assert!(!passes || verdict.upto <= read, "an invalidation was lost");
                        log.close();
                    }
                })
            })
            .collect();
        writer.join().unwrap();
        for filler in fillers {
            filler.join().unwrap();
        }
        assert_eq!(log.size(), (0, 0));
    });
}
