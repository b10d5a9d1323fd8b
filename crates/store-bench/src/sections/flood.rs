//! Many keys that are used only once, with a bound in bytes.

use anyhow::Result;

use super::announce;
use crate::{
    caches::{Admission, Kind, Policy},
    child, machine,
    run::Run,
    setup::{self, Bound, Setup},
    table::Table,
    throughput::TimedCache,
    workload::{self, Random},
};

const KINDS: &[Kind] = &[
    Kind::Ours,
    Kind::Quick,
    Kind::Moka(Admission::TinyLfu),
    Kind::MiniMoka,
    Kind::Foyer(Policy::Lru),
    Kind::Foyer(Policy::S3Fifo),
];

const BOUND: u64 = 64 << 20;

/// The bytes of an entry's value.
const VALUE_BYTES: usize = 200;

/// How many of a hundred operations read the hot set. With 10, a hot key is used
/// again long before the flood fills the cache; with 1, at about the same time, so
/// that recency alone does not keep it.
const HOT_PERCENTS: [usize; 2] = [10, 1];

pub(crate) fn run(run: &Run<'_>) -> Result<()> {
    let keys = if run.quick { 500_000 } else { 10_000_000 };
    announce(
        run,
        "flood",
        &format!(
            "{keys} keys, each inserted once, through a bound of {} MiB; values of {VALUE_BYTES} \
             bytes of their own heap, each entry weighing {} bytes. A hot set of 1 % of what fits \
             is read with 10 or with 1 of 100 operations, and inserted again when it misses: \
             before the flood the other operations read what is resident, during it they insert. \
             dashmap and the mutex around hashbrown have no bound: n/a.",
            BOUND >> 20,
            setup::weight(&workload::value(VALUE_BYTES)),
        ),
    );
    let mut table = Table::new([
        "flood",
        "peak MiB",
        "of the bound",
        "entries",
        "hot hits before",
        "during",
        "lost, points",
        "ns an operation",
    ]);
    for &kind in KINDS.iter().filter(|kind| run.wants(&kind.to_string())) {
        for hot_percent in HOT_PERCENTS {
            let found: [u64; 5] = child::ask(run, "flood", kind, &[keys, hot_percent])?;
            let [peak, entries, before, during, nanos] = found;
            let percent = |millionths: u64| millionths as f64 / 1e4;
            table.row([
                format!("{kind}, {hot_percent} of 100"),
                format!("{:.1}", peak as f64 / f64::from(1 << 20)),
                format!("{:+.1} %", 100.0 * (peak as f64 / BOUND as f64 - 1.0)),
                entries.to_string(),
                format!("{:.2} %", percent(before)),
                format!("{:.2} %", percent(during)),
                format!("{:.2}", percent(before) - percent(during)),
                nanos.to_string(),
            ]);
        }
    }
    println!("{table}");
    Ok(())
}

/// Reads of the hot set, and how many of them hit.
#[derive(Default)]
struct Hot {
    reads: u64,
    hits: u64,
}

impl Hot {
    fn read(&mut self, cache: &dyn TimedCache, number: u64) {
        self.reads += 1;
        if cache.get(&workload::key(number)).is_some() {
            self.hits += 1;
        } else {
            cache.insert(workload::key(number), workload::value(VALUE_BYTES));
        }
    }

    /// Hits per million reads.
    fn ratio(&self) -> u64 {
        self.hits * 1_000_000 / self.reads.max(1)
    }
}

/// In a separate process: the peak memory beyond that at the start, entries at the
/// end, hit ratio of the hot set before and during the flood in millionths,
/// nanoseconds per operation.
pub(crate) fn measure(kind: Kind, keys: usize, hot_percent: usize) -> Result<[u64; 5]> {
    let fits = BOUND / setup::weight(&workload::value(VALUE_BYTES));
    let hot_keys = fits / 100;
    let hot_percent = hot_percent as u64;
    let resident = machine::resident();
    let cache = kind.build(&Setup::new(Bound::Bytes {
        bytes: BOUND,
        entries: fits as usize,
    }))?;
    // Slightly fewer than fit, as some shards of peers are full before others.
    let warm = fits * 8 / 10;
    for number in 0..warm {
        cache.insert(workload::key(number), workload::value(VALUE_BYTES));
    }
    let mut random = Random::new(1);
    let mut before = Hot::default();
    for _ in 0..5 * fits {
        if random.below(100) < hot_percent {
            before.read(&*cache, random.below(hot_keys));
        } else {
            let _ = cache.get(&workload::key(random.below(warm)));
        }
    }
    let mut during = Hot::default();
    let start = std::time::Instant::now();
    let mut inserted = 0;
    while inserted < keys as u64 {
        if random.below(100) < hot_percent {
            during.read(&*cache, random.below(hot_keys));
        } else {
            cache.insert(workload::key(fits + inserted), workload::value(VALUE_BYTES));
            inserted += 1;
        }
    }
    let nanos = start.elapsed().as_nanos() as u64 / (inserted + during.reads);
    cache.settle();
    Ok([
        machine::peak_resident().saturating_sub(resident),
        cache.len() as u64,
        before.ratio(),
        during.ratio(),
        nanos,
    ])
}
