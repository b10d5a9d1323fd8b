//! How much memory a full cache takes, against its budget.
//!
//! `cargo xtask bench memory [-- --quick]`
//!
//! The first rows are full of answers of one kind, without memberships and detections,
//! and are compared with the weight of the answers; the last has all stores full, and is
//! compared with the budget. Bytes are those that the allocator was asked for.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures, and fails by panicking"
)]

#[path = "../tests/filling/mod.rs"]
mod filling;

use std::alloc::System;

use filling::{Taken, all_stores, answers};
use intent_router::Capacity;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn row(what: &str, taken: &Taken) {
    let share = taken.bytes as f64 / taken.expected as f64;
    println!(
        "| {what} | {} | {} | {} | {:.1} % |",
        taken.entries,
        taken.expected,
        taken.bytes,
        share * 100.0
    );
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let budget = if quick { 4 << 20 } else { 64 << 20 };
    println!(
        "| a cache of {} MiB | entries | expected | taken | |",
        budget >> 20
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (size, records) in [
        (40, 0),
        (40, 3),
        (400, 2),
        (8_000, 5),
        (60_000, 1),
        (400, 200),
    ] {
        let taken = answers(Capacity::Bytes(budget), size, records);
        row(
            &format!("answers of {size} bytes, {records} records"),
            &taken,
        );
    }
    row("all stores", &all_stores(budget));
}
