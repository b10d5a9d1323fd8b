//! Reads and insertions where a tenth of the keys fit.

use anyhow::Result;

use super::{announce, cells, course, hits, lines};
use crate::{
    contenders::{Admission, Bound, Kind, Policy, Setup},
    draw::{self, Value},
    options::Run,
    race::{self, Racer},
    table::Table,
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
    let course = course(run, 16);
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
            course.timed,
            course.rounds,
        ),
    );

    let mut names = Vec::new();
    let mut contenders: Vec<Box<dyn Racer>> = Vec::new();
    for (kind, hashing, name) in lines(run, KINDS) {
        let mut setup = Setup::new(Bound::Entries(capacity));
        setup.hashing = hashing;
        setup.tags = hits::tags();
        names.push(name);
        contenders.push(kind.build(&setup)?);
    }
    // Values are made beforehand: what is measured is the store, not the
    // allocation of what it holds.
    let numbers = 0..hits::KEYS;
    let values: Vec<Value> = numbers.map(|_| draw::value(hits::VALUE_BYTES)).collect();
    let draws = course.draws(hits::KEYS, hits::SKEW);
    for contender in &contenders {
        contender.read_through(&draws[0], &values);
        contender.settle();
    }
    let laps = race::rounds(&contenders, course, &draws, |racer, draws| {
        racer.read_through(draws, &values)
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
    for (name, laps_of) in names.iter().zip(&laps) {
        let mut row = vec![name.clone()];
        for (lap, ours) in laps_of.iter().zip(&laps[0]) {
            row.extend(cells(lap, ours));
            row.push(format!("{:.2} %", lap.hit_ratio()));
        }
        table.row(row);
    }
    println!("{table}");
    Ok(())
}
