use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::Bytes;
use intent_router::{Principal, UserContext};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::http::client::Answered;

fn key(user: usize) -> Key {
    Key {
        who: Principal::identify(&UserContext::new(&format!("U-{user}"), "member")),
        uri: "http://127.0.0.1/claims".to_owned(),
    }
}

fn answered(head: &[(&'static str, &str)], body: &str) -> Answered {
    let mut headers = HeaderMap::new();
    for (name, value) in head {
        let value = HeaderValue::from_str(value).expect("a value");
        headers.append(HeaderName::from_static(name), value);
    }
    Answered {
        status: StatusCode::OK,
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn response(body: &str) -> Option<Response> {
    Response::of(&answered(&[("etag", "\"1\"")], body), false)
}

#[test]
fn what_may_be_kept() {
    for (head, alone, shared) in [
        (&[("etag", "\"a\"")][..], true, true),
        (&[("etag", "W/\"\"")], true, true),
        (
            &[("etag", "\"a\""), ("cache-control", "no-cache")],
            true,
            true,
        ),
        (
            &[("etag", "\"a\""), ("cache-control", "private")],
            true,
            false,
        ),
        (
            &[("etag", "\"a\""), ("cache-control", "x, no-store")],
            false,
            false,
        ),
        (&[("etag", "\"a\""), ("vary", "accept")], true, true),
        (&[("etag", "\"a\""), ("vary", "accept, *")], false, false),
        (&[("etag", "\"a\""), ("etag", "\"b\"")], false, false),
        (&[("etag", "a")], false, false),
        (&[("etag", "\"a b\"")], false, false),
        (&[("etag", "\"a\"b\"")], false, false),
        (&[("etag", "w/\"a\"")], false, false),
        (&[("etag", "\"")], false, false),
        (
            &[("last-modified", "Mon, 02 Mar 2026 10:00:00 GMT")],
            false,
            false,
        ),
    ] {
        let answered = answered(head, "{}");
        for (is_shared, expect) in [(false, alone), (true, shared)] {
            let kept = Response::of(&answered, is_shared).is_some();
            assert_eq!(kept, expect, "{head:?} {is_shared}");
        }
    }
    let mut not_found = answered(&[("etag", "\"a\"")], "{}");
    not_found.status = StatusCode::NOT_FOUND;
    assert!(Response::of(&not_found, false).is_none());
}

#[test]
fn a_confirmed_response_has_the_later_headers() {
    let head = [
        ("etag", "\"a\""),
        ("cache-control", "max-age=60"),
        ("age", "50"),
        ("surrogate-key", "x:1"),
    ];
    let kept = Response::of(&answered(&head, "{}"), false).expect("an entity tag");
    let confirmed = |head: &[(&'static str, &str)]| {
        let headers = kept.confirmed(&answered(head, "").headers)?.headers;
        let text = |name: &str| {
            headers
                .get(name)
                .map(|value| value.to_str().expect("text").to_owned())
        };
        Some([
            text("cache-control"),
            text("age"),
            text("surrogate-key"),
            text("etag"),
        ])
    };
    let texts = |expect: [Option<&str>; 4]| Some(expect.map(|text| text.map(str::to_owned)));
    assert_eq!(
        confirmed(&[]),
        texts([Some("max-age=60"), None, Some("x:1"), Some("\"a\"")])
    );
    assert_eq!(
        confirmed(&[
            ("etag", "W/\"a\""),
            ("cache-control", "no-store"),
            ("age", "7")
        ]),
        texts([Some("no-store"), Some("7"), Some("x:1"), Some("W/\"a\"")])
    );
    assert_eq!(confirmed(&[("etag", "\"b\"")]), None);
    assert_eq!(confirmed(&[("etag", "a")]), None);
}

#[test]
fn what_is_not_used_for_a_day_is_removed() {
    let (kept, began) = (Kept::new(1 << 20), Instant::now());
    let at = |hours: u64| began + Duration::from_secs(hours * 3_600);
    for user in 0..2 {
        kept.replace(kept.find(key(user), began), response("{}"), began);
    }
    assert!(kept.find(key(0), at(23)).response.is_some());
    assert!(kept.find(key(2), at(24)).response.is_none());
    assert_eq!(kept.state.lock().entries.len(), 1, "U-1 is gone");
    assert!(kept.find(key(0), at(46)).response.is_some());
    assert!(kept.find(key(0), at(70)).response.is_none());
    assert_eq!(kept.state.lock().bytes, 0);
}

#[test]
fn nothing_that_was_asked_before_an_erasure_is_kept_after_it() {
    let (kept, now) = (Kept::new(1 << 20), Instant::now());
    let known = kept.find(key(0), now);
    assert_eq!(kept.forget("U-0"), 0);
    kept.replace(known, response("{}"), now);
    assert!(kept.find(key(0), now).response.is_none());
    kept.replace(kept.find(key(0), now), response("{}"), now);
    assert_eq!((kept.forget("U-1"), kept.forget("U-0")), (0, 1));
}

#[derive(Clone, Debug)]
enum Step {
    Ask(usize),
    Answer(usize, usize),
    Gone(usize),
    Forget(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..6_usize).prop_map(Step::Ask),
        (0..6_usize, 0..1_500_usize).prop_map(|(user, size)| Step::Answer(user, size)),
        (0..6_usize).prop_map(Step::Gone),
        (0..6_usize).prop_map(Step::Forget),
    ]
}

proptest! {
    /// Against a list in the order of uses.
    #[test]
    fn prop_the_most_recently_used_that_fit_are_kept(steps in vec(step(), 1..60)) {
        const ROOM: usize = 4_000;
        let (kept, now) = (Kept::new(ROOM), Instant::now());
        let mut model: Vec<(usize, usize)> = Vec::new();
        let bytes = |user: usize, size: usize| {
            let body = "x".repeat(size);
            key(user).bytes() + response(&body).expect("an entity tag").bytes() + OVERHEAD
        };
        for step in steps {
            match step {
                Step::Ask(user) => {
                    let found = kept.find(key(user), now).response;
                    let at = model.iter().position(|(other, _)| *other == user);
                    let expect = at.map(|at| {
                        let entry = model.remove(at);
                        model.push(entry);
                        entry.1
                    });
                    prop_assert_eq!(found.map(|found| found.body.len()), expect);
                }
                Step::Answer(user, size) => {
                    let body = "x".repeat(size);
                    kept.replace(kept.find(key(user), now), response(&body), now);
                    model.retain(|(other, _)| *other != user);
                    model.push((user, size));
                    while model.iter().map(|(user, size)| bytes(*user, *size)).sum::<usize>() > ROOM {
                        model.remove(0);
                    }
                }
                Step::Gone(user) => {
                    kept.replace(kept.find(key(user), now), None, now);
                    model.retain(|(other, _)| *other != user);
                }
                Step::Forget(user) => {
                    let before = model.len();
                    model.retain(|(other, _)| *other != user);
                    prop_assert_eq!(kept.forget(&format!("U-{user}")), before - model.len());
                }
            }
            let state = kept.state.lock();
            let expect: usize = model.iter().map(|(user, size)| bytes(*user, *size)).sum();
            prop_assert_eq!(state.bytes, expect);
            prop_assert_eq!((state.entries.len(), state.by_use.len()), (model.len(), model.len()));
        }
    }
}
