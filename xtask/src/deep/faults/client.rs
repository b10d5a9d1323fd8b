//! A small HTTP client that keeps its connection, and measures.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long a client waits for an answer, unless it says otherwise.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to the service.
pub(super) struct Client {
    stream: BufReader<TcpStream>,
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) has_retry_after: bool,
    pub(super) is_hit: bool,
    pub(super) took: Duration,
}

impl Client {
    pub(super) fn new(address: SocketAddr, patience: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Sends a request; its answer is to be [read](Self::read).
    pub(super) fn write(&mut self, request: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(request.as_bytes())
    }

    /// Sends a request and reads its answer.
    pub(super) fn send(&mut self, request: &str) -> io::Result<Reply> {
        let start = Instant::now();
        self.write(request)?;
        let mut reply = self.read()?;
        reply.took = start.elapsed();
        Ok(reply)
    }

    /// Reads an answer whose body has a length; of another, the head.
    pub(super) fn read(&mut self) -> io::Result<Reply> {
        let mut reply = Reply::default();
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            match line.split_once(':') {
                None => {
                    let status = line.split(' ').nth(1).and_then(|text| text.parse().ok());
                    reply.status = status.unwrap_or_default();
                }
                Some(("content-length", value)) => length = value.trim().parse().unwrap_or(0),
                Some(("retry-after", _)) => reply.has_retry_after = true,
                Some(("cache-status", value)) => reply.is_hit = value.contains("; hit"),
                Some(_) => {}
            }
        }
        io::copy(&mut self.stream.by_ref().take(length), &mut io::sink())?;
        Ok(reply)
    }
}

/// A request without a body.
pub(super) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// A POST request of a JSON body, with further lines of the head.
pub(super) fn post(path: &str, lines: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{lines}\r\n{body}"
    )
}

/// A question of a member in a role.
pub(super) fn question(message: &str, member: usize, role: &str, lines: &str) -> String {
    let body = serde_json::json!({
        "message": message,
        "user_context": { "user_id": format!("BEN-{member:06}"), "user_role": role },
    });
    post("/v1/route", lines, &body.to_string())
}

/// The head's line that passes by what is stored.
pub(super) const NO_CACHE: &str = "Cache-Control: no-cache\r\n";

/// One request on a connection of its own.
pub(super) fn once(address: SocketAddr, patience: Duration, request: &str) -> io::Result<Reply> {
    Client::new(address, patience)?.send(request)
}
