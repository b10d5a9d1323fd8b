//! Responses with an `ETag`: when the back end is asked whether they are current, and what
//! its answer makes of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use intent_router::{CanonicalJson, LiveData};
use live_data::{HttpOptions, HttpSource};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::server::{Reply, Server};
use crate::{Question, options, source};

/// The entity tag that a request names as known.
fn condition(request: &str) -> Option<&str> {
    let mut lines = request.lines();
    lines.find_map(|line| line.strip_prefix("if-none-match: "))
}

fn not_modified(head: &str) -> Reply {
    Reply::text(format!(
        "HTTP/1.1 304 Not Modified\r\n{head}connection: close\r\n\r\n"
    ))
}

fn forget(source: &HttpSource, user: &str) -> usize {
    source.forget(&CanonicalJson::string(user))
}

#[tokio::test]
async fn a_current_response_is_used_again_with_the_later_freshness() {
    let head = "etag: \"1\"\r\ncache-control: max-age=60\r\nage: 50\r\nsurrogate-key: x:1\r\n";
    let server = Server::start([
        Reply::of("200 OK", head, r#"{"number": 7}"#),
        not_modified(""),
        not_modified("etag: W/\"1\"\r\ncache-control: max-age=9\r\nsurrogate-key: x:2\r\n"),
        not_modified("cache-control: no-store\r\n"),
        Reply::ok("{}"),
    ])
    .await;
    let source = source(&server.url);
    for (data, tags, max_age) in [
        (json!({"number": 7}), &["claim:7", "x:1"][..], Some(10)),
        (json!({"number": 7}), &["claim:7", "x:1"], Some(60)),
        (json!({"number": 7}), &["claim:7", "x:2"], Some(9)),
        (json!({"number": 7}), &["claim:7", "x:2"], Some(0)),
        (json!({}), &[], None),
    ] {
        let found = Question::default().ask(&source).await.expect("an answer");
        assert_eq!((&found.value.data, found.calls), (&data, 1));
        assert_eq!(found.value.tags, tags);
        assert_eq!(found.value.max_age, max_age.map(Duration::from_secs));
    }
    let requests = server.requests();
    let sent: Vec<_> = requests.iter().map(|request| condition(request)).collect();
    let (strong, weak) = (Some("\"1\""), Some("W/\"1\""));
    assert_eq!(sent, [None, strong, strong, weak, None]);
}

#[tokio::test]
async fn a_response_is_kept_for_its_request_alone() {
    let server = Server::start([Reply::of("200 OK", "etag: \"1\"\r\n", "{}")]).await;
    let source = source(&server.url);
    let first = Question {
        http: "path = '/claims/{claim}'",
        claim: Some("CLM-0001"),
        ..Question::default()
    };
    first.ask(&source).await.expect("an answer");
    for other in [
        Question {
            user: "BEN-2",
            ..first
        },
        Question {
            role: "clerk",
            ..first
        },
        Question {
            claim: None,
            ..first
        },
        Question {
            http: "path = '/claims/{claim}'\nquery = { a = 'b' }",
            ..first
        },
        Question {
            http: "method = 'POST'\npath = '/claims/{claim}'\nidempotent = true",
            ..first
        },
        Question {
            http: "method = 'POST'\npath = '/claims/{claim}'\nidempotent = true",
            ..first
        },
    ] {
        other.ask(&source).await.expect("an answer");
        let requests = server.requests();
        let last = requests.last().expect("a request");
        assert_eq!(condition(last), None, "{last}");
    }
    // The answer is read as the catalogue says now.
    let renewed = Question {
        http: "path = '/claims/{claim}'\ntags = '/t'",
        ..first
    };
    renewed.ask(&source).await.expect_err("no list of tags");
    assert_eq!(condition(&server.requests()[7]), Some("\"1\""));
}

#[tokio::test]
async fn what_is_not_kept_is_asked_for_in_full() {
    for (head, revalidate) in [
        ("", 1 << 20),
        ("etag: 1\r\n", 1 << 20),
        ("etag: \"1\"\r\netag: \"2\"\r\n", 1 << 20),
        ("etag: \"1\"\r\ncache-control: no-store\r\n", 1 << 20),
        ("etag: \"1\"\r\nvary: *\r\n", 1 << 20),
        ("etag: \"1\"\r\n", 0),
    ] {
        let server = Server::start([Reply::of("200 OK", head, "{}")]).await;
        let options = HttpOptions {
            revalidate,
            ..options(&server.url)
        };
        let source = HttpSource::open(&options).expect("a source");
        for _ in 0..2 {
            Question::default().ask(&source).await.expect("an answer");
        }
        assert_eq!(condition(&server.requests()[1]), None, "{head}");
    }
}

#[tokio::test]
async fn a_response_that_nobody_asked_to_confirm_is_an_error() {
    let server = Server::start([not_modified("etag: \"1\"\r\n")]).await;
    let error = Question::default().ask(&source(&server.url)).await;
    let error = error.expect_err("nothing is known").to_string();
    assert!(
        error.contains("304 Not Modified to a request without If-None-Match"),
        "{error}"
    );
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_confirmation_of_another_response_is_not_believed() {
    let server = Server::start([
        Reply::of("200 OK", "etag: \"1\"\r\n", r#"{"a": 1}"#),
        not_modified("etag: \"2\"\r\n"),
        Reply::of("200 OK", "etag: \"2\"\r\n", r#"{"a": 2}"#),
    ])
    .await;
    let source = source(&server.url);
    Question::default().ask(&source).await.expect("an answer");
    let found = Question::default().ask(&source).await.expect("an answer");
    assert_eq!((found.value.data, found.calls), (json!({"a": 2}), 2));
    assert_eq!(condition(&server.requests()[2]), None);
}

#[tokio::test]
async fn a_failure_leaves_what_is_kept_and_its_end_removes_it() {
    let gone = "path = '/claims'\nnot_found = 'empty'";
    let server = Server::start([
        Reply::of("200 OK", "etag: \"1\"\r\n", "{}"),
        Reply::of("500 Internal Server Error", "etag: \"2\"\r\n", ""),
        Reply::of("404 Not Found", "etag: \"3\"\r\n", ""),
        Reply::ok("{}"),
    ])
    .await;
    let source = source(&server.url);
    let question = Question {
        http: gone,
        ..Question::default()
    };
    for (expect, is_answered) in [
        (None, true),
        (Some("\"1\""), false),
        (Some("\"1\""), true),
        (None, true),
    ] {
        assert_eq!(question.ask(&source).await.is_ok(), is_answered);
        let requests = server.requests();
        assert_eq!(condition(requests.last().expect("a request")), expect);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Ask(usize, usize),
    Change(usize),
    Forget(usize),
}

const USERS: [&str; 4] = ["BEN-1", "BEN-2", "BEN-3", "BEN-4"];
const CLAIMS: [Option<&str>; 3] = [None, Some("CLM-0001"), Some("CLM-0002")];

fn step() -> impl Strategy<Value = Step> {
    let user = || 0..USERS.len();
    prop_oneof![
        6 => (user(), 0..CLAIMS.len()).prop_map(|(user, claim)| Step::Ask(user, claim)),
        2 => user().prop_map(Step::Change),
        1 => user().prop_map(Step::Forget),
    ]
}

/// The versions of the users' records, in a back end whose entity tags tell the version
/// alone: those of different users are often equal.
type Versions = Arc<Mutex<BTreeMap<String, u64>>>;

fn back_end(versions: &Versions, request: &str) -> Reply {
    let line = request.lines().next().expect("a line");
    let target = line.split(' ').nth(1).expect("a target");
    let user = target.split('/').nth(2).expect("a user");
    let version = versions.lock().unwrap().get(user).copied().unwrap_or(0);
    let (etag, weak) = (format!("\"{version}\""), format!("W/\"{version}\""));
    if condition(request).is_some_and(|known| known == etag || known == weak) {
        return not_modified("");
    }
    let etag = if version.is_multiple_of(2) {
        etag
    } else {
        weak
    };
    Reply::of(
        "200 OK",
        &format!("etag: {etag}\r\n"),
        &json!({ "target": target, "version": version }).to_string(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 8))]

    /// Whatever is asked, changed, evicted and forgotten, an answer is the current one of
    /// the user who asks.
    #[test]
    fn prop_an_answer_is_the_current_one_of_the_user(
        steps in vec(step(), 1..40),
        // From no room to room for all.
        revalidate in 0..8_000_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let versions = Versions::default();
            let theirs = Arc::clone(&versions);
            let server = Server::answering(move |request| back_end(&theirs, request)).await;
            let options = HttpOptions { revalidate, ..options(&server.url) };
            let source = HttpSource::open(&options).expect("a source");
            for step in steps {
                match step {
                    Step::Ask(user, claim) => {
                        let (user, claim) = (USERS[user], CLAIMS[claim]);
                        let question = Question {
                            http: "path = '/members/{user_id}/claims/{claim}'",
                            user,
                            claim,
                            ..Question::default()
                        };
                        let found = question.ask(&source).await.expect("an answer");
                        let claim = claim.map_or_else(String::new, |claim| format!("/{claim}"));
                        let version = versions.lock().unwrap().get(user).copied().unwrap_or(0);
                        let target = format!("/members/{user}/claims{claim}");
                        let expect = json!({ "target": target, "version": version });
                        prop_assert_eq!(found.value.data, expect);
                    }
                    Step::Change(user) => {
                        *versions.lock().unwrap().entry(USERS[user].to_owned()).or_default() += 1;
                    }
                    Step::Forget(user) => {
                        forget(&source, USERS[user]);
                        prop_assert_eq!(forget(&source, USERS[user]), 0);
                    }
                }
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn an_erased_user_is_asked_for_in_full() {
    let server = Server::start([Reply::of("200 OK", "etag: \"1\"\r\n", "{}")]).await;
    let source = source(&server.url);
    let [first, second] = ["BEN-1", "BEN-2"].map(|user| Question {
        user,
        ..Question::default()
    });
    for question in [&first, &second] {
        question.ask(&source).await.expect("an answer");
    }
    assert_eq!(forget(&source, "BEN-1"), 1);
    for (question, expect) in [(&first, None), (&second, Some("\"1\""))] {
        question.ask(&source).await.expect("an answer");
        let requests = server.requests();
        assert_eq!(condition(requests.last().expect("a request")), expect);
    }
}
