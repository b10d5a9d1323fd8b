use std::time::Duration;

use proptest::prelude::*;

use super::{Counts, OutcomeClass, Phase, Sample, course, repeated};
use crate::bench::options::Options;
use crate::bench::test_support::traffic;
use crate::bench::traffic::Traffic;

fn sample(started: u64, outcome: OutcomeClass) -> Sample {
    Sample {
        started,
        latency: 1_000,
        outcome,
        queries: 0,
    }
}

fn outcomes() -> impl Strategy<Value = OutcomeClass> {
    prop_oneof![
        Just(OutcomeClass::Hit),
        Just(OutcomeClass::Miss),
        Just(OutcomeClass::Bypass)
    ]
}

/// The definition, tried for every request against every other.
fn naive_repeated(traffic: &Traffic, phase: &Phase) -> Counts {
    let samples = &phase.samples;
    let asked_before = |index: usize| {
        let (question, ttl) = traffic.question(index);
        (0..samples.len()).any(|other| {
            traffic.question(other).0 == question
                && (samples[other].started, other) < (samples[index].started, index)
                && Duration::from_nanos(samples[index].started - samples[other].started) <= ttl
        })
    };
    Counts::of(
        (0..samples.len())
            .filter(|&index| asked_before(index))
            .map(|index| samples[index].outcome),
    )
}

proptest! {
    #[test]
    fn prop_repeated_queries_are_what_the_definition_says(
        seed in any::<u64>(),
        // Up to two hours, so that both TTLs of the traffic are outlasted.
        records in prop::collection::vec((0_u64..7_200, outcomes()), 1..120),
    ) {
        let traffic = traffic(Options {
            users: 3,
            requests: records.len(),
            wordings: 2,
            seed,
            ..Options::default()
        });
        let phase = Phase {
            samples: records
                .into_iter()
                .map(|(at, outcome)| sample(at * 1_000_000_000, outcome))
                .collect(),
            elapsed: Duration::ZERO,
        };
        prop_assert_eq!(repeated(&traffic, &phase), naive_repeated(&traffic, &phase));
    }
}

#[test]
fn a_question_repeats_until_its_ttl_and_no_longer() {
    let traffic = traffic(Options {
        users: 1,
        requests: 200,
        wordings: 1,
        ..Options::default()
    });
    let live: Vec<usize> = (0..traffic.len())
        .filter(|&at| traffic.question(at) == (traffic.question(0).0, Duration::from_secs(300)))
        .take(2)
        .collect();
    let [first, second] = live[..] else {
        panic!("the question occurs twice");
    };
    for (gap, expected) in [(300_000_000_000, 1), (300_000_000_001, 0)] {
        let mut samples = Vec::new();
        for at in 0..=second {
            let started = if at == second { gap } else { 0 };
            // Only the second asking is a hit, so only it is counted below.
            let outcome = if at == second {
                OutcomeClass::Hit
            } else {
                OutcomeClass::Miss
            };
            samples.push(sample(started, outcome));
        }
        assert!(first < second);
        let phase = Phase {
            samples,
            elapsed: Duration::ZERO,
        };
        assert_eq!(repeated(&traffic, &phase).hit, expected);
    }
}

#[test]
fn the_course_is_the_hit_rate_of_each_stretch() {
    let phase = Phase {
        samples: [
            OutcomeClass::Miss,
            OutcomeClass::Hit,
            OutcomeClass::Hit,
            OutcomeClass::Bypass,
            OutcomeClass::Hit,
        ]
        .map(|outcome| sample(0, outcome))
        .to_vec(),
        elapsed: Duration::ZERO,
    };
    assert_eq!(course(&phase, 3), [50.0, 50.0, 100.0]);
    assert_eq!(course(&phase, 1), [60.0]);
    assert_eq!(course(&phase, 100).len(), 5);
    assert!(course(&Phase::default(), 100).is_empty());
}
