//! What a hit costs: `cargo bench -p cache-core --bench store [-- --quick]`.
//!
//! All keys are resident: 100,000 keys of 16 bytes, read with a Zipf skew of
//! 0.99, values `Arc<[u8]>`. Every contender answers the same sequence of keys;
//! the best of several rounds counts. The ratios are what to look at: the limit
//! is a hash table that nobody locks, expires or counts.

#![allow(
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark prints, and has no interface"
)]

use std::{
    hint::black_box,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use cache_core::{Cache, Clock, ManualClock, Moment, SystemClock, TtlClass};
use hashbrown::HashMap;
use parking_lot::Mutex;

const KEYS: u32 = 100_000;
const SKEW: f64 = 0.99;
const CLASS: TtlClass = TtlClass::LIVE_DATA;

type Key = [u8; 16];
type Value = Arc<[u8]>;

/// SplitMix64: enough for drawing keys.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn key(n: u32) -> Key {
    let mut random = Random(u64::from(n));
    (u128::from(random.next()) << 64 | u128::from(random.next())).to_le_bytes()
}

/// `count` keys, the n-th most popular drawn in proportion to n^-0.99.
fn draw(count: usize, seed: u64) -> Vec<Key> {
    let mut sum = 0.0;
    let weights = (1..=KEYS).map(|rank| {
        sum += f64::from(rank).powf(-SKEW);
        sum
    });
    let cumulative: Vec<f64> = weights.collect();
    let mut random = Random(seed);
    let draws = (0..count).map(|_| {
        let at = random.unit() * sum;
        let rank = cumulative.partition_point(|&up_to| up_to < at);
        key(u32::try_from(rank).unwrap_or(0).min(KEYS - 1))
    });
    draws.collect()
}

fn values() -> impl Iterator<Item = (Key, Value)> {
    (0..KEYS).map(|n| (key(n), Value::from(vec![0; 64])))
}

/// Nanoseconds per read of one thread, the best round of several.
fn measure(threads: &[Vec<Key>], rounds: usize, get: impl Fn(&Key) -> Option<Value> + Sync) -> f64 {
    let round = || {
        let barrier = Barrier::new(threads.len());
        let times = thread::scope(|scope| {
            let running: Vec<_> = threads
                .iter()
                .map(|keys| {
                    let (get, barrier) = (&get, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        let start = Instant::now();
                        for key in keys {
                            black_box(get(black_box(key)));
                        }
                        start.elapsed()
                    })
                })
                .collect();
            let times = running.into_iter().filter_map(|thread| thread.join().ok());
            times.max().unwrap_or_default()
        });
        times.as_secs_f64() * 1e9 / threads[0].len() as f64
    };
    (0..rounds).map(|_| round()).fold(f64::INFINITY, f64::min)
}

fn filled<C: Clock>(clock: C) -> Cache<Key, Value, C> {
    let builder = Cache::builder().max_entries(KEYS as usize * 2).clock(clock);
    let Ok(cache) = builder.build() else {
        unreachable!("the bound is not zero");
    };
    for (n, (key, value)) in values().enumerate() {
        cache.insert(key, value, CLASS, &[&format!("tag {}", n % 1_000)]);
    }
    cache
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    // `cargo test --benches` runs this as well: then it only has to work.
    let smoke = std::env::args().all(|argument| argument != "--bench");
    let (reads, rounds) = match (smoke, quick) {
        (true, _) => (1_000, 1),
        (false, true) => (500_000, 5),
        (false, false) => (4_000_000, 9),
    };
    let threads = [draw(reads, 1), draw(reads, 2)];

    let table: HashMap<Key, Value> = values().collect();
    let clock = SystemClock::new();
    let ttl = Duration::from_secs(300);
    let stamped = values().map(|(key, value)| (key, (value, clock.now())));
    let locked: Mutex<HashMap<Key, (Value, Moment)>> = Mutex::new(stamped.collect());
    let system = filled(SystemClock::new());
    let manual = filled(ManualClock::new());

    println!("{reads} reads a thread, best of {rounds}; ns a read, and how many times the limit");
    println!(
        "{:<44}{:>18}{:>18}",
        "all keys resident", "1 thread", "2 threads"
    );
    let report = |name: &str, limit: [f64; 2], get: &(dyn Fn(&Key) -> Option<Value> + Sync)| {
        let found = [1, 2].map(|count| measure(&threads[..count], rounds, get));
        let limit = if limit[0] > 0.0 { limit } else { found };
        let cell = |n: usize| format!("{:.1} ({:.2}x)", found[n], found[n] / limit[n]);
        println!("{name:<44}{:>18}{:>18}", cell(0), cell(1));
        found
    };
    let limit = report("limit: hashbrown, unlocked", [0.0; 2], &|key| {
        table.get(key).cloned()
    });
    report("cache-core, clock in an atomic", limit, &|key| {
        manual.get(key, CLASS)
    });
    report("cache-core, system clock", limit, &|key| {
        system.get(key, CLASS)
    });
    report("mutex around hashbrown, TTL checked", limit, &|key| {
        let now = clock.now();
        let table = locked.lock();
        let (value, written) = table.get(key)?;
        (now.since(*written) <= ttl).then(|| Arc::clone(value))
    });
    report("reading the system clock alone", limit, &|_| {
        black_box(clock.now());
        None
    });
}
