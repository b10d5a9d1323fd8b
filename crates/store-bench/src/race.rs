//! Timed rounds: every contender takes its turn in each of them, in random
//! order, so that whatever else disturbs the machine meets all alike.

use std::{
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use crate::{
    contenders::Contender,
    draw::{self, Key, Random, Value, Zipf},
};

/// A key to ask for, and its number, by which its value is found.
#[derive(Clone, Copy)]
pub(crate) struct Draw {
    pub(crate) key: Key,
    pub(crate) number: u32,
}

/// So many draws for each of so many threads.
fn draws(threads: u64, count: usize, keys: u32, skew: f64) -> Vec<Vec<Draw>> {
    let zipf = Zipf::new(keys, skew);
    let of_thread = |thread| {
        let mut random = Random::new(thread + 1);
        let draw = |number| Draw {
            key: draw::key(u64::from(number)),
            number,
        };
        (0..count).map(|_| draw(zipf.draw(&mut random))).collect()
    };
    (0..threads).map(of_thread).collect()
}

/// What one thread's turn took, and how many of its reads found nothing.
#[derive(Clone, Copy, Default)]
pub(crate) struct Turn {
    time: Duration,
    misses: usize,
}

/// A contender that can be timed. The loops are compiled for each one, so that
/// no call in them is indirect.
pub(crate) trait Racer: Contender {
    /// Reads each key.
    fn read(&self, draws: &[Draw]) -> Turn;

    /// Reads each key, and stores its value when there is none.
    fn read_through(&self, draws: &[Draw], values: &[Value]) -> Turn;
}

impl<C: Contender> Racer for C {
    fn read(&self, draws: &[Draw]) -> Turn {
        let mut misses = 0;
        let start = Instant::now();
        for draw in draws {
            let found = black_box(self.get(black_box(&draw.key)));
            misses += usize::from(found.is_none());
        }
        let time = start.elapsed();
        Turn { time, misses }
    }

    fn read_through(&self, draws: &[Draw], values: &[Value]) -> Turn {
        let mut misses = 0;
        let start = Instant::now();
        for draw in draws {
            if black_box(self.get(black_box(&draw.key))).is_none() {
                misses += 1;
                let value = &values[draw.number as usize];
                self.insert(draw.key, Value::clone(value));
            }
        }
        let time = start.elapsed();
        Turn { time, misses }
    }
}

/// What the rounds with one number of threads found.
#[derive(Clone, Default)]
pub(crate) struct Lap {
    /// Nanoseconds an operation of a thread, one for each round.
    nanos: Vec<f64>,
    operations: usize,
    misses: usize,
}

impl Lap {
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

/// How many rounds there are, and how long a turn is. Short turns are more
/// often undisturbed, so that the best of many is worth more than the best of
/// few long ones.
#[derive(Clone, Copy)]
pub(crate) struct Course {
    pub(crate) rounds: usize,
    /// Operations of a thread that are timed.
    pub(crate) timed: usize,
    /// Operations before them that are not: others had the processor's caches.
    pub(crate) untimed: usize,
}

impl Course {
    /// Turns between which the draws go on, then begin again.
    const TURNS: usize = 8;

    fn turn(&self) -> usize {
        self.untimed + self.timed
    }

    /// The untimed and the timed draws of a round.
    fn part<'a>(&self, draws: &'a [Draw], round: usize) -> (&'a [Draw], &'a [Draw]) {
        let part = draws.chunks_exact(self.turn()).nth(round % Self::TURNS);
        part.unwrap_or_default().split_at(self.untimed)
    }

    /// The draws of two threads.
    pub(crate) fn draws(&self, keys: u32, skew: f64) -> Vec<Vec<Draw>> {
        draws(2, Self::TURNS * self.turn(), keys, skew)
    }
}

/// Runs `turn` for each contender in each round: with the first thread's draws
/// alone, then with all. Returns the laps of each contender, by their number.
pub(crate) fn rounds(
    contenders: &[Box<dyn Racer>],
    course: Course,
    draws: &[Vec<Draw>],
    turn: impl Fn(&dyn Racer, &[Draw]) -> Turn + Sync,
) -> Vec<[Lap; 2]> {
    let mut laps = vec![<[Lap; 2]>::default(); contenders.len()];
    let mut order: Vec<usize> = (0..contenders.len()).collect();
    let mut random = Random::new(0);
    for round in 0..course.rounds {
        let parts: Vec<_> = draws
            .iter()
            .map(|draws| course.part(draws, round))
            .collect();
        for (crowd, parts) in [&parts[..1], &parts].into_iter().enumerate() {
            random.shuffle(&mut order);
            for &contender in &order {
                let turns = together(&*contenders[contender], parts, &turn);
                let slowest = turns.iter().map(|turn| turn.time).max();
                let lap = &mut laps[contender][crowd];
                let nanos = slowest.unwrap_or_default().as_secs_f64() * 1e9;
                lap.nanos.push(nanos / course.timed as f64);
                lap.operations += parts.iter().map(|part| part.1.len()).sum::<usize>();
                lap.misses += turns.iter().map(|turn| turn.misses).sum::<usize>();
            }
        }
    }
    laps
}

/// One turn of each thread, timed from the same moment.
fn together(
    racer: &dyn Racer,
    parts: &[(&[Draw], &[Draw])],
    turn: &(impl Fn(&dyn Racer, &[Draw]) -> Turn + Sync),
) -> Vec<Turn> {
    let barrier = Barrier::new(parts.len());
    thread::scope(|scope| {
        let start = |(untimed, timed)| {
            let barrier = &barrier;
            scope.spawn(move || {
                turn(racer, untimed);
                barrier.wait();
                turn(racer, timed)
            })
        };
        let running: Vec<_> = parts.iter().map(|&part| start(part)).collect();
        let turns = running.into_iter().filter_map(|thread| thread.join().ok());
        turns.collect()
    })
}
