//! The cost of a million entries that expire at once.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::announce;
use crate::{
    caches::{Admission, Kind},
    child, machine,
    run::Run,
    setup::{Bound, Setup},
    table::Table,
    throughput::TimedCache,
    workload::{self, Random},
};

/// The caches with a TTL. The clock of `cache-core` is set; the others wait.
const KINDS: &[Kind] = &[
    Kind::OursByHand,
    Kind::Moka(Admission::TinyLfu),
    Kind::MiniMoka,
    Kind::QuickTtl,
    Kind::Locked,
];

/// Long enough to insert a million entries before the first expires.
const TTL: Duration = Duration::from_secs(8);

/// The bytes of an entry's value.
const VALUE_BYTES: usize = 64;

/// The number of turns after which maintenance counts as done, for caches that do not
/// report it.
const MOST_TURNS: u64 = 1_000;

pub(crate) fn run(run: &Run<'_>) -> Result<()> {
    let entries = if run.quick { 50_000 } else { 1_000_000 };
    let repeats = if run.quick { 1 } else { 3 };
    announce(
        run,
        "expiry",
        &format!(
            "{entries} entries, values of {VALUE_BYTES} bytes, that expire at the same moment.\n\
             Without traffic: nothing but turns of upkeep, of at most {} entries where one can \
             say so, one after the other. With traffic: reads of the expired, insertions of new \
             keys, and a turn of upkeep after each 1,000 of both. The longest single call in \
             microseconds, least and greatest of {repeats} runs: by the time that its thread had \
             a processor, and by the clock, which goes on while the machine does something else. \
             The last line is the longest step of a loop that does nothing but read both for a \
             second.",
            run.budget
        ),
    );

    let mut quiet = Table::new([
        "without traffic",
        "turns",
        "all of them, ms",
        "longest turn, µs",
        "by the clock",
        "MiB before",
        "after",
        "resident before",
        "after",
    ]);
    let mut busy = Table::new([
        "with traffic",
        "longest read, µs",
        "by the clock",
        "insertion",
        "by the clock",
        "turn",
        "by the clock",
    ]);
    let numbers = [entries, run.budget];
    for &kind in KINDS.iter().filter(|kind| run.wants(&kind.to_string())) {
        let mut quiets = Vec::new();
        let mut busies = Vec::new();
        for _ in 0..repeats {
            quiets.push(child::ask::<8>(run, "expiry", kind, &numbers)?);
            busies.push(child::ask::<6>(run, "expiry-busy", kind, &numbers)?);
        }
        let [turns, total, _, _, memory @ ..] = quiets[0];
        let mut row = vec![kind.to_string(), turns.to_string()];
        row.push(format!("{:.1}", total as f64 / 1e6));
        row.extend([2, 3].map(|call| range(quiets.iter().map(|quiet| quiet[call]))));
        row.extend(memory.map(|bytes| format!("{:.1}", bytes as f64 / f64::from(1 << 20))));
        quiet.row(row);
        let calls = (0..6).map(|call| range(busies.iter().map(|busy| busy[call])));
        busy.row(std::iter::once(kind.to_string()).chain(calls));
    }
    let pauses: Vec<Longest> = (0..repeats).map(|_| pause()).collect();
    busy.row([
        "the machine itself".to_owned(),
        range(pauses.iter().map(|pause| pause.processor)),
        range(pauses.iter().map(|pause| pause.clock)),
    ]);
    println!("{quiet}\n{busy}");
    Ok(())
}

/// Minimum and maximum, from nanoseconds to microseconds.
fn range(nanos: impl Iterator<Item = u64>) -> String {
    let nanos: Vec<u64> = nanos.collect();
    let micros = |nanos: Option<&u64>| *nanos.unwrap_or(&0) as f64 / 1e3;
    let (least, greatest) = (micros(nanos.iter().min()), micros(nanos.iter().max()));
    format!("{least:.0}–{greatest:.0}")
}

/// The longest step of a loop that does nothing for a second.
fn pause() -> Longest {
    let start = Instant::now();
    let mut longest = Longest::default();
    while start.elapsed() < Duration::from_secs(1) {
        longest.time(|| {});
    }
    longest
}

/// A cache whose entries have all just expired.
fn expired(kind: Kind, entries: usize) -> Result<(Box<dyn TimedCache>, u64, u64)> {
    // Room for the later insertions.
    let mut setup = Setup::new(Bound::Entries(entries * 2));
    setup.ttl = TTL;
    let cache = kind.build(&setup)?;
    let start = Instant::now();
    for number in 0..entries as u64 {
        cache.insert(workload::key(number), workload::value(VALUE_BYTES));
    }
    cache.settle();
    ensure!(start.elapsed() < TTL, "{kind} is too slow for the TTL");
    ensure!(cache.len() == entries, "{kind} holds {}", cache.len());
    let memory = (child::allocated(), machine::resident());
    let wait = TTL + Duration::from_millis(10);
    if kind == Kind::OursByHand {
        setup.clock.advance(wait);
    } else {
        thread::sleep(wait);
    }
    Ok((cache, memory.0, memory.1))
}

/// The longest call in nanoseconds: by the clock, and by the thread's processor
/// time.
#[derive(Default)]
struct Longest {
    clock: u64,
    processor: u64,
}

impl Longest {
    fn time<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let before = machine::processor_time();
        let start = Instant::now();
        let result = call();
        let clock = start.elapsed();
        let processor = machine::processor_time().saturating_sub(before);
        self.clock = self.clock.max(clock.as_nanos() as u64);
        self.processor = self.processor.max(processor.as_nanos() as u64);
        result
    }
}

/// In a separate process: the number of turns; nanoseconds of all turns, and of the
/// longest by processor and clock; bytes allocated before and after; bytes resident
/// before and after.
pub(crate) fn measure_quiet(kind: Kind, entries: usize, budget: usize) -> Result<[u64; 8]> {
    let (cache, allocated, resident) = expired(kind, entries)?;
    let mut longest = Longest::default();
    let mut turns = 1;
    let start = machine::processor_time();
    while longest.time(|| cache.maintain(budget)) && turns < MOST_TURNS {
        turns += 1;
    }
    let total = machine::processor_time().saturating_sub(start).as_nanos() as u64;
    Ok([
        turns,
        total,
        longest.processor,
        longest.clock,
        allocated,
        child::allocated(),
        resident,
        machine::resident(),
    ])
}

/// In a separate process: nanoseconds of the longest read, insertion and turn of
/// maintenance, each by processor and clock.
pub(crate) fn measure_busy(kind: Kind, entries: usize, budget: usize) -> Result<[u64; 6]> {
    let (cache, ..) = expired(kind, entries)?;
    let [mut reads, mut insertions, mut turns] = <[Longest; 3]>::default();
    let mut random = Random::new(1);
    let entries = entries as u64;
    for number in 0..entries / 2 {
        let key = workload::key(random.below(entries));
        let found = reads.time(|| cache.get(&key));
        ensure!(found.is_none(), "{kind} served what had expired");
        let (key, value) = (
            workload::key(entries + number),
            workload::value(VALUE_BYTES),
        );
        insertions.time(|| cache.insert(key, value));
        if number % 500 == 499 {
            turns.time(|| cache.maintain(budget));
        }
    }
    Ok([
        reads.processor,
        reads.clock,
        insertions.processor,
        insertions.clock,
        turns.processor,
        turns.clock,
    ])
}
