//! Stale entries, entries served for failed fills, negative entries.

use std::{sync::Arc, time::Duration};

use shuttle::{
    rand::{Rng, thread_rng},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::{CLASS, Permit, Row, Store, chance, check_idle, explore, join, run_each};
use crate::{Fill, Freshness, Lookup, ManualClock, Reuse, Waited};

const MINUTE: Duration = Duration::from_secs(60);

/// A store with a TTL of a minute, and windows that end one and two minutes later.
fn store() -> (Store, ManualClock) {
    let (store, clock) = super::store(2, 1);
    let policy = Freshness::ttl(MINUTE)
        .with_stale_while_revalidate(MINUTE)
        .with_stale_if_error(2 * MINUTE)
        .with_negative_ttl(MINUTE);
    store.classes().set_freshness(CLASS, policy);
    (store, clock)
}

/// Counts the permits of the key; there must never be two.
#[derive(Clone)]
struct Holders(Arc<AtomicUsize>);

impl Holders {
    fn hold(&self) {
        let others = self.0.fetch_add(1, Ordering::SeqCst);
        assert_eq!(others, 0, "two hold a permit of one key");
    }

    fn release(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Ends a permit in a random way, and returns its holder's answer: the version that it
/// read, or the stored entry that is served instead.
fn end(permit: Permit, row: &Row) -> Option<u64> {
    let value = row.read();
    match thread_rng().gen_range(0..8) {
        0 => drop(permit),
        1 => drop(permit.fill(Fill::shared(value))),
        2 => {
            let _ = permit.fill(Fill::negative(value).tag("row"));
        }
        3 | 4 => {
            // The error dates from the moment of the query.
            return permit.fail(value.to_string()).ok().map(|hit| hit.value);
        }
        _ => {
            let _ = permit.fill(Fill::new(value).tag("row"));
        }
    }
    Some(value)
}

fn request(store: &Store, row: &Row) {
    let floor = row.floor();
    let reuse = match thread_rng().gen_range(0..6) {
        0 => Reuse::Nothing,
        1 => Reuse::MaxAge(Duration::MAX),
        _ => Reuse::Any,
    };
    let check = |value| assert!(value >= floor, "version {value} was served after {floor}");
    let answer = match store.lookup(1, CLASS, reuse) {
        Lookup::Hit(hit) | Lookup::Negative(hit) => Some(hit.value),
        Lookup::Stale(hit, permit) => {
            assert_eq!(reuse, Reuse::Any, "a stale entry was not asked for");
            check(hit.value);
            permit.and_then(|permit| end(permit, row))
        }
        Lookup::Miss(permit) => end(permit, row),
        Lookup::InFlight(_) if chance(6) => None,
        Lookup::InFlight(waiter) => match waiter.wait() {
            Waited::Value(value) | Waited::Negative(value) => Some(value),
            Waited::Stale(hit) => {
                assert_eq!(reuse, Reuse::Any, "a stale entry was not asked for");
                Some(hit.value)
            }
            Waited::Failed(error) => error.to_string().parse().ok(),
            Waited::Permit(permit) => end(permit, row),
        },
        other => panic!("{other:?} without early refresh"),
    };
    if let Some(value) = answer {
        check(value);
    }
}

/// Stale and negative entries, entries served for errors, and errors themselves are not
/// returned after an invalidation that reaches them.
#[test]
fn nothing_invalidated_is_served_stale_or_stands_in() {
    explore(|| {
        let (store, clock) = store();
        let row = Row::new();
        let _ = store.insert(1, Fill::new(0).tag("row"), CLASS);
        clock.advance(MINUTE * 3 / 2);
        let writer = {
            let (store, row) = (store.clone(), row.clone());
            thread::spawn(move || {
                row.change(&store);
                // From fresh to stale, or from stale to the `stale_if_error` window.
                clock.advance(MINUTE);
                row.change(&store);
            })
        };
        let reader = {
            let store = store.clone();
            move || (0..2).for_each(|_| request(&store, &row))
        };
        run_each(3, reader);
        join([writer]);
        check_idle(&store);
    });
}

/// All readers are served at once, and one at a time refreshes the entry, however that
/// ends. Readers wait only if the entry is gone.
#[test]
fn one_at_a_time_refreshes() {
    explore(|| {
        let (store, clock) = store();
        let _ = store.insert(1, 0, CLASS);
        clock.advance(MINUTE * 3 / 2);
        let holders = Holders(Arc::new(AtomicUsize::new(0)));
        let sweeper = {
            let store = store.clone();
            thread::spawn(move || {
                store.invalidate(&1);
            })
        };
        let reader = {
            let store = store.clone();
            move || {
                let permit = match store.lookup(1, CLASS, Reuse::Any) {
                    Lookup::Stale(_, permit) => permit,
                    Lookup::Miss(permit) => Some(permit),
                    Lookup::InFlight(waiter) => match waiter.wait() {
                        Waited::Permit(permit) => Some(permit),
                        _ => None,
                    },
                    _ => None,
                };
                let Some(permit) = permit else {
                    return;
                };
                holders.hold();
                thread::yield_now();
                holders.release();
                match thread_rng().gen_range(0..4) {
                    0 => drop(permit),
                    1 => {
                        let _ = permit.fail("the database is away");
                    }
                    _ => {
                        let _ = permit.fill(1);
                    }
                }
            }
        };
        run_each(3, reader);
        join([sweeper]);
        check_idle(&store);
    });
}

/// A refresh that is in flight when its entry is invalidated is refused, and nothing is
/// left to be served.
#[test]
fn an_invalidation_during_a_refresh_wins() {
    explore(|| {
        let (store, clock) = store();
        let _ = store.insert(1, Fill::new(0).tag("row"), CLASS);
        clock.advance(MINUTE * 3 / 2);
        let Lookup::Stale(_, Some(permit)) = store.lookup(1, CLASS, Reuse::Any) else {
            panic!("the entry is stale, and nobody refreshes yet");
        };
        let negative = chance(2);
        let filler = thread::spawn(move || {
            let filled = if negative {
                permit.fill(Fill::negative(1).tag("row"))
            } else {
                permit.fill(Fill::new(1).tag("row"))
            };
            // Unless it ended before the invalidation began.
            assert!(matches!(filled, Ok(()) | Err(_)));
        });
        super::invalidate(&store, 1, thread_rng().gen_range(0..6));
        // It began before the invalidation, so its value is not stored afterwards.
        match store.lookup(1, CLASS, Reuse::Any) {
            Lookup::Miss(_) => {}
            // The refresh is in flight, but this reader must not get its value.
            Lookup::InFlight(waiter) => {
                assert!(matches!(waiter.wait(), Waited::Permit(_)));
            }
            other => panic!("{other:?} of what was invalidated"),
        }
        join([filler]);
        assert_eq!(store.len(), 0);
        check_idle(&store);
    });
}
