//! Fuzzing of the service over raw sockets: requests are generated, damaged and
//! sent in pieces, and every response is checked.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use fastrand::Rng;

use super::service::Service;
use crate::shell::Shell;

/// The number of threads that send.
const SENDERS: u64 = 4;

/// How long a sender waits for a response. Damaged requests often wait for more of
/// themselves.
const PATIENCE: Duration = Duration::from_millis(300);

/// The statuses that a healthy service may give. A server error other than 503 (no
/// capacity left) is a fault of the service.
const STATUSES: &[u16] = &[
    200, 202, 204, 303, 304, 400, 401, 403, 404, 405, 406, 408, 409, 411, 413, 414, 415, 417, 421,
    422, 429, 431, 503, 505,
];

const PATHS: &[&str] = &[
    "/v1/route",
    "/v1/cache/lookup",
    "/v1/cache/fill",
    "/v1/cache/fail",
    "/v1/cache/release",
    "/mcp",
    "/v1/changes",
    "/v1/invalidate",
    "/v1/caching",
    "/v1/reload",
    "/v1/erase",
    "/v1/session",
    "/v1/stats",
    "/metrics",
    "/livez",
    "/readyz",
    "/openapi.json",
    "/",
    "/dashboard.js",
    "/%00/../v1/route",
    "*",
    "http://127.0.0.1/v1/stats",
    "//",
];

const METHODS: &[&str] = &[
    "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "PATCH", "get", "P@ST",
];

const BODIES: &[&str] = &[
    r#"{"message": "what is my claim status?", "user_context": {"user_id": "BEN-000001", "user_role": "beneficiary"}}"#,
    r#"{"message": "", "user_context": {}}"#,
    r#"{"message": "and for last month?", "user_context": {"user_id": 42, "conversation": {"intent": "payment_history", "slots": {"period": "2025-03"}}}}"#,
    r#"{"message": "how do I register?", "user_context": {"user_id": null}, "forced_intent": "greeting"}"#,
    r#"{"user_id": "BEN-000001"}"#,
    r#"{"tag": "claim:CLM-2025-000001", "user_id": 1e400}"#,
    r#"[{"pattern": "*/beneficiary"}, {"all": true}]"#,
    r#"{"enabled": true}"#,
    r#"{"intent": "claim_status", "slots": {"record": "CLM-2025-000001"}, "user_context": {"user_id": "BEN-000001"}, "wait": 0}"#,
    r#"{"intent": "claim_status", "message": "claims", "user_context": {}, "wait": 1e300, "deadline": -0.0}"#,
    r#"{"permit": "0123456789abcdef", "data": {"a": [null, 1e-400]}, "tags": ["claim:1", ""]}"#,
    r#"{"permit": "\u0000", "reason": "it failed"}"#,
    r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#,
    r#"{"jsonrpc": "2.0", "id": {}, "method": "tools/call", "params": {"name": "claim_status", "arguments": []}}"#,
    r#"{"jsonrpc": "2.0", "method": "notifications/initialized"}"#,
    r#"{"tags": ["claim:CLM-2025-000001"]}"#,
    r#"{"token": "secret"}"#,
    "{}",
    "[]",
    "\u{0}",
    "{\"message\": \"\\ud800\", \"user_context\": {\"user_id\": \"\u{202e}\"}}",
];

const HEADERS: &[&str] = &[
    "Content-Type: application/json",
    "Content-Type: text/plain",
    "Accept: application/json, text/event-stream",
    "X-Read-After: 0/0",
    "Cache-Control: no-cache",
    "Cache-Control: max-age=99999999999999999999",
    "Cache-Control: max-age=0, no-store, \"",
    "Origin: null",
    "Origin: http://127.0.0.1",
    "Authorization: Bearer e30.e30.e30",
    "Authorization: Bearer",
    "Cookie: session=../../; session=\u{7f}",
    "Expect: 100-continue",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Content-Length: 0",
    "Content-Length: 18446744073709551616",
    "Content-Encoding: gzip",
    "Connection: close",
    "Connection: upgrade, http2-settings",
    "Upgrade: h2c",
    "If-None-Match: *",
    "X-Request-Id: \u{e9}\u{e9}",
    "X-Forwarded-For: 127.0.0.1",
    "Host: example.org",
    "Host:",
];

/// Switches on the endpoints that are off by default.
const SETTINGS: &[(&str, &str)] = &[
    (
        "ROUTER_CHANGES__WEBHOOK__SECRETS",
        r#"["env:WEBHOOK_SECRET"]"#,
    ),
    ("ROUTER_MCP__ENABLED", "true"),
    ("WEBHOOK_SECRET", "a-secret-of-the-fuzzed-service"),
];

/// What the senders saw.
#[derive(Default)]
struct Tally {
    requests: u64,
    statuses: BTreeMap<u16, u64>,
    unanswered: u64,
}

/// Attacks a service for so many seconds.
pub(super) fn run(shell: &Shell, seconds: u32) -> Result<String> {
    let mut service = Service::start(shell, SETTINGS)?;
    let seed = std::env::var("HTTP_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| fastrand::u64(..));
    println!("HTTP_SEED={seed} repeats these requests");
    let address = service.address();
    let end = Instant::now() + Duration::from_secs(seconds.into());
    let senders: Vec<_> = (0..SENDERS)
        .map(|number| thread::spawn(move || send_until(end, address, seed.wrapping_add(number))))
        .collect();
    let mut total = Tally::default();
    for sender in senders {
        let tally = match sender.join() {
            Ok(tally) => tally?,
            Err(_) => bail!("a sender panicked"),
        };
        total.requests += tally.requests;
        total.unanswered += tally.unanswered;
        for (status, count) in tally.statuses {
            *total.statuses.entry(status).or_default() += count;
        }
    }
    service.check()?;
    still_serves(address)?;
    let memory = service.resident_mib().map_or_else(
        || "memory unknown".to_owned(),
        |mib| format!("{mib} MiB resident"),
    );
    let statuses: Vec<_> = total
        .statuses
        .iter()
        .map(|(status, count)| format!("{status}: {count}"))
        .collect();
    println!("responses by status: {}", statuses.join(", "));
    Ok(format!(
        "{} requests, {} unanswered, no panic, {memory}",
        total.requests, total.unanswered
    ))
}

/// The service answers an ordinary request.
fn still_serves(address: SocketAddr) -> Result<()> {
    let request = format!("GET /livez HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(request.as_bytes())?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    if !response.starts_with(b"HTTP/1.1 200") {
        bail!("/livez: {}", String::from_utf8_lossy(&response));
    }
    Ok(())
}

fn send_until(end: Instant, address: SocketAddr, seed: u64) -> Result<Tally> {
    let mut rng = Rng::with_seed(seed);
    let mut tally = Tally::default();
    while Instant::now() < end {
        let request = request(&mut rng, address);
        let response = exchange(&mut rng, address, &request);
        let response = response.context("the service refuses connections")?;
        tally.requests += 1;
        if response.is_empty() {
            tally.unanswered += 1;
            continue;
        }
        match check(&response) {
            Ok(status) => *tally.statuses.entry(status).or_default() += 1,
            Err(error) => bail!(
                "{error:#}\nrequest: {}\nresponse: {}",
                request.escape_ascii(),
                String::from_utf8_lossy(&response)
            ),
        }
    }
    Ok(tally)
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(..from.len())]
}

/// A request: mostly well formed, then damaged or not.
fn request(rng: &mut Rng, address: SocketAddr) -> Vec<u8> {
    let body = pick(rng, BODIES).as_bytes();
    let (mut method, path) = (pick(rng, METHODS), pick(rng, PATHS));
    if rng.u8(..) < 128 {
        method = if rng.bool() { "POST" } else { "GET" };
    }
    let version = pick(
        rng,
        &["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0"],
    );
    let mut text = format!("{method} {path} {version}\r\n").into_bytes();
    if rng.u8(..) < 240 {
        text.extend(format!("Host: {address}\r\n").bytes());
    }
    if rng.u8(..) < 200 {
        text.extend(b"Content-Type: application/json\r\n");
    }
    for _ in 0..rng.usize(..4) {
        text.extend(pick(rng, HEADERS).bytes());
        text.extend(b"\r\n");
    }
    if rng.u8(..) < 8 {
        let length = rng.usize(..100_000);
        text.extend(format!("X-Long: {}\r\n", "a".repeat(length)).bytes());
    }
    if rng.u8(..) < 220 {
        text.extend(format!("Content-Length: {}\r\n", body.len()).bytes());
    }
    text.extend(b"\r\n");
    text.extend(body);
    if rng.bool() {
        damage(rng, &mut text);
    }
    text
}

/// Changes a few bytes: flips, removes, repeats, inserts.
fn damage(rng: &mut Rng, text: &mut Vec<u8>) {
    for _ in 0..rng.usize(1..6) {
        if text.is_empty() {
            return;
        }
        let at = rng.usize(..text.len());
        let end = (at + rng.usize(1..32)).min(text.len());
        match rng.u8(..5) {
            0 => text[at] ^= 1 << rng.u8(..8),
            1 => drop(text.drain(at..end)),
            2 => {
                let part = text[at..end].to_vec();
                for _ in 0..rng.usize(1..64) {
                    text.splice(at..at, part.iter().copied());
                }
            }
            3 => text.insert(at, rng.u8(..)),
            _ => text.truncate(at),
        }
    }
}

/// Sends a request in pieces and reads what comes back.
fn exchange(rng: &mut Rng, address: SocketAddr, request: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let pieces = if rng.u8(..) < 200 { 1 } else { rng.usize(1..8) };
    let size = request.len().div_ceil(pieces).max(1);
    for piece in request.chunks(size) {
        // The service may close as soon as it has seen enough.
        if stream.write_all(piece).is_err() {
            break;
        }
    }
    match rng.u8(..8) {
        0 => return Ok(Vec::new()),
        1 => drop(stream.shutdown(Shutdown::Write)),
        _ => {}
    }
    let mut response = Vec::new();
    let mut buffer = [0; 16 << 10];
    // A keep-alive connection ends the response by its length; waiting for the end
    // of the stream would wait for the time limit.
    while !is_whole(&response) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) => response.extend(&buffer[..read]),
        }
    }
    Ok(response)
}

/// The head and the start of the body.
fn split(response: &[u8]) -> Option<(&str, &[u8])> {
    let end = response.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&response[..end]).ok()?;
    Some((head, &response[end + 4..]))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Whether a response of known length has arrived.
fn is_whole(response: &[u8]) -> bool {
    let Some((head, body)) = split(response) else {
        return false;
    };
    let length = header(head, "content-length").and_then(|length| length.parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}

/// The status of a response that is well formed and not a fault of the service.
fn check(response: &[u8]) -> Result<u16> {
    let (head, body) = split(response).context("not a whole head")?;
    let status = head
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| head.strip_prefix("HTTP/1.0 "))
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .context("not a status line")?;
    if status == 100 {
        return Ok(status);
    }
    if !STATUSES.contains(&status) {
        bail!("status {status} is not documented");
    }
    let is_problem = header(head, "content-type") == Some("application/problem+json");
    if is_problem && !body.is_empty() && is_whole(response) {
        let length = header(head, "content-length").and_then(|text| text.parse().ok());
        let body = &body[..length.unwrap_or(body.len())];
        let problem: serde_json::Value =
            serde_json::from_slice(body).context("the problem document is not JSON")?;
        if problem["status"] != status || !problem["code"].is_string() {
            bail!("the problem document does not fit its status");
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_judged() {
        let response = |status: u16, code: &str| {
            let body = format!(r#"{{"status": {status}, "code": {code}}}"#);
            format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/problem+json\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        assert_eq!(check(response(404, "\"gone\"").as_bytes()).unwrap(), 404);
        assert!(check(response(500, "\"bug\"").as_bytes()).is_err());
        assert!(check(response(404, "1").as_bytes()).is_err());
        assert!(check(b"HTTP/1.1 200 OK\r\n").is_err());
        assert!(check(b"garbage\r\n\r\n").is_err());
        assert!(is_whole(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx"));
        assert!(!is_whole(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nx"));
    }
}
