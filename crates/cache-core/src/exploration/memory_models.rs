//! Loom tests of the log's atomics and the sequence lock: all executions that the memory
//! orders allow, not only those of this machine's processor. Run with
//!
//! ```text
//! RUSTFLAGS="--cfg memory_model" cargo test -p cache-core --lib memory_models
//! ```
//!
//! `LOOM_MAX_PREEMPTIONS` in the environment bounds the number of preemptions (3). All
//! other code is under locks and is tested by the interleavings.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use loom::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use crate::{
    TtlClass,
    exploration::explored::Explored,
    invalidation::log::{InvalidationLog, Selector, Subject},
    seqlock::SeqLock,
};

fn explore(test: impl Fn() + Send + Sync + 'static) {
    let explored = Explored::new("executions");
    let mut builder = loom::model::Builder::new();
    // Without a bound, three threads take hours.
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(explored.counting(test));
}

/// Fills with a version that is accessed by relaxed atomics, so that only the log orders
/// it.
fn fill(log: &InvalidationLog<u32, u64>, version: &AtomicU64) {
    let epoch = log.open();
    let read = version.load(Ordering::Relaxed);
    let subject = Subject {
        hash: 1,
        key: &1,
        value: Some(&read),
        class: TtlClass::DEFAULT,
        tags: None,
    };
    let verdict = log.check(epoch, &subject);
    let passes = verdict.conflict.is_none();
    assert!(!passes || verdict.upto <= read, "an invalidation was lost");
    log.close();
}

fn with_fillers(fillers: usize) {
    explore(move || {
        let log = Arc::new(InvalidationLog::<u32, u64>::new());
        let version = Arc::new(AtomicU64::new(0));
        let fillers: Vec<_> = (0..fillers)
            .map(|_| {
                let (log, version) = (Arc::clone(&log), Arc::clone(&version));
                thread::spawn(move || fill(&log, &version))
            })
            .collect();
        version.store(1, Ordering::Relaxed);
        log.record(Selector::All);
        for filler in fillers {
            filler.join().unwrap();
        }
        assert_eq!(log.size(), (0, 0));
    });
}

#[test]
fn a_permit_is_seen_or_sees_the_epoch() {
    with_fillers(1);
}

#[test]
fn the_last_permit_throws_away_nothing_that_another_needs() {
    with_fillers(2);
}

#[test]
fn words_of_two_writings_are_never_mixed() {
    explore(|| {
        let record = Arc::new(SeqLock::new(0, [0; 2]));
        let writers: Vec<_> = (1..=2)
            .map(|word| {
                let record = Arc::clone(&record);
                thread::spawn(move || record.write(word, [word; 2]))
            })
            .collect();
        let [one, other] = record.read();
        assert_eq!(one, other, "words of two writings");
        for writer in writers {
            writer.join().unwrap();
        }
        assert_eq!(record.read(), [record.alone(); 2]);
    });
}
