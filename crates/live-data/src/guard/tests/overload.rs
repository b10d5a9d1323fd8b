//! A simulated source under more load than it can take, in simulated time.

use std::num::NonZeroUsize;
use std::time::Instant;

use super::*;

/// The simulation's step.
const TICK: Duration = Duration::from_millis(5);
/// How many calls the source answers at a time, each in so long.
const CAPACITY: usize = 10;
const SERVICE: Duration = Duration::from_millis(50);
/// How long a request may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// A source that queues what it cannot answer at once. It spends its time on calls
/// that were given up, too, as sources do.
#[derive(Clone)]
struct Simulated {
    timer: ManualTimer,
    /// When each of its servers is free.
    free: Arc<Mutex<[Instant; CAPACITY]>>,
}

impl LiveData for Simulated {
    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        let done = {
            let mut free = self.free.lock().unwrap();
            let server = free.iter_mut().min().unwrap();
            *server = (*server).max(self.timer.now()) + SERVICE;
            *server
        };
        let deadline = ask.deadline;
        let end = deadline.at().map_or(done, |at| at.min(done));
        let timer = self.timer.clone();
        Box::pin(async move {
            timer.sleep_until(end).await;
            match end == done {
                true => Ok(Found::default()),
                false => Err(deadline.error()),
            }
        })
    }

    fn deadline(&self) -> Option<Duration> {
        Some(DEADLINE)
    }
}

/// What came of the requests that ended within a period.
#[derive(Debug, Default)]
struct Outcome {
    answered: usize,
    refused: usize,
    timed_out: usize,
    slowest: Duration,
}

struct Simulation<'a, L> {
    source: &'a L,
    timer: ManualTimer,
    under_way: Vec<(Instant, Answer<'a>)>,
    asked: usize,
}

impl<'a, L: LiveData> Simulation<'a, L> {
    fn new(source: &'a L, timer: ManualTimer) -> Self {
        Self {
            source,
            timer,
            under_way: Vec::new(),
            asked: 0,
        }
    }

    /// Lets requests arrive for so long, so many in each second, in equal parts of
    /// each intent.
    fn run(&mut self, period: Duration, per_second: usize) -> Outcome {
        let mut outcome = Outcome::default();
        let ticks = period.as_millis() / TICK.as_millis();
        let mut due = 0.0;
        for _ in 0..ticks {
            due += per_second as f64 * TICK.as_secs_f64();
            while due >= 1.0 {
                due -= 1.0;
                self.arrive();
            }
            self.timer.advance(TICK);
            self.poll(&mut outcome);
        }
        outcome
    }

    fn arrive(&mut self) {
        let intent = INTENTS[self.asked % INTENTS.len()];
        self.asked += 1;
        let now = self.timer.now();
        let mut ask = context(intent).ask();
        ask.deadline = Deadline::after(now, DEADLINE);
        self.under_way.push((now, self.source.records(ask)));
    }

    fn poll(&mut self, outcome: &mut Outcome) {
        let now = self.timer.now();
        let mut context = Context::from_waker(Waker::noop());
        self.under_way.retain_mut(|(began, answer)| {
            let Poll::Ready(result) = answer.as_mut().poll(&mut context) else {
                return true;
            };
            match result {
                Ok(_) => outcome.answered += 1,
                Err(SourceError::Timeout(_)) => outcome.timed_out += 1,
                Err(_) => outcome.refused += 1,
            }
            outcome.slowest = outcome.slowest.max(now - *began);
            false
        });
    }
}

/// How many requests the source can answer in a second.
const fn capacity_per_second() -> usize {
    CAPACITY * 1_000 / SERVICE.as_millis() as usize
}

fn simulated() -> (Simulated, ManualTimer) {
    let timer = ManualTimer::new();
    let free = Arc::new(Mutex::new([timer.now(); CAPACITY]));
    let source = Simulated {
        timer: timer.clone(),
        free,
    };
    (source, timer)
}

const PERIOD: Duration = Duration::from_secs(20);

#[test]
fn twice_the_load_gets_the_whole_capacity_in_bounded_time_and_half_of_it_recovers() {
    let (source, timer) = simulated();
    let options = GuardOptions {
        most: NonZeroUsize::new(200).unwrap(),
        ..GuardOptions::default()
    };
    let bound = options.max_wait + DEADLINE / 4;
    let guarded = Guarded::new(source, options, Arc::new(timer.clone()));
    let mut simulation = Simulation::new(&guarded, timer);
    let capacity = capacity_per_second() * 20;

    let usual = simulation.run(PERIOD, capacity_per_second() / 2);
    assert_eq!((usual.refused, usual.timed_out), (0, 0), "{usual:?}");
    assert!(usual.slowest <= SERVICE + 2 * TICK, "{usual:?}");

    let overload = simulation.run(PERIOD, capacity_per_second() * 2);
    assert!(overload.answered >= capacity * 95 / 100, "{overload:?}");
    assert_eq!(overload.timed_out, 0, "{overload:?}");
    assert!(overload.slowest <= bound, "{overload:?}");
    let limit = guarded.figures().limit;
    assert!((CAPACITY..=4 * CAPACITY).contains(&limit), "{limit}");

    // The load halves to what the source can take, and a bit less.
    let settling = simulation.run(Duration::from_secs(10), capacity_per_second() * 9 / 10);
    let after = simulation.run(PERIOD, capacity_per_second() * 9 / 10);
    assert_eq!(
        (after.refused, after.timed_out),
        (0, 0),
        "{settling:?} {after:?}"
    );
    assert!(after.slowest <= 2 * SERVICE, "{after:?}");
}

#[test]
fn without_a_guard_twice_the_load_gets_next_to_nothing() {
    let (source, timer) = simulated();
    let mut simulation = Simulation::new(&source, timer);
    simulation.run(PERIOD, capacity_per_second() * 2);
    let overload = simulation.run(PERIOD, capacity_per_second() * 2);
    let capacity = capacity_per_second() * 20;
    assert!(overload.answered <= capacity / 10, "{overload:?}");
}

#[test]
fn a_source_that_stops_answers_normally_soon_after_it_comes_back() {
    let (source, timer) = simulated();
    let guarded = Guarded::new(
        source.clone(),
        GuardOptions::default(),
        Arc::new(timer.clone()),
    );
    let mut simulation = Simulation::new(&guarded, timer.clone());
    simulation.run(PERIOD, 40);
    // No server is free for a minute.
    let back = timer.now() + Duration::from_secs(60);
    source.free.lock().unwrap().fill(back);
    simulation.run(Duration::from_secs(5), 40);
    assert_ne!(guarded.figures().breaker, BreakerState::Closed);
    let stopped = simulation.run(Duration::from_secs(55), 40);
    assert_eq!(stopped.answered, 0, "{stopped:?}");
    assert!(stopped.timed_out <= 55, "only probes wait: {stopped:?}");
    // The source works off the calls that were given up; then all is as before.
    simulation.run(Duration::from_secs(30), 40);
    let after = simulation.run(PERIOD, 40);
    assert_eq!((after.refused, after.timed_out), (0, 0), "{after:?}");
    assert_eq!(guarded.figures().breaker, BreakerState::Closed);
}
