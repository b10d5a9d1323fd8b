//! What is sent, and what a good response becomes.

use std::time::Duration;

use intent_router::{Extent, LiveData, Read, SourceError};
use live_data::{HttpOptions, HttpSource, OpenError};
use serde_json::json;

use crate::server::{Reply, Server};
use crate::{Question, catalogue, options, source};

/// The first line and the headers of the only request.
fn only(server: &Server) -> String {
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests[0].to_ascii_lowercase()
}

#[tokio::test]
async fn values_are_encoded_for_their_place() {
    let server = Server::start([Reply::ok("{}")]).await;
    let question = Question {
        http: "method = 'POST'\npath = '/members/{user_id}/claims/{claim}'\n\
               query = { 'a b' = 'x&{user_role}', no = '{doubtful}' }\n\
               body = { who = '{user_id}', text = 'a \"{user_role}\"', no = '{doubtful}' }",
        user: "Ü 1?#&",
        role: "a=b&c d+",
        claim: Some("CLM-0001"),
    };
    let url = format!("{}/api/", server.url);
    question.ask(&source(&url)).await.expect("an answer");
    let request = &server.requests()[0];
    let target = "POST /api/members/%C3%9C%201%3F%23%26/claims/CLM-0001?a%20b=x%26a%3Db%26c%20d%2B \
                  HTTP/1.1\r\n";
    assert!(request.starts_with(target), "{request}");
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body, json!({"who": "Ü 1?#&", "text": "a \"a=b&c d+\""}));
}

#[tokio::test]
async fn the_path_ends_before_a_slot_without_a_value() {
    let server = Server::start([Reply::ok("{}")]).await;
    let question = Question {
        http: "path = '/claims/{claim}/documents'\nquery = { claim = '{claim}' }",
        ..Question::default()
    };
    question.ask(&source(&server.url)).await.expect("an answer");
    assert!(only(&server).starts_with("get /claims http/1.1\r\n"));
}

#[tokio::test]
async fn no_user_reaches_another_path() {
    let server = Server::start([Reply::ok("{}")]).await;
    let source = source(&server.url);
    for user in ["..", ".", "a/b", "..\\x", "%2e%2e", "..;", "a\r\nb", "a\0"] {
        let question = Question {
            http: "path = '/members/{user_id}/claims'",
            user,
            ..Question::default()
        };
        let error = question.ask(&source).await.expect_err(user);
        assert!(matches!(error, SourceError::Unaskable(_)), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn the_identity_is_passed_on_in_headers_and_cannot_add_any() {
    let server = Server::start([Reply::ok("{}")]).await;
    let options = HttpOptions {
        headers: vec![("Authorization".into(), "Bearer top-secret".into())],
        user_header: Some("X-User-Id".into()),
        role_header: Some("X-User-Role".into()),
        ..options(&server.url)
    };
    let source = HttpSource::open(&options).expect("a source");
    for user in [
        "a\r\nx-user-role: admin",
        "a\nb",
        " a",
        "a ",
        "é",
        "a\0",
        "a\x7f",
    ] {
        let question = Question {
            user,
            ..Question::default()
        };
        let error = question.ask(&source).await.expect_err(user).to_string();
        assert!(!error.contains("top-secret"), "{error}");
        assert!(!error.contains("admin"), "{error}");
    }
    assert!(server.requests().is_empty());
    Question::default().ask(&source).await.expect("an answer");
    let request = only(&server);
    for line in [
        "x-user-id: ben-1",
        "x-user-role: member",
        "authorization: bearer top-secret",
    ] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{request}");
    }
    assert!(!request.contains("accept-encoding"), "{request}");
}

#[tokio::test]
async fn a_response_becomes_records_with_tags_and_a_bound_on_their_age() {
    let head = "cache-control: max-age=60\r\nage: 20\r\nsurrogate-key: member:1 claim:9\r\n";
    let body = r#"{"result": {"claims": [{"number": 7}]}, "tags": ["payment:1"]}"#;
    let server = Server::start([Reply::of("200 OK", head, body)]).await;
    let question = Question {
        http: "path = '/claims'\ndata = '/result'\ntags = '/tags'",
        ..Question::default()
    };
    let found = question.ask(&source(&server.url)).await.expect("an answer");
    assert_eq!(found.calls, 1);
    assert_eq!(found.value.data, json!({"claims": [{"number": 7}]}));
    let tags = ["claim:7", "claim:9", "member:1", "payment:1"];
    assert_eq!(found.value.tags, tags);
    assert_eq!(found.value.max_age, Some(Duration::from_secs(40)));
}

#[tokio::test]
async fn not_found_is_what_the_catalogue_says() {
    let server = Server::start([Reply::of("404 Not Found", "", "<html>no</html>")]).await;
    let source = source(&server.url);
    let error = Question::default().ask(&source).await.expect_err("404");
    assert!(error.to_string().contains("404"), "{error}");
    let question = Question {
        http: "path = '/claims'\nnot_found = 'empty'\ndata = '/result'",
        ..Question::default()
    };
    let found = question.ask(&source).await.expect("no records");
    assert_eq!(found.value.data, json!({}));
}

#[test]
fn what_is_read_is_never_too_little() {
    let source = source("http://127.0.0.1:9");
    let reads = |http| source.reads(&catalogue(http).intents()[0]).expect("reads");
    let unknown = [Read::new(None, Extent::Whole)];
    assert_eq!(reads("path = '/claims'"), unknown);
    let part = [Read::new(Some("claim".to_owned()), Extent::Part)];
    assert_eq!(reads("path = '/claims'\nreads = ['claim']"), part);
}

#[test]
fn options_that_are_wrong_are_refused_without_showing_secrets() {
    let refused = |options: HttpOptions| match HttpSource::open(&options) {
        Err(OpenError::BackEnd(reason)) => assert!(!reason.contains("secret"), "{reason}"),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("{} is accepted", options.url),
    };
    for url in [
        "backend",
        "ftp://backend",
        "http://u:secret@backend",
        "http://backend/?secret",
        "http://backend/#secret",
        "http:///secret",
    ] {
        refused(HttpOptions::new(url));
    }
    let good = || HttpOptions::new("http://backend");
    let headers = vec![("authorization".to_owned(), "secret\r\nx: y".to_owned())];
    refused(HttpOptions { headers, ..good() });
    let user_header = Some("x y".to_owned());
    refused(HttpOptions {
        user_header,
        ..good()
    });
    let health = Some("healthz".to_owned());
    refused(HttpOptions { health, ..good() });
}
