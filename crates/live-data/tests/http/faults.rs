//! What becomes of each fault of a back end.

use std::time::Duration;

use intent_router::{LiveData, SourceError};
use live_data::{CatalogueSource, HttpOptions, HttpSource};
use tokio::net::TcpListener;

use crate::server::{Reply, Server};
use crate::{Question, options, source};

/// What a question gets from a server with one reply, and how often it was asked.
async fn outcome(reply: Reply) -> (SourceError, usize) {
    let server = Server::start([reply]).await;
    let asked = Question::default().ask(&source(&server.url)).await;
    (asked.expect_err("a fault"), server.requests().len())
}

#[tokio::test]
async fn a_fault_that_may_pass_is_unavailable() {
    for (status, attempts) in [
        ("500 Internal Server Error", 1),
        ("502 Bad Gateway", 2),
        ("503 Service Unavailable", 2),
        ("504 Gateway Timeout", 2),
        ("429 Too Many Requests", 1),
    ] {
        let (error, asked) = outcome(Reply::of(status, "", "secret")).await;
        assert!(matches!(error, SourceError::Unavailable(_)), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(asked, attempts, "{status}");
    }
    let later = Reply::of("503 Service Unavailable", "retry-after: 9\r\n", "");
    assert_eq!(outcome(later).await.1, 1, "it says when to come again");
}

#[tokio::test]
async fn an_answer_without_records_is_refused_and_not_asked_for_again() {
    for reply in [
        Reply::of("400 Bad Request", "", "secret"),
        Reply::of("401 Unauthorized", "", "secret"),
        Reply::of("206 Partial Content", "", "{}"),
        Reply::of("302 Found", "location: http://127.0.0.1:1/secret\r\n", ""),
        Reply::ok("<html>secret</html>"),
        Reply::ok("\"secret\""),
    ] {
        let (error, asked) = outcome(reply).await;
        assert!(matches!(error, SourceError::Query { .. }), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(asked, 1);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Server::start([Reply::ok("{}")]).await;
    let head = format!("location: {}/claims\r\n", other.url);
    outcome(Reply::of("307 Temporary Redirect", &head, "")).await;
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn half_a_body_is_no_answer() {
    for text in [
        "HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 9\r\n\r\n{}",
    ] {
        let (error, _) = outcome(Reply::text(text)).await;
        assert!(matches!(error, SourceError::Unavailable(_)), "{error}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let head = "HTTP/1.1 200 OK\r\n\r\n".as_bytes().to_vec();
    let (error, _) = outcome(Reply::Endless(head)).await;
    assert!(error.to_string().contains("larger than"), "{error}");
    let head = "HTTP/1.1 200 OK\r\nx: ".as_bytes().to_vec();
    let (error, _) = outcome(Reply::Endless(head)).await;
    assert!(matches!(error, SourceError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn a_body_may_be_as_large_as_allowed_and_no_larger() {
    let body = format!("{{\"a\": \"{}\"}}", "x".repeat(100));
    let server = Server::start([Reply::ok(&body)]).await;
    for (room, fits) in [(body.len(), true), (body.len() - 1, false)] {
        let options = HttpOptions {
            max_response: room,
            ..options(&server.url)
        };
        let source = HttpSource::open(&options).expect("a source");
        assert_eq!(
            Question::default().ask(&source).await.is_ok(),
            fits,
            "{room}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_back_end_is_left_at_the_deadline() {
    for sent in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{",
    ] {
        let server = Server::start([Reply::Stall(sent.into())]).await;
        let options = HttpOptions {
            deadline: Duration::from_millis(200),
            ..options(&server.url)
        };
        let source = HttpSource::open(&options).expect("a source");
        let error = Question::default().ask(&source).await.expect_err(sent);
        let SourceError::Timeout(allowed) = error else {
            panic!("{error}");
        };
        assert_eq!(allowed, options.deadline);
        let sooner = Duration::from_millis(100);
        let error = Question::default().ask_within(&source, sooner).await;
        assert!(matches!(error, Err(SourceError::Timeout(t)) if t == sooner));
    }
}

#[tokio::test]
async fn a_second_attempt_succeeds_and_is_counted() {
    let server = Server::start([Reply::text(""), Reply::ok("{}")]).await;
    let source = source(&server.url);
    let found = Question::default().ask(&source).await.expect("an answer");
    assert_eq!((found.calls, source.calls()), (2, 2));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn only_what_may_be_repeated_is() {
    for (more, attempts) in [("", 1), ("\nidempotent = true", 4)] {
        let http = format!("method = 'POST'\npath = '/claims'{more}");
        let server = Server::start([Reply::of("502 Bad Gateway", "", "")]).await;
        let options = HttpOptions {
            retries: 3,
            ..options(&server.url)
        };
        let source = HttpSource::open(&options).expect("a source");
        let question = Question {
            http: &http,
            ..Question::default()
        };
        question.ask(&source).await.expect_err("a fault");
        assert_eq!(server.requests().len(), attempts);
    }
}

#[tokio::test]
async fn a_back_end_that_does_not_listen_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let source = source(&url);
    let error = Question::default().ask(&source).await.expect_err("nobody");
    assert!(matches!(error, SourceError::Unavailable(_)), "{error}");
    assert_eq!(source.calls(), 2);
}

#[tokio::test]
async fn readiness_is_that_of_the_health_path() {
    let server = Server::start([
        Reply::of("503 Service Unavailable", "", ""),
        Reply::of("404 Not Found", "", ""),
        Reply::ok("fine"),
    ])
    .await;
    assert!(source(&server.url).ready().await.is_ok());
    assert!(server.requests().is_empty(), "it has no health path");
    let options = HttpOptions {
        health: Some("/healthz".to_owned()),
        ..options(&server.url)
    };
    let source = HttpSource::open(&options).expect("a source");
    assert!(source.ready().await.is_err());
    assert!(source.ready().await.is_err());
    assert!(source.ready().await.is_ok());
    assert!(server.requests()[0].starts_with("GET /healthz "));
}
