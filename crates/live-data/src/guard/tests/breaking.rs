//! What opens a breaker, and what closes it.

use std::num::NonZeroU32;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn options() -> GuardOptions {
    GuardOptions {
        failures: NonZeroU32::new(3).unwrap(),
        ..GuardOptions::default()
    }
}

/// A bench whose source has failed three times.
fn open() -> Bench {
    let bench = bench(options());
    bench.source.set("a", Fate::Fail);
    for _ in 0..3 {
        assert!(retry_after(bench.ask("a")).is_none());
    }
    assert_eq!(bench.guarded.figures().breaker, BreakerState::Open);
    bench
}

#[test]
fn failures_in_a_row_open_it_and_an_answer_between_them_does_not() {
    let bench = bench(options());
    for _ in 0..3 {
        bench.source.set("a", Fate::Fail);
        for _ in 0..2 {
            assert!(bench.ask("a").is_err());
        }
        bench.source.set("a", Fate::Answer);
        assert!(bench.ask("a").is_ok());
    }
    assert_eq!(bench.guarded.figures().opened, 0);
}

#[test]
fn while_it_is_open_no_call_is_made() {
    let bench = open();
    let wait = retry_after(bench.ask("b")).unwrap();
    assert!((SECOND / 2..=SECOND).contains(&wait), "{wait:?}");
    bench.timer.advance(wait - Duration::from_nanos(1));
    assert_eq!(retry_after(bench.ask("a")), Some(Duration::from_nanos(1)));
    assert_eq!(bench.source.calls().len(), 3);
    assert_eq!(bench.guarded.figures().refused_open, 2);
}

#[test]
fn one_probe_at_a_time_decides() {
    let bench = open();
    bench.timer.advance(SECOND);
    assert_eq!(bench.guarded.figures().breaker, BreakerState::HalfOpen);
    let mut probe = bench.asked("b");
    assert!(bench.asked("c").is_refused());
    bench.source.set("b", Fate::Answer);
    assert!(probe.poll());
    assert_eq!(bench.guarded.figures().breaker, BreakerState::Closed);
    bench.source.set("c", Fate::Answer);
    assert!(bench.ask("c").is_ok());
}

#[test]
fn a_probe_that_is_dropped_leaves_its_place_to_the_next() {
    let bench = open();
    bench.timer.advance(SECOND);
    drop(bench.asked("b"));
    assert_eq!(bench.guarded.figures().breaker, BreakerState::HalfOpen);
    bench.source.set("c", Fate::Answer);
    assert!(bench.ask("c").is_ok());
    assert_eq!(bench.guarded.figures().breaker, BreakerState::Closed);
}

#[test]
fn each_failed_probe_doubles_the_time_up_to_the_longest() {
    let bench = open();
    // Jitter takes off up to a half.
    for seconds in [1, 2, 4, 8, 10, 10, 10] {
        let whole = SECOND * seconds;
        let wait = retry_after(bench.ask("b")).unwrap();
        assert!((whole / 2..=whole).contains(&wait), "{wait:?} of {whole:?}");
        bench.timer.advance(wait);
        bench.source.set("b", Fate::Fail);
        assert!(retry_after(bench.ask("b")).is_none());
    }
    // Once it has closed, it begins again with the shortest.
    bench.timer.advance(SECOND * 10);
    bench.source.set("b", Fate::Answer);
    assert!(bench.ask("b").is_ok());
    for _ in 0..3 {
        assert!(bench.ask("a").is_err());
    }
    assert!(retry_after(bench.ask("b")).unwrap() <= SECOND);
}

#[test]
fn a_queue_is_emptied_when_it_opens() {
    let bench = bench(GuardOptions {
        most: std::num::NonZeroUsize::MIN,
        failures: NonZeroU32::MIN,
        ..GuardOptions::default()
    });
    let mut held = bench.asked("a");
    let mut waiting = [bench.asked("a"), bench.asked("b")];
    bench.source.set("a", Fate::Fail);
    assert!(held.poll());
    assert!(waiting.iter_mut().all(Asked::is_refused));
    assert_eq!(bench.source.calls(), ["a"]);
    let figures = bench.guarded.figures();
    assert_eq!((figures.waiting, figures.refused_open), (0, 2));
}

#[test]
fn one_intents_wrong_query_or_slowness_stops_that_intent_only() {
    for fate in [Fate::Refuse, Fate::TimeOut] {
        let bench = bench(options());
        bench.source.set("a", fate);
        bench.source.set("b", Fate::Answer);
        for _ in 0..3 {
            assert!(retry_after(bench.ask("a")).is_none());
        }
        assert!(retry_after(bench.ask("a")).is_some(), "{fate:?}");
        assert!(bench.ask("b").is_ok(), "{fate:?}");
        let figures = bench.guarded.figures();
        assert_eq!(figures.breaker, BreakerState::Closed, "{fate:?}");
        assert_eq!((figures.opened_intents, figures.open_intents), (1, 1));
        // It recovers as the source's does.
        bench.timer.advance(SECOND);
        bench.source.set("a", Fate::Answer);
        assert!(bench.ask("a").is_ok(), "{fate:?}");
        assert_eq!(bench.guarded.figures().open_intents, 0);
    }
}

#[test]
fn time_outs_of_several_intents_open_it_for_all() {
    let bench = bench(options());
    for intent in ["a", "b"] {
        bench.source.set(intent, Fate::TimeOut);
    }
    for intent in ["a", "b", "a"] {
        assert!(retry_after(bench.ask(intent)).is_none());
    }
    assert!(retry_after(bench.ask("c")).is_some());
}

#[test]
fn a_call_that_is_given_up_at_its_deadline_timed_out() {
    let bench = bench(options());
    let deadline = || Deadline::after(bench.timer.now(), SECOND);
    for _ in 0..3 {
        let asked = bench.asked_until("a", deadline());
        bench.timer.advance(SECOND);
        drop(asked);
    }
    assert!(bench.asked("a").is_refused());
    // Those whose askers leave before say nothing.
    for _ in 0..5 {
        let asked = bench.asked_until("b", deadline());
        bench.timer.advance(SECOND / 2);
        drop(asked);
    }
    assert!(!bench.asked("b").poll());
}

#[test]
fn the_end_of_a_call_from_before_tells_nothing_of_now() {
    let bench = bench(options());
    let mut early = bench.asked("b");
    bench.source.set("a", Fate::Fail);
    for _ in 0..3 {
        assert!(bench.ask("a").is_err());
    }
    bench.source.set("b", Fate::Answer);
    assert!(early.poll());
    assert_eq!(bench.guarded.figures().breaker, BreakerState::Open);
}

#[test]
fn a_readiness_probe_sees_the_breaker_and_closes_it() {
    let bench = open();
    let ready = || pollster::block_on(bench.guarded.ready());
    assert!(retry_after(ready()).is_some());
    bench.timer.advance(SECOND);
    // While no traffic comes, as the service is not ready, it is the probe.
    bench.source.happened(|it| it.unready = true);
    assert!(matches!(ready(), Err(SourceError::Unavailable(_))));
    assert!(retry_after(ready()).is_some());
    bench.timer.advance(SECOND * 2);
    bench.source.happened(|it| it.unready = false);
    assert!(ready().is_ok());
    assert_eq!(bench.guarded.figures().breaker, BreakerState::Closed);
}

#[test]
fn a_guard_before_another_source_is_the_same_guard() {
    let bench = open();
    let next = bench.guarded.before(Scripted::default());
    assert_eq!(next.figures().breaker, BreakerState::Open);
}

/// A call that is granted its turn with hardly any time left says nothing of its
/// intent.
#[test]
fn a_time_out_for_want_of_time_counts_for_no_breaker() {
    let bench = bench(GuardOptions {
        failures: NonZeroU32::new(1).unwrap(),
        ..GuardOptions::default()
    });
    bench.source.set("a", Fate::Hold);
    let mut usual = bench.asked("a");
    bench.timer.advance(SECOND);
    bench.source.set("a", Fate::Answer);
    assert!(usual.poll());
    let timed_out_after = |time| {
        bench.source.set("a", Fate::Hold);
        let mut late = bench.asked("a");
        bench.timer.advance(time);
        bench.source.set("a", Fate::TimeOut);
        assert!(late.poll());
        bench.guarded.figures().open_intents
    };
    assert_eq!(timed_out_after(SECOND / 10), 0);
    assert_eq!(timed_out_after(SECOND * 2), 1);
}
