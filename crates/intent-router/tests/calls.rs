//! Database calls add up: those made and those saved are together the calls
//! that the same requests cost without a cache.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::pin::pin;
use std::sync::atomic::Ordering;

use intent_router::{Request, Routed, UserContext};
use support::{Bench, bench, now, poll_once};

const CLAIM: &str = "what is my claim status?";
const HISTORY: &str = "show my payment history";

fn request(message: &str, user: &str) -> Request {
    Request::new(message, UserContext::new(user, "beneficiary"))
}

fn saved(routed: &Routed) -> u32 {
    routed.calls_saved()
}

fn route(bench: &Bench, message: &str, user: &str) -> Routed {
    now(bench.router.route(&request(message, user))).unwrap()
}

#[test]
fn made_and_saved_are_what_no_cache_would_have_made() {
    let asked = [
        (CLAIM, "BEN-000001"),
        (HISTORY, "BEN-000001"),
        (CLAIM, "BEN-000001"),
        (CLAIM, "NOBODY-1"),
        ("good morning", "BEN-000001"),
        ("good morning", "BEN-000002"),
        (HISTORY, "BEN-000002"),
        (HISTORY, "BEN-000001"),
    ];
    let cached = bench();
    let (mut made, mut would) = (0, 0);
    for (message, user) in asked {
        let routed = route(&cached, message, user);
        made += routed.calls;
        would += routed.answer.calls();
    }
    assert_eq!(made, cached.source.calls());

    let uncached = bench();
    uncached.router.cache().set_enabled(false);
    for (message, user) in asked {
        let routed = route(&uncached, message, user);
        assert_eq!(saved(&routed), 0, "{message} {user}");
    }
    assert_eq!(would, uncached.source.calls());
}

#[test]
fn an_answer_made_with_a_stored_membership_saves_the_look_up() {
    let bench = bench();
    route(&bench, CLAIM, "BEN-000001");
    let second = route(&bench, HISTORY, "BEN-000001");
    assert_eq!((second.calls, saved(&second)), (1, 1));
    let hit = route(&bench, HISTORY, "BEN-000001");
    assert_eq!((hit.calls, saved(&hit)), (0, 2));
}

#[test]
fn one_who_waited_made_no_call_and_saved_them_all() {
    let bench = bench();
    bench.source.held.store(true, Ordering::SeqCst);
    let request = request(CLAIM, "BEN-000001");
    let mut filler = pin!(bench.router.route(&request));
    let mut waiter = pin!(bench.router.route(&request));
    assert!(poll_once(filler.as_mut()).is_pending());
    assert!(poll_once(waiter.as_mut()).is_pending());
    bench.source.held.store(false, Ordering::SeqCst);
    let filled = now(filler).unwrap();
    let waited = now(waiter).unwrap();
    assert_eq!((filled.calls, saved(&filled)), (2, 0));
    assert_eq!((waited.calls, saved(&waited)), (0, 2));
}
