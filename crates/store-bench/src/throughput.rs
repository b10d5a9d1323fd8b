//! Timed rounds: in each round every cache has a turn, in random order, so that
//! other load on the machine affects all of them alike.

use std::{
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use crate::{
    setup::BenchCache,
    workload::{self, Key, Random, Value, Zipf},
};

/// A key to ask for, and its number, by which its value is found.
#[derive(Clone, Copy)]
pub(crate) struct Access {
    pub(crate) key: Key,
    pub(crate) number: u32,
}

/// `count` accesses for each of `threads` threads.
fn accesses(threads: u64, count: usize, keys: u32, skew: f64) -> Vec<Vec<Access>> {
    let zipf = Zipf::new(keys, skew);
    let of_thread = |thread| {
        let mut random = Random::new(thread + 1);
        let access = |number| Access {
            key: workload::key(u64::from(number)),
            number,
        };
        (0..count)
            .map(|_| access(zipf.sample(&mut random)))
            .collect()
    };
    (0..threads).map(of_thread).collect()
}

/// The duration of one thread's turn, and its number of misses.
#[derive(Clone, Copy, Default)]
pub(crate) struct Turn {
    time: Duration,
    misses: usize,
}

/// A cache that can be timed. The loops are compiled for each one, so that
/// no call in them is indirect.
pub(crate) trait TimedCache: BenchCache {
    /// Reads each key.
    fn read(&self, accesses: &[Access]) -> Turn;

    /// Reads each key, and stores its value on a miss.
    fn read_through(&self, accesses: &[Access], values: &[Value]) -> Turn;
}

impl<C: BenchCache> TimedCache for C {
    fn read(&self, accesses: &[Access]) -> Turn {
        let mut misses = 0;
        let start = Instant::now();
        for access in accesses {
            let found = black_box(self.get(black_box(&access.key)));
            misses += usize::from(found.is_none());
        }
        let time = start.elapsed();
        Turn { time, misses }
    }

    fn read_through(&self, accesses: &[Access], values: &[Value]) -> Turn {
        let mut misses = 0;
        let start = Instant::now();
        for access in accesses {
            if black_box(self.get(black_box(&access.key))).is_none() {
                misses += 1;
                let value = &values[access.number as usize];
                self.insert(access.key, Value::clone(value));
            }
        }
        let time = start.elapsed();
        Turn { time, misses }
    }
}

/// The results of the rounds with one number of threads.
#[derive(Clone, Default)]
pub(crate) struct Timings {
    /// Nanoseconds per operation of a thread, for each round.
    nanos: Vec<f64>,
    operations: usize,
    misses: usize,
}

impl Timings {
    pub(crate) fn best(&self) -> f64 {
        self.nanos.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.nanos.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// Of all reads, in percent.
    pub(crate) fn hit_ratio(&self) -> f64 {
        let hits = self.operations - self.misses;
        100.0 * hits as f64 / self.operations as f64
    }
}

/// The number of rounds, and the length of a turn. Many short turns are better than
/// few long ones, as short turns are more often undisturbed.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// Operations of a thread that are timed.
    pub(crate) timed: usize,
    /// Untimed operations before them: others used the processor's caches.
    pub(crate) untimed: usize,
}

impl Plan {
    /// Turns between which the accesses go on, then begin again.
    const TURNS: usize = 8;

    fn turn(&self) -> usize {
        self.untimed + self.timed
    }

    /// The untimed and the timed accesses of a round.
    fn part<'a>(&self, accesses: &'a [Access], round: usize) -> (&'a [Access], &'a [Access]) {
        let part = accesses.chunks_exact(self.turn()).nth(round % Self::TURNS);
        part.unwrap_or_default().split_at(self.untimed)
    }

    /// The accesses of two threads.
    pub(crate) fn accesses(&self, keys: u32, skew: f64) -> Vec<Vec<Access>> {
        accesses(2, Self::TURNS * self.turn(), keys, skew)
    }
}

/// Runs `turn` for each cache in each round: with the first thread's accesses
/// alone, then with all. Returns the timings of each cache, by their number.
pub(crate) fn rounds(
    caches: &[Box<dyn TimedCache>],
    plan: Plan,
    accesses: &[Vec<Access>],
    turn: impl Fn(&dyn TimedCache, &[Access]) -> Turn + Sync,
) -> Vec<[Timings; 2]> {
    let mut timings = vec![<[Timings; 2]>::default(); caches.len()];
    let mut order: Vec<usize> = (0..caches.len()).collect();
    let mut random = Random::new(0);
    for round in 0..plan.rounds {
        let parts: Vec<_> = accesses
            .iter()
            .map(|accesses| plan.part(accesses, round))
            .collect();
        for (crowd, parts) in [&parts[..1], &parts].into_iter().enumerate() {
            random.shuffle(&mut order);
            for &cache in &order {
                let turns = together(&*caches[cache], parts, &turn);
                let slowest = turns.iter().map(|turn| turn.time).max();
                let timing = &mut timings[cache][crowd];
                let nanos = slowest.unwrap_or_default().as_secs_f64() * 1e9;
                timing.nanos.push(nanos / plan.timed as f64);
                timing.operations += parts.iter().map(|part| part.1.len()).sum::<usize>();
                timing.misses += turns.iter().map(|turn| turn.misses).sum::<usize>();
            }
        }
    }
    timings
}

/// One turn of each thread, timed from the same moment.
fn together(
    cache: &dyn TimedCache,
    parts: &[(&[Access], &[Access])],
    turn: &(impl Fn(&dyn TimedCache, &[Access]) -> Turn + Sync),
) -> Vec<Turn> {
    let barrier = Barrier::new(parts.len());
    thread::scope(|scope| {
        let start = |(untimed, timed)| {
            let barrier = &barrier;
            scope.spawn(move || {
                turn(cache, untimed);
                barrier.wait();
                turn(cache, timed)
            })
        };
        let running: Vec<_> = parts.iter().map(|&part| start(part)).collect();
        let turns = running.into_iter().filter_map(|thread| thread.join().ok());
        turns.collect()
    })
}
