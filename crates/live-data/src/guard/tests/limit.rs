//! The adaptive limit by itself.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use super::super::limit::{Call, Latency, Limit};
use super::*;

const USUAL: Duration = Duration::from_millis(50);

/// A limit from 2 to 20, and the time of its calls.
struct Calls {
    limit: Limit,
    now: Instant,
}

impl Calls {
    fn new() -> Self {
        let options = GuardOptions {
            least: NonZeroUsize::new(2).unwrap(),
            most: NonZeroUsize::new(20).unwrap(),
            ..GuardOptions::default()
        };
        Self {
            limit: Limit::new(&options),
            now: Instant::now(),
        }
    }

    /// As many calls at once as `under_way`, which all take so long.
    fn round(&mut self, latency: &mut Latency, under_way: usize, took: Duration) {
        let began = self.now;
        self.now += took;
        for _ in 0..under_way {
            let call = Call {
                began,
                in_flight: under_way,
                is_pressed: false,
            };
            self.limit.ended(latency, call, self.now);
        }
    }

    fn rounds(&mut self, number: usize, latency: &mut Latency, took: Duration) {
        for _ in 0..number {
            let limit = self.limit.current();
            self.round(latency, limit, took);
        }
    }
}

#[test]
fn it_grows_while_it_is_used_and_latency_is_as_usual() {
    let mut calls = Calls::new();
    let mut latency = Latency::default();
    assert_eq!(calls.limit.current(), 16);
    for _ in 0..50 {
        calls.round(&mut latency, 4, USUAL);
    }
    assert_eq!(calls.limit.current(), 16, "it was not used");
    calls.rounds(2, &mut latency, USUAL);
    assert!((17..=18).contains(&calls.limit.current()));
    calls.rounds(50, &mut latency, USUAL);
    assert_eq!(calls.limit.current(), 20);
}

#[test]
fn it_falls_by_a_tenth_a_round_while_calls_take_too_long_and_recovers() {
    let mut calls = Calls::new();
    let mut latency = Latency::default();
    calls.rounds(50, &mut latency, USUAL);
    calls.rounds(1, &mut latency, 4 * USUAL);
    assert_eq!(calls.limit.current(), 18, "once for all calls of a round");
    calls.rounds(1, &mut latency, 4 * USUAL);
    assert_eq!(calls.limit.current(), 16);
    calls.rounds(20, &mut latency, 40 * USUAL);
    assert_eq!(calls.limit.current(), 2);
    calls.rounds(100, &mut latency, USUAL);
    assert_eq!(calls.limit.current(), 20);
}

#[test]
fn an_intent_that_is_always_slow_is_no_sign_of_a_slow_source() {
    let mut calls = Calls::new();
    let (mut quick, mut slow) = (Latency::default(), Latency::default());
    for _ in 0..20 {
        calls.rounds(1, &mut quick, USUAL);
        calls.rounds(1, &mut slow, 40 * USUAL);
    }
    assert_eq!(calls.limit.current(), 20);
}

#[test]
fn a_source_that_stays_slower_is_used_in_full_again() {
    let mut calls = Calls::new();
    let mut latency = Latency::default();
    calls.rounds(50, &mut latency, USUAL);
    calls.rounds(20, &mut latency, 4 * USUAL);
    assert!(calls.limit.current() < 10);
    calls.rounds(500, &mut latency, 4 * USUAL);
    assert_eq!(calls.limit.current(), 20);
}

/// Calls of a single intent stay below its share, which a higher limit raises.
#[test]
fn it_grows_for_one_intent_whose_share_is_used_up() {
    let mut calls = Calls::new();
    let mut latency = Latency::default();
    calls.rounds(50, &mut latency, USUAL);
    calls.rounds(20, &mut latency, 40 * USUAL);
    assert_eq!(calls.limit.current(), 2);
    let one = |calls: &mut Calls, latency: &mut Latency, is_pressed| {
        let began = calls.now;
        calls.now += USUAL;
        let call = Call {
            began,
            in_flight: 1,
            is_pressed,
        };
        calls.limit.ended(latency, call, calls.now);
    };
    for _ in 0..500 {
        one(&mut calls, &mut latency, false);
    }
    assert_eq!(calls.limit.current(), 2, "it was not needed");
    for _ in 0..500 {
        one(&mut calls, &mut latency, true);
    }
    assert_eq!(calls.limit.current(), 20);
}
