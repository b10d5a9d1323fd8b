//! Faults of the process's surroundings: its log, its clients, its stop.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::client::{self, Client, get, once, post, question};
use super::load::milliseconds;
use super::tested::Tested;

const QUESTION: &str = "what is my claim status?";

/// The log is a pipe that nobody reads, and each request writes a line.
pub(super) fn unread_log(tested: &Tested<'_>) -> Result<Vec<String>> {
    const REQUESTS: usize = 3_000;
    let mut service = tested.serve_logging_to(Stdio::piped(), &[])?;
    // Held open, so that writing fills it.
    let pipe = service.stderr();
    let mut client = Client::new(service.address(), Duration::from_secs(5))?;
    let body = r#"{"tag": "claim:CLM-2025-000001"}"#;
    let answered = (0..REQUESTS)
        .take_while(|_| client.send(&post("/v1/invalidate", "", body)).is_ok())
        .count();
    let long = format!(r#"{{"tag": "{}"}}"#, "a".repeat(70_000));
    let long = once(
        service.address(),
        Duration::from_secs(5),
        &post("/v1/invalidate", "", &long),
    );
    let long = long.map_or("no answer".to_owned(), |reply| reply.status.to_string());
    service.terminate(tested.shell)?;
    let end = service.end(Duration::from_secs(20))?;
    drop(pipe);
    Ok(vec![
        format!("{answered} of {REQUESTS} invalidations answered; one by a tag of 70 kB: {long}"),
        end.map_or("SIGTERM does not end it in 20 s".to_owned(), |time| {
            format!("SIGTERM ends it in {}", milliseconds(time))
        }),
    ])
}

/// Clients announce a large body, send all but its last byte, and wait.
pub(super) fn stalled_bodies(tested: &Tested<'_>) -> Result<Vec<String>> {
    const CLIENTS: usize = 400;
    const LENGTH: usize = 1 << 20;
    let service = tested.serve(&[])?;
    let before = service.resident_mib().unwrap_or_default();
    let head = format!(
        "POST /v1/route HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {LENGTH}\r\n\r\n"
    );
    let body = vec![b' '; LENGTH - 1];
    let mut streams = Vec::new();
    for _ in 0..CLIENTS {
        let mut stream = TcpStream::connect(service.address())?;
        stream.set_write_timeout(Some(Duration::from_secs(5)))?;
        // A service that refuses the body may close before all is written.
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(&body);
        streams.push(stream);
    }
    thread::sleep(Duration::from_secs(1));
    let after = service.resident_mib().unwrap_or_default();
    let refused = streams
        .iter()
        .filter(|stream| stream.set_nonblocking(true).is_ok() && stream.peek(&mut [0]).is_ok());
    let refused = refused.count();
    Ok(vec![format!(
        "{before} MiB resident before, {after} MiB then; {refused} refused at once"
    )])
}

/// More streams of statistics than connections are allowed.
pub(super) fn streams(tested: &Tested<'_>) -> Result<Vec<String>> {
    const CLIENTS: usize = 1_100;
    let service = tested.serve(&[])?;
    let mut streams = Vec::new();
    let mut open = 0;
    for _ in 0..CLIENTS {
        let Ok(mut client) = Client::new(service.address(), Duration::from_secs(2)) else {
            continue;
        };
        let reply = client
            .write(&get("/v1/stats/stream"))
            .and_then(|()| client.read());
        open += usize::from(reply.is_ok_and(|reply| reply.status == 200));
        streams.push(client);
    }
    let status = |request: &str| match once(service.address(), Duration::from_secs(5), request) {
        Ok(reply) => reply.status.to_string(),
        Err(_) => "no answer".to_owned(),
    };
    let [live, ready] = ["/livez", "/readyz"].map(|path| status(&get(path)));
    let route = status(&question(QUESTION, 1, "beneficiary", ""));
    Ok(vec![format!(
        "{open} streams open; /livez {live}, /readyz {ready}, /v1/route {route}"
    )])
}

/// Requests are sent just before the service is told to stop.
pub(super) fn stops(tested: &Tested<'_>) -> Result<Vec<String>> {
    const STOPS: usize = 20;
    const CLIENTS: usize = 75;
    let (mut sent, mut lost, mut longest) = (0, 0, Duration::ZERO);
    for _ in 0..STOPS {
        let mut service = tested.serve(&[("ROUTER_SOURCE__DEMO_USERS", "100")])?;
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            clients.push(Client::new(service.address(), client::PATIENCE)?);
        }
        for (member, client) in (1..).zip(&mut clients) {
            client.write(&question(QUESTION, member, "beneficiary", ""))?;
        }
        service.terminate(tested.shell)?;
        for mut client in clients {
            sent += 1;
            lost += usize::from(!client.read().is_ok_and(|reply| reply.status == 200));
        }
        let end = service.end(Duration::from_secs(30))?;
        longest = longest.max(end.unwrap_or(Duration::MAX));
    }
    let longest = milliseconds(longest);
    Ok(vec![format!(
        "{lost} of {sent} requests unanswered; after them the process ends in {longest} at most"
    )])
}

/// A client closes its sending half after a request; another sends a large head.
pub(super) fn half_closed(tested: &Tested<'_>) -> Result<Vec<String>> {
    let service = tested.serve(&[])?;
    let mut answered = 0;
    for member in 1..=100 {
        let mut stream = TcpStream::connect(service.address())?;
        stream.set_read_timeout(Some(client::PATIENCE))?;
        let request = question(QUESTION, member, "beneficiary", client::NO_CACHE);
        stream.write_all(request.as_bytes())?;
        stream.shutdown(Shutdown::Write)?;
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        answered += usize::from(reply.starts_with(b"HTTP/1.1 200"));
    }
    let long = format!("X-Long: {}\r\n", "a".repeat(100_000));
    let request = question(QUESTION, 1, "beneficiary", &long);
    let status = once(service.address(), client::PATIENCE, &request);
    let status = status.map_or("no answer".to_owned(), |reply| reply.status.to_string());
    Ok(vec![format!(
        "{answered} of 100 half-closed clients answered; the head gets {status}"
    )])
}
