//! Reads when every key is resident, and lower bounds of their cost.

use std::time::Instant;

use anyhow::{Result, ensure};
use hashbrown::HashMap;

use super::{announce, cells, lines, plan};
use crate::{
    caches::{Admission, Kind, Policy},
    run::Run,
    setup::{BenchCache, Bound, Setup, Tags},
    table::Table,
    throughput::{self, TimedCache},
    workload::{self, Key, Value},
};

pub(crate) const KEYS: u32 = 100_000;
pub(crate) const SKEW: f64 = 0.99;
pub(crate) const VALUE_BYTES: usize = 64;

/// One tag per entry; a hundred entries share a tag, as answers share a record.
pub(crate) fn tags() -> Tags {
    Tags::new(1, 1_000)
}

const KINDS: &[Kind] = &[
    Kind::Ours,
    Kind::OursTicked,
    Kind::Quick,
    Kind::QuickTtl,
    Kind::Moka(Admission::TinyLfu),
    Kind::MiniMoka,
    Kind::Foyer(Policy::Lru),
    Kind::Foyer(Policy::S3Fifo),
    Kind::DashMap,
    Kind::Locked,
];

/// The minimum cost of a look-up: a hash table without locks, counts or expiry.
struct Unlocked(HashMap<Key, Value>);

impl BenchCache for Unlocked {
    #[inline]
    fn get(&self, key: &Key) -> Option<Value> {
        self.0.get(key).cloned()
    }

    fn insert(&self, _: Key, _: Value) {}

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// The cost of reading the clock, which caches with a TTL do on every read.
struct ClockAlone;

impl BenchCache for ClockAlone {
    #[inline]
    fn get(&self, _: &Key) -> Option<Value> {
        std::hint::black_box(Instant::now());
        None
    }

    fn insert(&self, _: Key, _: Value) {}

    fn len(&self) -> usize {
        0
    }
}

pub(crate) fn run(run: &Run<'_>) -> Result<()> {
    let plan = plan(run, 24);
    announce(
        run,
        "hits",
        &format!(
            "{KEYS} keys of 16 bytes, all resident; values `Arc<[u8]>` of {VALUE_BYTES} bytes; \
             Zipf {SKEW}; {} reads a thread and round, {} rounds.\n\
             Nanoseconds a read of one thread; × is how many times ours, of the best \
             (of the median).",
            plan.timed, plan.rounds
        ),
    );

    let mut names = Vec::new();
    let mut caches: Vec<Box<dyn TimedCache>> = Vec::new();
    for (kind, hashing, name) in lines(run, KINDS) {
        // Enough room for every shard of every peer.
        let mut setup = Setup::new(Bound::Entries(4 * KEYS as usize));
        setup.hashing = hashing;
        setup.tags = tags();
        let cache = kind.build(&setup)?;
        for number in 0..u64::from(KEYS) {
            cache.insert(workload::key(number), workload::value(VALUE_BYTES));
        }
        cache.settle();
        names.push(name);
        caches.push(cache);
    }
    let measured = caches.len();
    let entries = (0..u64::from(KEYS)).map(|n| (workload::key(n), workload::value(VALUE_BYTES)));
    names.push("limit: hashbrown, unlocked".to_owned());
    caches.push(Box::new(Unlocked(entries.collect())));
    names.push("limit: `Instant::now` alone".to_owned());
    caches.push(Box::new(ClockAlone));

    let accesses = plan.accesses(KEYS, SKEW);
    let timings = throughput::rounds(&caches, plan, &accesses, |cache, accesses| {
        cache.read(accesses)
    });

    let mut table = Table::new([
        "all keys resident",
        "1 thread, best",
        "median",
        "× ours",
        "2 threads, best",
        "median",
        "× ours",
    ]);
    for (number, (name, timings_of)) in names.iter().zip(&timings).enumerate() {
        let missed = timings_of.iter().any(|timing| timing.hit_ratio() < 100.0);
        ensure!(
            !missed || number > measured,
            "{name} lost entries that it has room for"
        );
        let [one, two] = [0, 1].map(|crowd| cells(&timings_of[crowd], &timings[0][crowd]));
        table.row(std::iter::once(name.clone()).chain(one).chain(two));
    }
    println!("{table}");
    Ok(())
}
