//! The erasure of a user.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use cache_keys::CanonicalJson;
use intent_router::{
    Ask, CacheService, Catalogue, KeywordDetector, Records, Request, Routed, Router, SourceError,
    UserContext, source_fn,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::metrics::Metrics;
use crate::support::Server;
use crate::{QUESTION, ROLE, USER};

const QUESTIONS: [&str; 3] = [
    QUESTION,
    "has my payment been made yet?",
    "how much is my pension?",
];
const USERS: [&str; 4] = ["\"BEN-000001\"", "\"BEN-000002\"", "42", "\"42\""];
const ROLES: [&str; 2] = ["beneficiary", "employer"];

#[test]
fn a_receipt_counts_what_was_removed() {
    let server = Server::start(&[]);
    for role in ROLES {
        for question in QUESTIONS {
            server.ask(question, USER, role);
            server.ask(question, USER, role);
        }
    }
    server.ask(QUESTION, "BEN-000002", ROLE);
    let reply = server.post("/v1/erase", &json!({ "user_id": USER }));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let receipt = reply.value();
    let erased = json!({
        "answers": 6, "profiles": 2, "detections": 0, "recent_requests": 12, "responses": 0
    });
    assert_eq!(receipt["erased"], erased);
    assert_eq!(receipt["request_id"].as_str(), reply.header("x-request-id"));
    assert!(receipt["at"].as_str().is_some_and(|at| at.ends_with('Z')));
    let stats = server.stats();
    assert_eq!(
        (&stats["cache_size"], &stats["profiles"]["entries"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(stats["recent"].as_array().map(Vec::len), Some(1));
    assert!(!server.ask(QUESTION, USER, ROLE).is_hit());
    assert!(server.ask(QUESTION, "BEN-000002", ROLE).is_hit());
    for body in [
        json!({}),
        json!({ "user_id": USER, "role": ROLE }),
        json!([USER]),
    ] {
        server.post("/v1/erase", &body).is_problem(422, "user_id");
    }
    let long = json!({ "user_id": "x".repeat(4096) });
    let refused = server.post("/v1/erase", &long).value();
    assert_eq!(refused["code"], "selector_too_long");
}

/// One step of a random history: a question of a user in a role, or an erasure.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ask(usize, usize, usize),
    Erase(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let users = 0..USERS.len();
    prop_oneof![
        4 => (users.clone(), 0..ROLES.len(), 0..QUESTIONS.len())
            .prop_map(|(user, role, question)| Step::Ask(user, role, question)),
        1 => users.prop_map(Step::Erase),
    ]
}

/// The user as text: `42` and `"42"` are one.
fn text(user: usize) -> &'static str {
    USERS[user].trim_matches('"')
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 64))]

    /// Against a model that holds the questions of each user: an erasure removes
    /// all of one user and nothing of another.
    #[test]
    fn prop_nothing_of_an_erased_user_is_left(steps in vec(step(), 1..40)) {
        let server = Server::start(&[("ROUTER_PRIVACY__SHOW_IDS", "true")]);
        let mut stored = HashSet::new();
        let mut asked: Vec<&str> = Vec::new();
        for step in steps {
            match step {
                Step::Ask(user, role, question) => {
                    let body = format!(
                        r#"{{"message": "{}", "user_context": {{"user_id": {}, "user_role": "{}"}}}}"#,
                        QUESTIONS[question], USERS[user], ROLES[role]
                    );
                    let reply = server.json("POST", "/v1/route", body);
                    // The demo data has no user 42, so nothing is stored of it.
                    let is_new = stored.insert((user, role, question));
                    prop_assert_eq!(reply.is_hit(), !is_new && text(user) != "42");
                    asked.push(text(user));
                }
                Step::Erase(user) => {
                    let body = format!(r#"{{"user_id": {}}}"#, USERS[user]);
                    let receipt = server.json("POST", "/v1/erase", body).value();
                    let of_user = stored.iter().filter(|(other, ..)| text(*other) == text(user));
                    let answers = if text(user) == "42" { 0 } else { of_user.count() };
                    prop_assert_eq!(&receipt["erased"]["answers"], answers);
                    stored.retain(|(other, ..)| text(*other) != text(user));
                    let before = asked.len();
                    asked.retain(|other| *other != text(user));
                    let listed = before - asked.len();
                    prop_assert_eq!(&receipt["erased"]["recent_requests"], listed);
                }
            }
            let stats = server.stats();
            let live = stored.iter().filter(|(user, ..)| text(*user) != "42").count();
            prop_assert_eq!(&stats["cache_size"], live);
            let recent: Vec<&str> = stats["recent"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|request| request["user_id"].as_str())
                .collect();
            let latest_first: Vec<&str> = asked.iter().rev().copied().collect();
            prop_assert_eq!(recent, latest_first);
        }
    }
}

#[test]
fn an_erased_user_is_a_new_one() {
    let server = Server::start(&[]);
    server.ask(QUESTION, USER, ROLE);
    let erase = || {
        server
            .post("/v1/erase", &json!({ "user_id": USER }))
            .value()
    };
    let counts = |receipt: Value| {
        let erased = receipt["erased"].as_object().unwrap().clone();
        erased.values().filter_map(Value::as_u64).sum::<u64>()
    };
    assert_eq!(counts(erase()), 3);
    assert_eq!(counts(erase()), 0);
    server.ask(QUESTION, USER, ROLE);
    assert_eq!(counts(erase()), 3);
}

/// An answered request, as the metrics record it.
fn routed() -> Routed {
    let catalogue = Arc::new(Catalogue::built_in().clone());
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let source =
        source_fn(|_: Ask<'_>| async { Ok::<_, SourceError>(Records::new(json!({}), vec![])) });
    let cache = Arc::new(CacheService::builder().build().unwrap());
    let router = Router::new(catalogue, detector, source, cache).unwrap();
    let request = Request::new(QUESTION, UserContext::new(USER, ROLE));
    let routed = pin!(router.route(&request)).poll(&mut Context::from_waker(Waker::noop()));
    match routed {
        Poll::Ready(routed) => routed.unwrap(),
        Poll::Pending => panic!("the source does not wait"),
    }
}

#[test]
fn a_request_in_flight_during_an_erasure_is_counted_and_not_listed() {
    let (metrics, routed) = (Metrics::new(), routed());
    let user = UserContext::new(USER, ROLE);
    let listed = || metrics.snapshot().recent.len();
    let began = Instant::now();
    metrics.answered(&user, &routed, began, began);
    assert_eq!(metrics.forget(&CanonicalJson::string(USER)), 1);
    metrics.answered(&user, &routed, began, Instant::now());
    assert_eq!(listed(), 0);
    let later = Instant::now() + Duration::from_secs(1);
    metrics.answered(&user, &routed, later, later);
    assert_eq!(listed(), 1);
    assert_eq!(metrics.snapshot().requests(routed.cache.class()), 3);
}
