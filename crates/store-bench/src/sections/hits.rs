//! Reads when every key is resident, beside the limits.

use std::time::Instant;

use anyhow::{Result, ensure};
use hashbrown::HashMap;

use super::{announce, cells, course, lines};
use crate::{
    contenders::{Admission, Bound, Contender, Kind, Policy, Setup, Tags},
    draw::{self, Key, Value},
    options::Run,
    race::{self, Racer},
    table::Table,
};

pub(crate) const KEYS: u32 = 100_000;
pub(crate) const SKEW: f64 = 0.99;
pub(crate) const VALUE_BYTES: usize = 64;

/// One tag an entry, as a record of which a hundred answers were made.
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

/// The least that a look-up costs: a hash table that nobody locks, counts or
/// expires.
struct Unlocked(HashMap<Key, Value>);

impl Contender for Unlocked {
    #[inline]
    fn get(&self, key: &Key) -> Option<Value> {
        self.0.get(key).cloned()
    }

    fn insert(&self, _: Key, _: Value) {}

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// The cost of asking what time it is, for those who ask on every read.
struct ClockAlone;

impl Contender for ClockAlone {
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
    let course = course(run, 24);
    announce(
        run,
        "hits",
        &format!(
            "{KEYS} keys of 16 bytes, all resident; values `Arc<[u8]>` of {VALUE_BYTES} bytes; \
             Zipf {SKEW}; {} reads a thread and round, {} rounds.\n\
             Nanoseconds a read of one thread; × is how many times ours, of the best \
             (of the median).",
            course.timed, course.rounds
        ),
    );

    let mut names = Vec::new();
    let mut contenders: Vec<Box<dyn Racer>> = Vec::new();
    for (kind, hashing, name) in lines(run, KINDS) {
        // Room enough that no shard of any peer is ever short of it.
        let mut setup = Setup::new(Bound::Entries(4 * KEYS as usize));
        setup.hashing = hashing;
        setup.tags = tags();
        let cache = kind.build(&setup)?;
        for number in 0..u64::from(KEYS) {
            cache.insert(draw::key(number), draw::value(VALUE_BYTES));
        }
        cache.settle();
        names.push(name);
        contenders.push(cache);
    }
    let measured = contenders.len();
    let entries = (0..u64::from(KEYS)).map(|n| (draw::key(n), draw::value(VALUE_BYTES)));
    names.push("limit: hashbrown, unlocked".to_owned());
    contenders.push(Box::new(Unlocked(entries.collect())));
    names.push("limit: `Instant::now` alone".to_owned());
    contenders.push(Box::new(ClockAlone));

    let draws = course.draws(KEYS, SKEW);
    let laps = race::rounds(&contenders, course, &draws, |racer, draws| {
        racer.read(draws)
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
    for (number, (name, laps_of)) in names.iter().zip(&laps).enumerate() {
        let missed = laps_of.iter().any(|lap| lap.hit_ratio() < 100.0);
        ensure!(
            !missed || number > measured,
            "{name} lost entries that it has room for"
        );
        let [one, two] = [0, 1].map(|crowd| cells(&laps_of[crowd], &laps[0][crowd]));
        table.row(std::iter::once(name.clone()).chain(one).chain(two));
    }
    println!("{table}");
    Ok(())
}
