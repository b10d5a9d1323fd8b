//! Reads and insertions in a cache that holds a tenth of the keys.

use anyhow::Result;

use super::{announce, cells, hits, lines, plan};
use crate::{
    caches::{Admission, Kind, Policy},
    run::Run,
    setup::{Bound, Setup},
    table::Table,
    throughput::{self, TimedCache},
    workload::{self, Value},
};

const KINDS: &[Kind] = &[
    Kind::Ours,
    Kind::OursTicked,
    Kind::Quick,
    Kind::QuickTtl,
    Kind::Moka(Admission::TinyLfu),
    Kind::MiniMoka,
    Kind::Foyer(Policy::Lru),
    Kind::Foyer(Policy::S3Fifo),
];

pub(crate) fn run(run: &Run<'_>) -> Result<()> {
    let capacity = hits::KEYS as usize / 10;
    let plan = plan(run, 16);
    announce(
        run,
        "evicting",
        &format!(
            "{} keys of 16 bytes, {capacity} of which fit; Zipf {}; a read, and an insertion when \
             it finds nothing; {} such operations a thread and round, {} rounds.\n\
             Nanoseconds an operation of one thread; × is how many times ours, of the best \
             (of the median). dashmap and the mutex around hashbrown have no bound: n/a.",
            hits::KEYS,
            hits::SKEW,
            plan.timed,
            plan.rounds,
        ),
    );

    let mut names = Vec::new();
    let mut caches: Vec<Box<dyn TimedCache>> = Vec::new();
    for (kind, hashing, name) in lines(run, KINDS) {
        let mut setup = Setup::new(Bound::Entries(capacity));
        setup.hashing = hashing;
        setup.tags = hits::tags();
        names.push(name);
        caches.push(kind.build(&setup)?);
    }
    // Values are made beforehand, to measure the store, not the
    // allocation of values.
    let numbers = 0..hits::KEYS;
    let values: Vec<Value> = numbers
        .map(|_| workload::value(hits::VALUE_BYTES))
        .collect();
    let accesses = plan.accesses(hits::KEYS, hits::SKEW);
    for cache in &caches {
        cache.read_through(&accesses[0], &values);
        cache.settle();
    }
    let timings = throughput::rounds(&caches, plan, &accesses, |cache, accesses| {
        cache.read_through(accesses, &values)
    });

    let mut table = Table::new([
        "a tenth fits",
        "1 thread, best",
        "median",
        "× ours",
        "hits",
        "2 threads, best",
        "median",
        "× ours",
        "hits",
    ]);
    for (name, timings_of) in names.iter().zip(&timings) {
        let mut row = vec![name.clone()];
        for (timing, ours) in timings_of.iter().zip(&timings[0]) {
            row.extend(cells(timing, ours));
            row.push(format!("{:.2} %", timing.hit_ratio()));
        }
        table.row(row);
    }
    println!("{table}");
    Ok(())
}
