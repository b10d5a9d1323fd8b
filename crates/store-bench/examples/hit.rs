//! Repeats one kind of hit, for a profiler that counts instructions.
//! docs/performance.md says how, and has the counts.
//!
//! ```text
//! cargo build --release -p store-bench --example hit
//! valgrind --tool=callgrind target/release/examples/hit ticked 100000
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what happens")]

use std::{hint::black_box, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use cache_core::{Cache, Clock, SystemClock, TickedClock, TtlClass};
use hashbrown::{DefaultHashBuilder, HashMap};

type Key = [u8; 16];
type Value = Arc<[u8]>;

const KEYS: u64 = 1 << 13;

fn key(n: u64) -> Key {
    u128::from(n % KEYS * 0x9E37_79B9).to_le_bytes()
}

/// Fills with `put`, then reads it all repeatedly.
fn read(reads: u64, mut put: impl FnMut(Key, Value), get: impl Fn(&Key) -> Option<Value>) {
    let value: Value = Arc::from([7; 64]);
    for n in 0..KEYS {
        put(key(n), Arc::clone(&value));
    }
    let found = (0..reads).filter(|n| black_box(get(&key(n * 7))).is_some());
    println!("{} of {reads} reads found something", found.count());
}

fn ours(reads: u64, clock: impl Clock) -> Result<()> {
    let cache = Cache::builder().max_entries(20_000).clock(clock).build()?;
    let class = TtlClass::DEFAULT;
    let put = |key, value| drop(cache.insert(key, value, class));
    read(reads, put, |key| cache.get(key, class));
    Ok(())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let who = arguments.next().unwrap_or_default();
    let reads = arguments.next().context("how many reads?")?.parse()?;
    match who.as_str() {
        "ticked" => ours(reads, TickedClock::new(Duration::from_secs(1)))?,
        "system" => ours(reads, SystemClock::new())?,
        "quick_cache" => {
            let hasher = DefaultHashBuilder::default();
            let (weighter, lifecycle) = (quick_cache::UnitWeighter, Default::default());
            let cache = quick_cache::sync::Cache::<Key, Value, _, _>::with(
                20_000, 20_000, weighter, hasher, lifecycle,
            );
            read(
                reads,
                |key, value| cache.insert(key, value),
                |key| cache.get(key),
            );
        }
        "hashbrown" => {
            let mut map = HashMap::<Key, Value, DefaultHashBuilder>::default();
            let value: Value = Arc::from([7; 64]);
            map.extend((0..KEYS).map(|n| (key(n), Arc::clone(&value))));
            read(reads, |_, _| {}, |key| map.get(key).cloned());
        }
        other => bail!("{other:?} is none of ticked, system, quick_cache, hashbrown"),
    }
    Ok(())
}
