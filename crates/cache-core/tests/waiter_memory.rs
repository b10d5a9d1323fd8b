//! The memory of fills in flight, counted by the allocator. In its own program, because the
//! count is of the whole process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::System;

use cache_core::{Cache, Lookup, Reuse, TtlClass};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CLASS: TtlClass = TtlClass::DEFAULT;
const CROWD: u64 = 10_000;

/// The bytes that are still allocated after `act`.
fn left_by(act: impl FnOnce()) -> i128 {
    let region = Region::new(ALLOCATOR);
    act();
    let change = region.change();
    change.bytes_allocated as i128 - change.bytes_deallocated as i128
}

/// Many waiters of `keys` keys are dropped in another order than they began; fillers are
/// dropped in between.
fn come_and_go(cache: &Cache<u64, u64>, keys: u64) {
    let mut held: Vec<_> = (0..CROWD)
        .map(|number| Some(cache.lookup(number % keys, CLASS, Reuse::Any)))
        .collect();
    // The step is coprime to the number of waiters, so every waiter is visited.
    for number in 0..CROWD {
        held[(number * 7_919 % CROWD) as usize] = None;
    }
    assert!(held.iter().all(Option::is_none));
}

#[test]
fn ten_thousand_waiters_leave_no_memory_behind() {
    let cache = Cache::<u64, u64>::builder()
        .max_entries(100)
        .build()
        .unwrap();
    // Allocations that are kept for reuse are made here.
    come_and_go(&cache, 1);
    for keys in [1, 10, 1_000, CROWD] {
        let left = left_by(|| come_and_go(&cache, keys));
        // The test harness may allocate a little at the same time; a byte per waiter would
        // be more.
        assert!(left < i128::from(CROWD), "{left} bytes for {keys} keys");
        cache.validate().unwrap();
    }
    let found = cache.lookup(1, CLASS, Reuse::Any);
    assert!(matches!(found, Lookup::Miss(_)), "somebody still fills");
}
