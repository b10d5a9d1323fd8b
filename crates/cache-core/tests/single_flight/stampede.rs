//! Ten thousand concurrent requests for one key.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use cache_core::{Lookup, Reuse, Waited};
use pollster::block_on;
use tokio::runtime::{Builder, Runtime};

use crate::{
    support::{CLASS, Gate, KEY, Store, ask, assert_idle, pause, store},
    tasks::Tasks,
};

const CROWD: usize = 10_000;

/// Asserts that one query answered all requests, also by the cache's counters.
fn assert_one_fill(cache: &Store, asked: usize, queries: &AtomicU32) {
    assert_eq!(queries.load(Ordering::SeqCst), 1);
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses), (0, asked as u64));
    assert_eq!(stats.coalesced, asked as u64 - 1);
    assert_idle(cache, KEY);
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(4)
        .build()
        .unwrap()
}

/// One request of a crowd. The one that fills does so when all the others wait.
async fn ask_together(cache: Store, gate: Arc<Gate>, queries: Arc<AtomicU32>) -> u32 {
    let query = || async {
        gate.opened().await;
        queries.fetch_add(1, Ordering::SeqCst) + 100
    };
    ask(cache, || gate.arrive(), query).await
}

#[test]
fn one_fill_under_no_runtime() {
    let (cache, _) = store();
    let queries = Arc::new(AtomicU32::new(0));
    let mut tasks = Tasks::new();
    for _ in 0..CROWD {
        let (cache, queries) = (cache.clone(), Arc::clone(&queries));
        tasks.spawn(async move {
            let query = || async {
                pause().await;
                queries.fetch_add(1, Ordering::SeqCst) + 100
            };
            ask(cache, || (), query).await
        });
    }
    tasks.run();
    assert_eq!(tasks.results(), vec![&100; CROWD]);
    assert_one_fill(&cache, CROWD, &queries);
}

#[test]
fn one_fill_under_tokio() {
    for runtime in [current_thread(), multi_thread()] {
        let (cache, _) = store();
        let (gate, queries) = (Gate::new(CROWD), Arc::new(AtomicU32::new(0)));
        let askers = (0..CROWD).map(|_| {
            let asking = ask_together(cache.clone(), Arc::clone(&gate), Arc::clone(&queries));
            runtime.spawn(asking)
        });
        let askers: Vec<_> = askers.collect();
        for asker in askers {
            assert_eq!(runtime.block_on(asker).unwrap(), 100);
        }
        assert_one_fill(&cache, CROWD, &queries);
    }
}

/// The filler is not held back here, so late requests may be hits.
#[test]
fn one_fill_however_they_arrive() {
    let (cache, _) = store();
    let queries = Arc::new(AtomicU32::new(0));
    let runtime = multi_thread();
    let askers = (0..CROWD).map(|_| {
        let (cache, queries) = (cache.clone(), Arc::clone(&queries));
        runtime.spawn(async move {
            let query = || async { queries.fetch_add(1, Ordering::SeqCst) + 100 };
            ask(cache, || (), query).await
        })
    });
    let askers: Vec<_> = askers.collect();
    for asker in askers {
        assert_eq!(runtime.block_on(asker).unwrap(), 100);
    }
    assert_eq!(queries.load(Ordering::SeqCst), 1);
    assert_idle(&cache, KEY);
}

/// Blocked threads, a hand-written executor and two runtimes of tokio wait for one fill.
#[test]
fn one_fill_for_threads_and_tasks() {
    let (threads, by_hand, alone, shared) = (16, 2_000, 3_000, 5_000);
    let all = threads + by_hand + alone + shared;
    let (cache, _) = store();
    let (gate, queries) = (Gate::new(all), Arc::new(AtomicU32::new(0)));
    let asking = || ask_together(cache.clone(), Arc::clone(&gate), Arc::clone(&queries));
    let runtime = multi_thread();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let found = cache.lookup(KEY, CLASS, Reuse::Any);
                gate.arrive();
                let waited = match found {
                    Lookup::InFlight(waiter) => waiter.wait(),
                    Lookup::Miss(permit) => Waited::Permit(permit),
                    other => panic!("{other:?} before anything was filled"),
                };
                match waited {
                    Waited::Value(value) => assert_eq!(value, 100),
                    Waited::Permit(permit) => {
                        block_on(gate.opened());
                        let value = queries.fetch_add(1, Ordering::SeqCst) + 100;
                        assert_eq!(permit.fill(value), Ok(()));
                    }
                    other => panic!("{other:?} without a failure"),
                }
            });
        }
        scope.spawn(|| {
            let together = async {
                let mut askers = Vec::new();
                for _ in 0..alone {
                    askers.push(tokio::spawn(asking()));
                }
                for asker in askers {
                    assert_eq!(asker.await.unwrap(), 100);
                }
            };
            current_thread().block_on(together);
        });
        scope.spawn(|| {
            let mut askers: Vec<_> = (0..by_hand).map(|_| Box::pin(asking())).collect();
            let together = std::future::poll_fn(|context| {
                askers.retain_mut(|asker| asker.as_mut().poll(context).is_pending());
                if askers.is_empty() {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            });
            block_on(together);
        });
        let askers: Vec<_> = (0..shared).map(|_| runtime.spawn(asking())).collect();
        for asker in askers {
            assert_eq!(runtime.block_on(asker).unwrap(), 100);
        }
    });
    assert_one_fill(&cache, all, &queries);
}

/// The first filler panics, the second is aborted, the third gives up, the fourth fills.
/// All other requests get the value.
#[test]
fn fillers_come_and_go_under_tokio() {
    for runtime in [current_thread(), multi_thread()] {
        let (cache, _) = store();
        let gate = Gate::new(CROWD);
        let aborted = Gate::new(1);
        let queries = Arc::new(AtomicU32::new(0));
        let second = Arc::new(Mutex::new(None));
        let askers = (0..CROWD).map(|number| {
            let (cache, gate) = (cache.clone(), Arc::clone(&gate));
            let (aborted, queries) = (Arc::clone(&aborted), Arc::clone(&queries));
            let second = Arc::clone(&second);
            runtime.spawn(async move {
                let found = cache.lookup(KEY, CLASS, Reuse::Any);
                gate.arrive();
                let permit = match found {
                    Lookup::Miss(permit) => permit,
                    Lookup::InFlight(waiter) => match waiter.await {
                        Waited::Value(value) => return Some(value),
                        Waited::Permit(permit) => permit,
                        other => panic!("{other:?} without a failure"),
                    },
                    other => panic!("{other:?} before anything was filled"),
                };
                gate.opened().await;
                match queries.fetch_add(1, Ordering::SeqCst) {
                    0 => panic!("the source failed (this message belongs to the test)"),
                    1 => {
                        *second.lock().unwrap() = Some(number);
                        aborted.arrive();
                        pending().await
                    }
                    2 => None,
                    _ => {
                        assert_eq!(permit.fill(100), Ok(()));
                        Some(100)
                    }
                }
            })
        });
        let askers: Vec<_> = askers.collect();
        runtime.block_on(aborted.opened());
        let second = second.lock().unwrap().unwrap();
        askers[second].abort();
        let (mut panicked, mut cancelled, mut gave_up) = (0, 0, 0);
        for asker in askers {
            match runtime.block_on(asker) {
                Ok(Some(value)) => assert_eq!(value, 100),
                Ok(None) => gave_up += 1,
                Err(error) if error.is_panic() => panicked += 1,
                Err(_) => cancelled += 1,
            }
        }
        assert_eq!((panicked, cancelled, gave_up), (1, 1, 1));
        assert_eq!(queries.load(Ordering::SeqCst), 4);
        // All except the four that had the permit.
        assert_eq!(cache.stats().coalesced, CROWD as u64 - 4);
        assert_idle(&cache, KEY);
    }
}
