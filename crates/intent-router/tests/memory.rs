//! A full cache takes as much memory as its budget, whatever is in it. Alone in its
//! program: the allocator counts the bytes of the whole process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod filling;

use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

use filling::{Taken, all_stores, answers};
use intent_router::Capacity;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MIB: u64 = 1 << 20;

/// One test at a time counts.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[track_caller]
fn within_15_percent(what: &str, taken: &Taken) {
    let share = taken.bytes as f64 / taken.expected as f64;
    assert!(
        (0.85..=1.15).contains(&share),
        "{what}: {} bytes, {share:.3} of what is expected",
        taken.bytes
    );
}

#[test]
fn answers_of_every_kind_take_what_they_weigh() {
    let _turn = alone();
    for (size, records) in [
        (40, 0),
        (40, 3),
        (400, 2),
        (8_000, 5),
        (60_000, 1),
        (400, 200),
    ] {
        let taken = answers(Capacity::Bytes(8 * MIB), size, records);
        within_15_percent(&format!("{size} bytes, {records} records"), &taken);
    }
}

/// Tables grow in steps: no size of a cache is worse than others.
#[test]
fn caches_of_every_size_take_what_they_weigh() {
    let _turn = alone();
    for quarters in [8, 9, 10, 11, 13, 15] {
        let taken = answers(Capacity::Bytes(quarters * MIB / 4), 40, 3);
        within_15_percent(&format!("{quarters} quarters of a MiB"), &taken);
    }
}

/// An answer of a cache that is bounded by their number takes as much as in one that is
/// bounded by bytes.
#[test]
fn a_bound_in_entries_takes_as_much_for_each() {
    let _turn = alone();
    let bytes = answers(Capacity::Bytes(8 * MIB), 400, 2);
    for entries in [2_000, 3_000, 5_000] {
        let mut taken = answers(Capacity::Entries(entries), 400, 2);
        assert_eq!(taken.expected, entries as u64);
        taken.expected = bytes.expected / bytes.entries as u64 * taken.entries as u64;
        within_15_percent(&format!("{entries} entries"), &taken);
    }
}

#[test]
fn all_stores_together_take_the_budget() {
    let _turn = alone();
    within_15_percent("all stores", &all_stores(8 * MIB));
}
