//! Reads of a full cache, with an insertion after each miss, for a profiler that
//! counts instructions. docs/performance.md says how, and has the counts.
//!
//! ```text
//! cargo build --release -p store-bench --example evict
//! valgrind --tool=callgrind target/release/examples/evict tags 100000
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what happens")]

use std::{hint::black_box, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use cache_core::{Cache, Clock, Fill, SystemClock, TickedClock, TtlClass};
use hashbrown::DefaultHashBuilder;

type Key = [u8; 16];
type Value = Arc<[u8]>;

const KEYS: u64 = 100_000;
const ROOM: usize = 10_000;
const TAGS: usize = 1_000;

/// Numbers without a pattern (SplitMix64).
fn mix(n: u64) -> u64 {
    let mut mixed = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn key(n: u64) -> Key {
    (u128::from(mix(n)) << 64 | u128::from(mix(n ^ KEYS))).to_le_bytes()
}

/// A rank by Zipf's law with an exponent near one.
fn rank(n: u64) -> u64 {
    let even = (mix(n) >> 11) as f64 / (1_u64 << 53) as f64;
    (KEYS as f64).powf(even) as u64 - 1
}

/// `reads` operations, after half a million that warm the cache.
fn work(reads: usize, put: impl Fn(Key, Value, usize), get: impl Fn(&Key) -> Option<Value>) {
    let values: Vec<Value> = (0..KEYS).map(|_| Arc::from([7; 64])).collect();
    let draws: Vec<u64> = (0..(ROOM * 50 + reads) as u64).map(rank).collect();
    let mut misses = 0;
    for &number in &draws {
        let key = key(number);
        if black_box(get(&key)).is_none() {
            misses += 1;
            let value = Arc::clone(&values[number as usize]);
            put(key, value, number as usize % TAGS);
        }
    }
    println!("{misses} of {} reads found nothing", draws.len());
}

fn ours(reads: usize, clock: impl Clock, tagged: bool) -> Result<()> {
    let cache = Cache::builder().max_entries(ROOM).clock(clock).build()?;
    let class = TtlClass::DEFAULT;
    let tags: Vec<String> = (0..TAGS).map(|tag| format!("record:{tag}")).collect();
    let put = |key, value, tag: usize| {
        let tag = [&*tags[tag]];
        let tags = if tagged { &tag[..] } else { &[] };
        drop(cache.insert(key, Fill::new(value).tags(tags), class));
    };
    work(reads, put, |key| cache.get(key, class));
    Ok(())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let who = arguments.next().unwrap_or_default();
    let reads = arguments.next().context("how many reads?")?.parse()?;
    match who.as_str() {
        "bare" => ours(reads, TickedClock::new(Duration::from_secs(1)), false)?,
        "tags" => ours(reads, TickedClock::new(Duration::from_secs(1)), true)?,
        "system" => ours(reads, SystemClock::new(), true)?,
        "quick_cache" => {
            let hasher = DefaultHashBuilder::default();
            let (weighter, lifecycle) = (quick_cache::UnitWeighter, Default::default());
            let cache = quick_cache::sync::Cache::<Key, Value, _, _>::with(
                ROOM,
                ROOM as u64,
                weighter,
                hasher,
                lifecycle,
            );
            let put = |key, value, _| cache.insert(key, value);
            work(reads, put, |key| cache.get(key));
        }
        other => bail!("{other:?} is none of bare, tags, system, quick_cache"),
    }
    Ok(())
}
