//! What holds whatever is asked, in whatever order calls end.

use std::num::{NonZeroU32, NonZeroUsize};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Ask(usize, u64),
    /// Calls of an intent have that fate from now on.
    Set(usize, Fate),
    PollAll,
    /// One who asked goes away.
    Leave(usize),
    Advance(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let intent = 0..INTENTS.len();
    let fate = prop::sample::select(vec![
        Fate::Hold,
        Fate::Answer,
        Fate::Answer,
        Fate::TimeOut,
        Fate::Fail,
        Fate::Refuse,
    ]);
    let step = prop_oneof![
        4 => (intent.clone(), 1..3_000_u64).prop_map(|(it, ms)| Step::Ask(it, ms)),
        2 => (intent, fate).prop_map(|(it, fate)| Step::Set(it, fate)),
        2 => Just(Step::PollAll),
        1 => (0..64_usize).prop_map(Step::Leave),
        1 => (0..4_000_u64).prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #[test]
    fn prop_limits_hold_and_nothing_is_lost(
        steps in steps(),
        most in 1..6_usize,
        share in proptest::option::of(1..6_usize),
    ) {
        let bench = bench(GuardOptions {
            most: NonZeroUsize::new(most).unwrap(),
            share: share.and_then(NonZeroUsize::new),
            queue: NonZeroUsize::new(3).unwrap(),
            failures: NonZeroU32::new(2).unwrap(),
            ..GuardOptions::default()
        });
        let share = share.unwrap_or(most.div_ceil(2)).min(most - 1).max(1);
        let mut asked: Vec<Asked<'_>> = Vec::new();
        for step in steps {
            let before = bench.guarded.figures().breaker;
            let calls = bench.source.calls().len();
            match step {
                Step::Ask(intent, ms) => {
                    let until = Deadline::after(bench.timer.now(), Duration::from_millis(ms));
                    asked.push(bench.asked_until(INTENTS[intent], until));
                    if before == BreakerState::Open {
                        prop_assert_eq!(bench.source.calls().len(), calls);
                    }
                }
                Step::Set(intent, fate) => bench.source.set(INTENTS[intent], fate),
                Step::PollAll => asked.retain_mut(|it| !it.poll()),
                Step::Leave(at) if !asked.is_empty() => drop(asked.swap_remove(at % asked.len())),
                Step::Leave(_) => {}
                Step::Advance(ms) => bench.timer.advance(Duration::from_millis(ms)),
            }
            let in_flight = bench.source.happened(|it| it.in_flight.clone());
            prop_assert!(in_flight.values().all(|calls| *calls <= share));
            let figures = bench.guarded.figures();
            prop_assert!(in_flight.values().sum::<usize>() <= figures.in_flight);
            prop_assert!(figures.in_flight <= most && figures.waiting <= 3 * INTENTS.len());
            prop_assert!((1..=most).contains(&figures.limit));
        }
        asked.clear();
        let figures = bench.guarded.figures();
        prop_assert_eq!((figures.in_flight, figures.waiting), (0, 0));
        // Once the source answers, all do within the longest time of a breaker.
        bench.timer.advance(GuardOptions::default().longest_open);
        for intent in INTENTS {
            bench.source.set(intent, Fate::Answer);
            prop_assert!(bench.ask(intent).is_ok());
        }
        let figures = bench.guarded.figures();
        prop_assert_eq!((figures.breaker, figures.open_intents), (BreakerState::Closed, 0));
    }
}
