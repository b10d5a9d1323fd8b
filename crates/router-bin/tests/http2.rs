//! HTTP/2 over plain TCP: answers, and the bounds in number, size and time.

mod support;

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use h2::client::{Connection, SendRequest};
use http::{Request, Response, StatusCode};
use support::Server;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

const BODY: &str = r#"{"message": "what is my claim status?", "user_context": {"user_id": "BEN-000001", "user_role": "beneficiary"}}"#;

/// A connection, and the task that drives it, which ends with it.
type Client = (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>);

fn block_on(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let within = async { tokio::time::timeout(Duration::from_secs(60), test).await };
    assert!(runtime.block_on(within).is_ok(), "the test hangs");
}

async fn connect_by(server: &Server, builder: &h2::client::Builder) -> Client {
    let stream = TcpStream::connect(server.address())
        .await
        .expect("the service accepts");
    let (client, connection): (_, Connection<TcpStream>) =
        builder.handshake(stream).await.expect("it speaks HTTP/2");
    (client, tokio::spawn(connection))
}

async fn connect(server: &Server) -> Client {
    connect_by(server, &h2::client::Builder::new()).await
}

fn question() -> Request<()> {
    let request =
        Request::post("http://localhost/v1/route").header("content-type", "application/json");
    request.body(()).expect("a request")
}

async fn whole(response: Response<h2::RecvStream>) -> (StatusCode, String) {
    let status = response.status();
    let mut body = response.into_body();
    let mut text = Vec::new();
    while let Some(part) = body.data().await {
        let part = part.expect("a part of the body");
        body.flow_control()
            .release_capacity(part.len())
            .expect("room is made");
        text.extend_from_slice(&part);
    }
    (status, String::from_utf8(text).expect("text"))
}

async fn ask(client: &SendRequest<Bytes>) -> Result<(StatusCode, String), h2::Error> {
    ask_on(client.clone().ready().await?).await
}

async fn ask_on(mut client: SendRequest<Bytes>) -> Result<(StatusCode, String), h2::Error> {
    let (response, mut body) = client.send_request(question(), false)?;
    body.send_data(Bytes::from_static(BODY.as_bytes()), true)?;
    Ok(whole(response.await?).await)
}

async fn get(client: &SendRequest<Bytes>, path: &str) -> (StatusCode, String) {
    let mut client = client
        .clone()
        .ready()
        .await
        .expect("the connection is open");
    let request = Request::get(format!("http://localhost{path}"))
        .body(())
        .expect("a request");
    let (response, _) = client
        .send_request(request, true)
        .expect("the request is sent");
    whole(response.await.expect("an answer")).await
}

#[test]
fn one_connection_has_many_requests_in_flight() {
    let server = Server::start(&[]);
    block_on(async {
        let (client, _) = connect(&server).await;
        for _ in 0..4 {
            let asked = (0..90).map(|_| ask(&client));
            for answer in futures_util::future::join_all(asked).await {
                let (status, body) = answer.unwrap();
                assert_eq!(status, 200, "{body}");
                assert!(body.contains("claim_status"), "{body}");
            }
        }
        // The settings of the server have arrived by now.
        assert_eq!(client.current_max_send_streams(), 100);
    });
}

#[test]
fn requests_in_flight_are_bounded_over_all_connections() {
    let server = Server::start(&[("ROUTER_SERVER__MAX_CONNECTIONS", "2")]);
    block_on(async {
        let (client, _) = connect(&server).await;
        // Each waits for its body.
        let mut held = Vec::new();
        for _ in 0..2 {
            let mut client = client.clone().ready().await.unwrap();
            held.push(client.send_request(question(), false).unwrap());
        }
        let (status, body) = ask(&client).await.unwrap();
        assert_eq!(status, 503);
        assert!(body.contains("too_many_requests"), "{body}");
        for (response, mut body) in held {
            body.send_data(Bytes::from_static(BODY.as_bytes()), true)
                .unwrap();
            assert_eq!(response.await.unwrap().status(), 200);
        }
        assert_eq!(ask(&client).await.unwrap().0, 200);
    });
}

#[test]
fn a_head_is_bounded() {
    let server = Server::start(&[]);
    block_on(async {
        for (bytes, expect) in [(40_000, 200), (70_000, 431)] {
            let (client, _) = connect(&server).await;
            let mut client = client.ready().await.unwrap();
            let request = Request::get("http://localhost/livez").header("x", "a".repeat(bytes));
            let request = request.body(()).unwrap();
            let (response, _) = client.send_request(request, true).unwrap();
            assert_eq!(response.await.unwrap().status(), expect, "{bytes}");
        }
    });
}

#[test]
fn bodies_share_the_budget() {
    let server = Server::start(&[
        ("ROUTER_SERVER__MAX_BODY", "32KiB"),
        ("ROUTER_SERVER__MAX_BODIES", "32KiB"),
    ]);
    block_on(async {
        let (client, _) = connect(&server).await;
        let held = || format!("{BODY:<0$}", 32 << 10);
        let (response, mut body) = 'held: loop {
            let mut sender = client.clone().ready().await.unwrap();
            let (mut response, mut body) = sender.send_request(question(), false).unwrap();
            body.send_data(Bytes::from(held()), false).unwrap();
            // Until the service has read all of it, or has refused it because one of
            // these questions had the budget.
            loop {
                if ask(&client).await.unwrap().0 != 200 {
                    break 'held (response, body);
                }
                if (&mut response).now_or_never().is_some() {
                    break;
                }
            }
        };
        let (status, refusal) = ask(&client).await.unwrap();
        assert_eq!(status, 503);
        assert!(refusal.contains("body_budget"), "{refusal}");
        body.send_data(Bytes::new(), true).unwrap();
        assert_eq!(response.await.unwrap().status(), 200);
        assert_eq!(ask(&client).await.unwrap().0, 200);
    });
}

#[test]
fn a_body_has_its_time() {
    let server = Server::start(&[("ROUTER_SERVER__BODY_TIMEOUT", "50ms")]);
    block_on(async {
        let (client, _) = connect(&server).await;
        let mut client = client.ready().await.unwrap();
        let (response, _unfinished) = client.send_request(question(), false).unwrap();
        assert_eq!(response.await.unwrap().status(), 408);
    });
}

#[test]
fn idle_connections_end_in_their_own_time() {
    let server = Server::start(&[
        ("ROUTER_SERVER__HEADER_TIMEOUT", "1h"),
        ("ROUTER_SERVER__IDLE_TIMEOUT", "50ms"),
    ]);
    block_on(async {
        let (_client, unused) = connect(&server).await;
        let _ = unused.await.unwrap();
        let (client, used) = connect(&server).await;
        assert_eq!(get(&client, "/livez").await.0, 200);
        let _ = used.await.unwrap();
    });
}

#[test]
fn an_idle_connection_outlives_the_time_for_a_head() {
    let server = Server::start(&[
        ("ROUTER_SERVER__HEADER_TIMEOUT", "50ms"),
        ("ROUTER_SERVER__IDLE_TIMEOUT", "1h"),
    ]);
    block_on(async {
        let (client, _) = connect(&server).await;
        // A later connection whose head takes too long: once it is closed, the first
        // has been idle for longer than a head may take.
        let mut slow = server.connect();
        slow.write_all(b"GET /livez HT").unwrap();
        let closed = tokio::task::spawn_blocking(move || slow.read_to_end(&mut Vec::new()));
        let _ = closed.await.unwrap();
        assert_eq!(get(&client, "/livez").await.0, 200);
    });
}

/// A frame without padding.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len())
        .expect("a short payload")
        .to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `GET / http` with the authority `[::1]`.
const GET: &[u8] = &[0x82, 0x86, 0x84, 0x41, 5, b'[', b':', b':', b'1', b']'];

/// Reads until the server hangs up; fails if it does not.
fn until_closed(mut stream: std::net::TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    match stream.read_to_end(&mut read) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            panic!("the connection stays open")
        }
        // A connection may also be reset.
        _ => read,
    }
}

#[test]
fn a_head_that_does_not_end_closes_its_connection() {
    let server = Server::start(&[("ROUTER_SERVER__IDLE_TIMEOUT", "50ms")]);
    let mut stream = server.connect();
    let begun = frame(HEADERS, END_STREAM, 1, &GET[..2]);
    let bytes = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, b""), begun].concat();
    stream.write_all(&bytes).unwrap();
    until_closed(stream);
}

#[test]
fn a_client_that_makes_no_room_is_closed() {
    let server = Server::start(&[("ROUTER_SERVER__IDLE_TIMEOUT", "100ms")]);
    block_on(async {
        let mut no_room = h2::client::Builder::new();
        no_room.initial_window_size(0);
        for path in ["/v1/stats/stream", "/openapi.json"] {
            let (mut client, driver) = connect_by(&server, &no_room).await;
            let request = Request::get(format!("http://localhost{path}"))
                .body(())
                .unwrap();
            let (response, _) = client.send_request(request, true).unwrap();
            let _unread = response.await.unwrap();
            let _ = driver.await.unwrap();
        }
    });
}

#[test]
fn a_flood_of_resets_ends_its_connection() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let mut bytes = [PREFACE.to_vec(), frame(SETTINGS, 0, 0, b"")].concat();
    for request in 0..5_000 {
        let id = 2 * request + 1;
        bytes.extend(frame(HEADERS, END_STREAM | END_HEADERS, id, GET));
        bytes.extend(frame(RESET, 0, id, &8_u32.to_be_bytes()));
    }
    // The server may hang up before all is written.
    let _ = stream.write_all(&bytes);
    let answer = until_closed(stream);
    // Its last frame says why: ENHANCE_YOUR_CALM.
    let mut rest = &answer[..];
    let mut reason = None;
    while let [a, b, c, kind, _, _, _, _, _, payload @ ..] = rest {
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let (payload, after) = payload.split_at(length.min(payload.len()));
        if *kind == GO_AWAY {
            reason = payload.get(4..8).map(<[u8]>::to_vec);
        }
        rest = after;
    }
    // The reason may be lost if the connection is reset.
    assert!(
        matches!(reason.as_deref(), None | Some([0, 0, 0, 11])),
        "{reason:?}"
    );
    assert_eq!(server.get("/livez").status, 200);
}

#[test]
fn a_stop_loses_no_request() {
    for _ in 0..5 {
        let server = Server::start(&[]);
        block_on(async {
            let clients: Vec<_> = (0..4).map(|_| connect(&server)).collect();
            let clients = futures_util::future::join_all(clients).await;
            // A second signal would cut requests off.
            let is_told = Cell::new(false);
            let asked = clients.iter().flat_map(|(client, _)| {
                (0..4).map(|_| async {
                    let mut answered = 0;
                    // Until the connection takes no more requests.
                    while let Ok(client) = client.clone().ready().await {
                        match ask_on(client).await {
                            Ok((status, _)) => assert_eq!(status, 200),
                            // The service says that it has not looked at the request.
                            Err(error) if error.is_go_away() => break,
                            Err(error) => panic!("{error:?} after {answered} answers"),
                        }
                        answered += 1;
                        if answered == 20 && !is_told.replace(true) {
                            server.terminate();
                        }
                    }
                    answered
                })
            });
            let answered = futures_util::future::join_all(asked).await;
            assert!(answered.iter().all(|answered| *answered > 0));
        });
        assert!(server.wait().success());
    }
}
