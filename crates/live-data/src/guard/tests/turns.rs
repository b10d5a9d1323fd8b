//! Limit, shares, turns and bounded waits.

use std::num::NonZeroUsize;

use super::*;

fn of(most: usize) -> GuardOptions {
    GuardOptions {
        most: NonZeroUsize::new(most).unwrap(),
        ..GuardOptions::default()
    }
}

#[test]
fn an_intent_whose_calls_hang_leaves_room_for_others() {
    let bench = bench(of(4));
    bench.source.set("b", Fate::Answer);
    let _hanging: Vec<_> = (0..4).map(|_| bench.asked("a")).collect();
    let figures = bench.guarded.figures();
    assert_eq!((figures.in_flight, figures.waiting), (2, 2));
    for _ in 0..10 {
        assert!(bench.ask("b").is_ok());
    }
}

#[test]
fn a_share_leaves_one_call_for_others_and_is_never_none() {
    for (most, share, expect) in [
        (1, None, 1),
        (1, Some(5), 1),
        (2, None, 1),
        (5, None, 3),
        (5, Some(2), 2),
        (5, Some(5), 4),
    ] {
        let bench = bench(GuardOptions {
            share: share.and_then(NonZeroUsize::new),
            ..of(most)
        });
        let _hanging: Vec<_> = (0..8).map(|_| bench.asked("a")).collect();
        assert_eq!(
            bench.guarded.figures().in_flight,
            expect,
            "{most} {share:?}"
        );
    }
}

#[test]
fn all_intents_together_keep_to_the_limit() {
    let bench = bench(of(3));
    let hanging: Vec<_> = INTENTS.map(|intent| bench.asked(intent)).into();
    assert_eq!(bench.source.calls(), ["a", "b", "c"]);
    drop(hanging);
    let figures = bench.guarded.figures();
    assert_eq!((figures.in_flight, figures.waiting), (0, 0));
}

#[test]
fn intents_take_turns_however_many_wait_of_each() {
    let bench = bench(of(1));
    let first = bench.asked("a");
    let order = ["a", "a", "a", "b", "c", "b"];
    let mut waiting: Vec<_> = order.map(|intent| bench.asked(intent)).into();
    for intent in INTENTS {
        bench.source.set(intent, Fate::Answer);
    }
    drop(first);
    for _ in order {
        for asked in &mut waiting {
            asked.poll();
        }
    }
    let calls = bench.source.calls();
    assert_eq!(calls, ["a", "a", "b", "c", "a", "b", "a"]);
    assert!(
        waiting
            .iter()
            .all(|asked| matches!(asked.result, Some(Ok(_))))
    );
}

#[test]
fn a_call_waits_for_a_bounded_time() {
    let bench = bench(of(1));
    let mut held = bench.asked("a");
    let mut waiting = bench.asked("b");
    bench.timer.advance(Duration::from_millis(499));
    assert!(!waiting.poll());
    bench.timer.advance(Duration::from_millis(1));
    assert!(waiting.is_overloaded());
    assert!(!held.poll());
    drop(waiting);
    let figures = bench.guarded.figures();
    assert_eq!((figures.waiting, figures.refused_waited), (0, 1));
    assert_eq!(bench.source.calls(), ["a"]);
}

#[test]
fn a_call_waits_no_longer_than_until_its_deadline() {
    let bench = bench(of(1));
    let _held = bench.asked("a");
    let deadline = Deadline::after(bench.timer.now(), Duration::from_millis(100));
    let mut waiting = bench.asked_until("b", deadline);
    bench.timer.advance(Duration::from_millis(100));
    assert!(waiting.is_overloaded());
}

#[test]
fn a_full_queue_refuses_its_own_intent_only() {
    let bench = bench(GuardOptions {
        queue: NonZeroUsize::new(2).unwrap(),
        ..of(1)
    });
    let _held = bench.asked("a");
    let _waiting = [bench.asked("a"), bench.asked("a")];
    assert!(bench.asked("a").is_overloaded());
    assert!(!bench.asked("b").poll());
    assert_eq!(bench.guarded.figures().refused_full, 1);
}

#[test]
fn who_leaves_the_queue_makes_room_and_keeps_no_turn() {
    let bench = bench(of(1));
    let held = bench.asked("a");
    // Joining and leaving again and again must not leave turns behind.
    for _ in 0..3 {
        drop(bench.asked("a"));
    }
    let mut b = bench.asked("b");
    let mut a = bench.asked("a");
    bench.source.set("b", Fate::Answer);
    drop(held);
    assert!(b.poll());
    assert!(!a.poll());
    assert_eq!(bench.source.calls(), ["a", "b", "a"]);
}

#[test]
fn a_turn_that_came_to_one_who_has_gone_is_passed_on() {
    let bench = bench(of(1));
    let held = bench.asked("a");
    let gone = bench.asked("b");
    let mut next = bench.asked("c");
    bench.source.set("c", Fate::Answer);
    drop(held);
    // Its turn has come, and it was never polled since.
    drop(gone);
    assert!(next.poll());
    assert_eq!(bench.source.calls(), ["a", "c"]);
}
