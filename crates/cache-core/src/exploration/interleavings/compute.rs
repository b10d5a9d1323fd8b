//! `compute` is atomic, whatever else happens to the key.

use std::{collections::BTreeSet, sync::Arc};

use shuttle::{
    rand::{Rng, thread_rng},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use super::{CLASS, chance, check_idle, explore, invalidate, join, run_each, store};
use crate::{Fill, Lookup, Op, Reuse};

/// Threads compute, insert, fill and invalidate one key. Each value is stored once, so two
/// computations that replace the same value are detected.
#[test]
fn no_two_computations_replace_the_same_value() {
    explore(|| {
        let (store, _) = store(10, 1);
        let next = Arc::new(AtomicU64::new(1));
        let replaced = Arc::new(Mutex::new(Vec::new()));
        let actor = {
            let (store, replaced) = (store.clone(), Arc::clone(&replaced));
            move || {
                let fresh = || Fill::new(next.fetch_add(1, Ordering::SeqCst)).tag("row");
                for _ in 0..2 {
                    match thread_rng().gen_range(0..8) {
                        0 => {
                            invalidate(&store, 1, thread_rng().gen_range(0..6));
                        }
                        1 => drop(store.insert(1, fresh(), CLASS)),
                        2 => {
                            let lookup = store.lookup(1, CLASS, Reuse::Nothing);
                            if let Lookup::Miss(permit) = lookup {
                                let _ = permit.fill(fresh());
                            }
                        }
                        _ => {
                            let mut seen = None;
                            let removes = chance(4);
                            let _ = store.compute_blocking(1, CLASS, |current| {
                                seen = current.map(|hit| hit.value);
                                if removes {
                                    Op::Remove
                                } else {
                                    Op::Put(fresh())
                                }
                            });
                            replaced.lock().unwrap().extend(seen);
                        }
                    }
                }
            }
        };
        run_each(3, actor);
        check_idle(&store);
        let replaced = replaced.lock().unwrap();
        let different: BTreeSet<_> = replaced.iter().collect();
        assert_eq!(different.len(), replaced.len(), "a step was lost");
    });
}

/// A fill that began before a computation may end during it: either the computation
/// replaces its value, or the value is not stored.
#[test]
fn a_computation_loses_no_older_fill() {
    explore(|| {
        let (store, _) = store(10, 1);
        let replaced = Arc::new(Mutex::new(Vec::new()));
        let stored = Arc::new(Mutex::new(None));
        let filler = {
            let (store, stored) = (store.clone(), Arc::clone(&stored));
            thread::spawn(move || {
                if let Lookup::Miss(permit) = store.lookup(1, CLASS, Reuse::Nothing) {
                    *stored.lock().unwrap() = permit.fill(100).ok();
                }
            })
        };
        let computing = {
            let (store, replaced) = (store.clone(), Arc::clone(&replaced));
            move || {
                let mut seen = None;
                let put = store.compute_blocking(1, CLASS, |current| {
                    seen = current.map(|hit| hit.value);
                    Op::Put(Fill::new(1))
                });
                put.unwrap();
                replaced.lock().unwrap().extend(seen);
            }
        };
        run_each(2, computing);
        join([filler]);
        check_idle(&store);
        if stored.lock().unwrap().is_some() {
            let last = store.get(&1, CLASS);
            let replaced = replaced.lock().unwrap();
            assert!(
                last == Some(100) || replaced.contains(&100),
                "a step was lost"
            );
        }
    });
}
