//! All operations at once: the counters add up, and the bound holds.

use std::{sync::Arc, time::Duration};

use shuttle::{
    rand::{Rng, thread_rng},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use super::{CLASS, chance, check_idle, explore, invalidate, join, run_each, store};
use crate::{Fill, Lookup, Reuse};

/// A counter that several threads add to.
#[derive(Clone)]
struct Tally(Arc<AtomicU64>);

impl Tally {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(0)))
    }

    fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::SeqCst);
    }

    fn sum(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Insertions, fills, expiry, eviction and maintenance at once, with more shards than
/// entries: every look-up counts once, as a hit or a miss, and every invalidated entry is
/// in the count that one invalidation returned.
#[test]
fn everything_at_once_keeps_the_counters() {
    explore(|| {
        let (store, clock) = store(2, 2);
        let (asked, removed) = (Tally::new(), Tally::new());
        let actor = {
            let (store, asked, removed) = (store.clone(), asked.clone(), removed.clone());
            move || {
                for _ in 0..4 {
                    let key = thread_rng().gen_range(0..4);
                    match thread_rng().gen_range(0..6) {
                        0 => {
                            let _ = store.insert(key, Fill::new(1).tag("row"), CLASS);
                        }
                        1 => {
                            let how = thread_rng().gen_range(0..6);
                            removed.add(invalidate(&store, key, how) as u64);
                        }
                        2 => {
                            clock.advance(Duration::from_secs(200));
                            store.maintain(1);
                        }
                        3 => {
                            store.get(&key, CLASS);
                            asked.add(1);
                        }
                        _ => {
                            asked.add(1);
                            if let Lookup::Miss(permit) = store.lookup(key, CLASS, Reuse::Any) {
                                let _ = permit.fill(Fill::new(1).tag("row"));
                            }
                        }
                    }
                }
            }
        };
        run_each(3, actor);
        check_idle(&store);
        let stats = store.stats();
        assert_eq!(stats.hits + stats.misses, asked.sum(), "look-ups counted");
        assert_eq!(stats.invalidations, removed.sum(), "removals counted");
    });
}

/// Above the bound, entries of other shards are evicted as well, and every insertion is
/// accounted for: as stored, evicted or invalidated.
#[test]
fn eviction_across_shards_keeps_the_bound_and_the_counters() {
    explore(|| {
        let (store, _) = store(2, 4);
        let (entered, removed) = (Tally::new(), Tally::new());
        let sweeper = {
            let (store, removed) = (store.clone(), removed.clone());
            thread::spawn(move || {
                let count = if chance(2) {
                    store.invalidate_if(|key, _| key % 2 == 0)
                } else {
                    store.invalidate_tag("row")
                };
                removed.add(count as u64);
            })
        };
        let actor = {
            let (store, entered) = (store.clone(), entered.clone());
            move || {
                for _ in 0..3 {
                    let key = thread_rng().gen_range(0..8);
                    if store.insert(key, Fill::new(1).tag("row"), CLASS) == Ok(None) {
                        entered.add(1);
                    }
                }
            }
        };
        run_each(2, actor);
        join([sweeper]);
        check_idle(&store);
        let stats = store.stats();
        assert_eq!(stats.invalidations, removed.sum());
        let left = stats.invalidations + stats.evictions + stats.entries as u64;
        assert_eq!(left, entered.sum(), "an entry came or left uncounted");
    });
}
