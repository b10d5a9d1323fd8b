//! The invalidation log alone, compared with an oracle.

use std::sync::Arc;

use shuttle::{
    rand::{Rng, thread_rng},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use super::{CLASS, explore, join};
use crate::invalidation::log::{InvalidationLog, Selector, Subject};

/// Invalidation number *i* is made after the record has version *i*. One of them reaches
/// the record: a permit that read an older version may pass only if that invalidation is
/// later than the check of the log. There are more invalidations than the log can hold.
#[test]
fn the_log_forgets_nothing_that_a_permit_needs() {
    explore(|| {
        let log = Arc::new(InvalidationLog::<u32, u64>::new());
        let version = Arc::new(AtomicU64::new(0));
        let reaching = thread_rng().gen_range(1..=3);
        let writer = {
            let (log, version) = (Arc::clone(&log), Arc::clone(&version));
            thread::spawn(move || {
                for number in 1..=3 {
                    version.store(number, Ordering::SeqCst);
                    let reaches = number == reaching;
                    log.record(if reaches {
                        Selector::All
                    } else {
                        Selector::Key(7)
                    });
                }
            })
        };
        let filler = |_| {
            let (log, version) = (Arc::clone(&log), Arc::clone(&version));
            thread::spawn(move || {
                for _ in 0..2 {
                    let epoch = log.open();
                    let read = version.load(Ordering::SeqCst);
                    let verdict = log.check(
                        epoch,
                        &Subject {
                            hash: 1,
                            key: &1,
                            value: Some(&read),
                            class: CLASS,
                            tags: None,
                        },
                    );
                    let passes = verdict.conflict.is_none();
                    let outdated = read < reaching && reaching <= verdict.upto;
                    assert!(!passes || !outdated, "an invalidation was lost");
                    log.close();
                }
            })
        };
        let fillers: Vec<_> = (0..2).map(filler).collect();
        join(fillers.into_iter().chain([writer]));
        assert_eq!(log.size(), (0, 0));
    });
}
