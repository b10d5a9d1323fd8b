//! Shuttle tests: randomised schedules over the real code. Every lock, atomic, park and
//! spawn is a point where the scheduler may switch threads. It reports a waiter that hangs
//! as a deadlock. Run with
//!
//! ```text
//! RUSTFLAGS="--cfg shuttle" cargo test -p cache-core --lib interleavings
//! ```
//!
//! `SCHEDULES` in the environment sets the number of schedules for each test (2,000), and
//! each test prints how many it ran. `cargo xtask deep` checks that these tests detect the
//! bugs of `seeded_bugs.rs`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod compute;
mod counters;
mod freshness;
mod log;
mod races;
mod transfer;
mod waiting;

use std::{collections::hash_map::DefaultHasher, hash::BuildHasherDefault, sync::Arc};

use shuttle::{
    Config, Runner,
    rand::{Rng, thread_rng},
    scheduler::{PctScheduler, RandomScheduler},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use crate::{Cache, Lookup, ManualClock, TtlClass, exploration::explored::Explored};

/// The same hashes in every run, so that a failing schedule can be replayed.
type Fixed = BuildHasherDefault<DefaultHasher>;
type Store = Cache<u32, u64, ManualClock, Fixed>;
type Permit = crate::Permit<u32, u64>;

const CLASS: TtlClass = TtlClass::DEFAULT;

fn explore(test: impl Fn() + Send + Sync + 'static) {
    let schedules = std::env::var("SCHEDULES")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(2_000);
    let explored = Explored::new("schedules");
    let test = Arc::new(explored.counting(test));
    let random = Arc::clone(&test);
    Runner::new(RandomScheduler::new(schedules / 2), config()).run(move || random());
    // Few switches at chosen points find other bugs than many at random points.
    let chosen = PctScheduler::new(3, schedules - schedules / 2);
    Runner::new(chosen, config()).run(move || test());
}

fn config() -> Config {
    let mut config = Config::new();
    // The policies of all classes are built on the stack, in an unoptimised
    // build more than once.
    config.stack_size = 1 << 18;
    config
}

fn store(entries: usize, shards: usize) -> (Store, ManualClock) {
    let clock = ManualClock::new();
    let store = Cache::builder()
        .max_entries(entries)
        .shards(shards)
        .clock(clock.clone())
        .hasher(Fixed::default())
        .build()
        .unwrap();
    (store, clock)
}

/// Checks that nothing is left when all threads are done: consistent links, no fill, an
/// empty log.
fn check_idle(store: &Store) {
    store.validate().unwrap();
    assert_eq!(store.inner.log.size(), (0, 0), "permits or events are left");
    assert!(store.weight() <= store.capacity(), "over the bound");
}

fn chance(one_in: u32) -> bool {
    thread_rng().gen_range(0..one_in) == 0
}

fn invalidate(store: &Store, key: u32, how: u32) -> usize {
    match how {
        0 => store.invalidate(&key),
        1 => store.invalidate_tag("row"),
        2 => store.invalidate_class(CLASS),
        3 => store.invalidate_if(move |known, _| *known == key),
        4 => store.invalidate_any(&crate::Selection {
            keys: &[key],
            tags: &["row"],
            ..crate::Selection::default()
        }),
        _ => store.invalidate_all(),
    }
}

/// Runs `actor` in several threads and joins them.
fn run_each(actors: usize, actor: impl Fn() + Clone + Send + 'static) {
    join(
        (0..actors)
            .map(|_| thread::spawn(actor.clone()))
            .collect::<Vec<_>>(),
    );
}

fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}

/// The permit of the first miss of a key.
fn miss(store: &Store, key: u32) -> Permit {
    match store.lookup(key, CLASS, crate::Reuse::Any) {
        Lookup::Miss(permit) => permit,
        other => panic!("{other:?} where nothing is stored or under way"),
    }
}

/// A database of one row with a version, stored under key 1. A request must not be served
/// a version older than an invalidation that had ended when the request began.
#[derive(Clone)]
struct Row {
    version: Arc<AtomicU64>,
    published: Arc<AtomicU64>,
}

impl Row {
    fn new() -> Self {
        Self {
            version: Arc::new(AtomicU64::new(0)),
            published: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Changes the row, then invalidates it in a random way. Only one thread may call this.
    fn change(&self, store: &Store) {
        let next = self.version.fetch_add(1, Ordering::SeqCst) + 1;
        invalidate(store, 1, thread_rng().gen_range(0..6));
        self.published.store(next, Ordering::SeqCst);
    }

    fn read(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    /// The oldest version that may be served to a request that begins now.
    fn floor(&self) -> u64 {
        self.published.load(Ordering::SeqCst)
    }
}
