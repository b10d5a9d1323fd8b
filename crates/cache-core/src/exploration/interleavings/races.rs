//! Fills against invalidations and insertions: the later one wins.

use std::time::Duration;

use shuttle::{
    rand::{Rng, thread_rng},
    thread,
};

use super::{CLASS, Permit, Row, Store, check_idle, explore, join, miss, run_each, store};
use crate::{Fill, Lookup, Refusal, Reuse, Waited};

#[test]
fn nothing_read_before_an_invalidation_is_served_after_it() {
    explore(|| {
        let (store, _) = store(2, 1);
        let row = Row::new();
        let writer = {
            let (store, row) = (store.clone(), row.clone());
            thread::spawn(move || (0..2).for_each(|_| row.change(&store)))
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

fn request(store: &Store, row: &Row) {
    let floor = row.floor();
    let fill = |permit: Permit| {
        let value = row.read();
        match thread_rng().gen_range(0..6) {
            0 => drop(permit),
            1 => drop(permit.fill(Fill::shared(value))),
            _ => {
                let _ = permit.fill(Fill::new(value).tag("row"));
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
        // Some waiters are cancelled, elected or not.
        Lookup::InFlight(_) if super::chance(4) => return,
        Lookup::InFlight(waiter) => match waiter.wait() {
            Waited::Value(value) => value,
            Waited::Permit(permit) => fill(permit),
            other => panic!("{other:?} without a failure"),
        },
        other => panic!("{other:?} without windows"),
    };
    assert!(value >= floor, "version {value} was served after {floor}");
}

/// An insertion ends a fill in flight, whatever the filler, the waiters and the elected
/// waiter are doing.
#[test]
fn an_insertion_serves_all_who_wait() {
    explore(|| {
        let (store, _) = store(4, 1);
        let permit = miss(&store, 1);
        let waiters: Vec<_> = (0..2)
            .map(|_| match store.lookup(1, CLASS, Reuse::Any) {
                Lookup::InFlight(waiter) => waiter,
                _ => panic!("the key is being filled"),
            })
            .map(|waiter| {
                thread::spawn(move || match waiter.wait() {
                    Waited::Value(value) => assert_eq!(value, 2),
                    Waited::Permit(permit) => match permit.fill(2) {
                        Ok(()) | Err(Refusal::Superseded) => (),
                        other => panic!("{other:?}"),
                    },
                    other => panic!("{other:?} without a failure"),
                })
            })
            .collect();
        let dropper = thread::spawn(move || drop(permit));
        let _ = store.insert(1, 2, CLASS);
        assert_eq!(store.get(&1, CLASS), Some(2));
        join(waiters.into_iter().chain([dropper]));
        check_idle(&store);
    });
}

/// Of a concurrent fill and insertion, the inserted value stays, because the value that was
/// read may be older.
#[test]
fn a_fill_never_overwrites_what_was_inserted() {
    explore(|| {
        let (store, _) = store(4, 1);
        let filler = {
            let store = store.clone();
            thread::spawn(move || match store.lookup(1, CLASS, Reuse::Any) {
                Lookup::Miss(permit) => {
                    let _ = permit.fill(1);
                }
                Lookup::Hit(hit) => assert_eq!(hit.value, 2),
                other => panic!("{other:?} with one filler"),
            })
        };
        let _ = store.insert(1, 2, CLASS);
        join([filler]);
        assert_eq!(store.get(&1, CLASS), Some(2));
        check_idle(&store);
    });
}

/// A fill that keeps meeting invalidations of other keys stops checking them after some
/// retries, and must not be stored if one of them reaches it.
#[test]
fn a_fill_without_retries_left_is_refused() {
    explore(|| {
        let (store, _) = store(4, 1);
        let permit = miss(&store, 1);
        let filler = thread::spawn(move || {
            let _ = permit.fill(1);
        });
        store.invalidate(&2);
        store.invalidate(&1);
        join([filler]);
        assert_eq!(store.get(&1, CLASS), None);
        check_idle(&store);
    });
}

/// A waiter that takes over a fill reads after its election, so earlier invalidations do
/// not refuse its value.
#[test]
fn an_invalidation_before_the_election_refuses_nothing() {
    explore(|| {
        let (store, _) = store(4, 1);
        let permit = miss(&store, 1);
        let Lookup::InFlight(waiter) = store.lookup(1, CLASS, Reuse::Any) else {
            panic!("the key is being filled");
        };
        store.invalidate(&1);
        let dropper = thread::spawn(move || drop(permit));
        let Waited::Permit(permit) = waiter.wait() else {
            panic!("nothing was filled");
        };
        assert_eq!(permit.fill(2), Ok(()));
        join([dropper]);
        check_idle(&store);
    });
}

/// A predicate checks copies, without a lock. An entry that has taken the position of a
/// copied one is not removed.
#[test]
fn a_predicate_removes_only_what_it_was_asked_about() {
    explore(|| {
        let (store, _) = store(2, 1);
        let _ = store.insert(1, 1, CLASS);
        let sweeper = {
            let store = store.clone();
            thread::spawn(move || {
                store.invalidate_if(|_, value| value % 2 == 1);
            })
        };
        let filler = {
            let store = store.clone();
            thread::spawn(move || {
                // Removed and inserted, so that another entry may take the position.
                store.invalidate(&1);
                let inserted = store.insert(1, 2, CLASS);
                assert_eq!(inserted, Ok(None));
            })
        };
        let _ = store.insert(2, 4, CLASS);
        join([sweeper, filler]);
        assert_eq!(store.get(&1, CLASS), Some(2));
        assert_eq!(store.get(&2, CLASS), Some(4));
        check_idle(&store);
    });
}
