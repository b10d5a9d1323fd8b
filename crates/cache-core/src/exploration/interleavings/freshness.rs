//! Windows for stale entries, stand-ins for failed fills, negative entries.

use std::{sync::Arc, time::Duration};

use shuttle::{
    rand::{Rng, thread_rng},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::{CLASS, Permit, Row, Store, chance, check_idle, explore, join, run_each};
use crate::{Fill, Freshness, Lookup, ManualClock, Reuse, Waited};

const MINUTE: Duration = Duration::from_secs(60);

/// A store whose entries are fresh, stale, and good for errors only, for a
/// minute each.
fn store() -> (Store, ManualClock) {
    let (store, clock) = super::store(2, 1);
    let policy = Freshness::ttl(MINUTE)
        .with_stale_while_revalidate(MINUTE)
        .with_stale_if_error(2 * MINUTE)
        .with_negative_ttl(MINUTE);
    store.classes().set_freshness(CLASS, policy);
    (store, clock)
}

/// Counts who holds a permit; there must never be two for the key.
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

/// Ends a permit in any of the ways there are, and returns what its holder may
/// answer: what it read itself, or what stands in for it.
fn end(permit: Permit, row: &Row) -> Option<u64> {
    let value = row.read();
    match thread_rng().gen_range(0..8) {
        0 => drop(permit),
        1 => drop(permit.fill(Fill::shared(value))),
        2 => {
            let _ = permit.fill(Fill::negative(value).tag("row"));
        }
        3 | 4 => {
            // The error is of the moment in which the source was asked.
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

/// Stale values, negative ones, stand-ins and errors are values as any: none is
/// told once an invalidation that reaches it has ended.
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
                // From fresh to stale, or from stale to what only errors bring.
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

/// All are served at once, and one at a time makes the entry anew, whatever
/// becomes of it: others wait only when the entry has gone.
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

/// A refresh under way when its entry is invalidated was begun before that: it
/// is refused, and nothing is left to be served.
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
            // Unless it was over before the invalidation began.
            assert!(matches!(filled, Ok(()) | Err(_)));
        });
        super::invalidate(&store, 1, thread_rng().gen_range(0..6));
        // It had begun before; whether it ends before or after, no trace stays.
        match store.lookup(1, CLASS, Reuse::Any) {
            Lookup::Miss(_) => {}
            // The refresh is not over, but what it brings is not for this one.
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
