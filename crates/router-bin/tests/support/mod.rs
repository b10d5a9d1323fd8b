//! A running service and a client that can also misbehave.
#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A service of the test's own, on a free port, stopped when dropped.
pub(crate) struct Server {
    child: Child,
    address: String,
    /// Where the service listens for administration, if that is a listener of its own.
    admin: Option<String>,
}

impl Server {
    /// The service with embedded demo data and these settings.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_logging_to(Stdio::null(), settings)
    }

    /// The same, with its log going to `log`.
    pub(crate) fn start_logging_to(log: Stdio, settings: &[(&str, &str)]) -> Self {
        let demo = [("ROUTER_SOURCE__DEMO_USERS", "50")];
        Self::run(log, &[&demo, settings].concat())
    }

    /// The service with nothing but these settings.
    pub(crate) fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::run(Stdio::null(), settings)
    }

    /// The same, with its log going to `log`.
    pub(crate) fn start_logging_with(log: Stdio, settings: &[(&str, &str)]) -> Self {
        Self::run(log, settings)
    }

    fn run(log: Stdio, settings: &[(&str, &str)]) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_router"));
        program.env_clear().envs(settings.iter().copied());
        program.args(["serve", "--listen", "127.0.0.1:0"]);
        let has_admin = settings
            .iter()
            .any(|(name, _)| *name == "ROUTER_SERVER__ADMIN__LISTEN");
        Self::spawn(program.stderr(log), has_admin)
    }

    /// Starts the program, which says where it listens.
    pub(crate) fn spawn(program: &mut Command, has_admin: bool) -> Self {
        let mut child = program
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let mut lines = BufReader::new(stdout).lines();
        let mut address = || {
            let line = lines.next().expect("a line").expect("a line of text");
            let url = line.split_whitespace().find(|word| word.contains("://"));
            let url = url.unwrap_or_else(|| panic!("no address in {line:?}"));
            let (_, address) = url.split_once("://").expect("a URL");
            address.trim_end_matches('/').to_owned()
        };
        Self {
            address: address(),
            admin: has_admin.then(address),
            child,
        }
    }

    /// The public address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The address for administration.
    pub(crate) fn admin(&self) -> &str {
        self.admin.as_deref().expect("an admin listener")
    }

    /// The same service with its listener for administration as the one that is asked.
    pub(crate) fn into_admin(mut self) -> Self {
        std::mem::swap(
            &mut self.address,
            self.admin.as_mut().expect("an admin listener"),
        );
        self
    }

    /// Tells the process to stop.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends the process a signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    /// Whether new connections are accepted.
    pub(crate) fn accepts(&self) -> bool {
        TcpStream::connect(&self.address).is_ok()
    }

    /// Waits for the process to end by itself.
    pub(crate) fn wait(mut self) -> std::process::ExitStatus {
        self.child.wait().expect("the service ends")
    }

    /// Whether the process ends by itself within this time.
    pub(crate) fn ends_within(&mut self, most: Duration) -> bool {
        let told = std::time::Instant::now();
        while told.elapsed() < most {
            if self.child.try_wait().expect("a process").is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("the service accepts");
        let limit = Some(Duration::from_secs(20));
        stream.set_read_timeout(limit).expect("a read limit is set");
        stream
            .set_write_timeout(limit)
            .expect("a write limit is set");
        stream
    }

    /// Sends bytes as they are and reads the answer to its end.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Reply {
        let mut stream = self.connect();
        // A server that refuses early may close before all is written; its
        // answer is what counts.
        let _ = stream.write_all(bytes);
        Reply::read(stream)
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body);
        self.raw(&bytes)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn json(&self, method: &str, path: &str, body: impl AsRef<[u8]>) -> Reply {
        let json = [("content-type", "application/json")];
        self.send(method, path, &json, body.as_ref())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.json("POST", path, body.to_string())
    }

    /// Asks as a user in a role.
    pub(crate) fn ask(&self, message: &str, user: &str, role: &str) -> Reply {
        let context = serde_json::json!({ "user_id": user, "user_role": role });
        let body = serde_json::json!({ "message": message, "user_context": context });
        let reply = self.post("/v1/route", &body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply
    }

    pub(crate) fn stats(&self) -> Value {
        self.get("/v1/stats").value()
    }

    pub(crate) fn invalidate(&self, selector: &Value) -> u64 {
        let reply = self.post("/v1/invalidate", selector);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.value()["invalidated"].as_u64().expect("a count")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Checks until it is so, for a minute at most.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::yield_now();
    }
}

/// An HTTP answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn read(stream: TcpStream) -> Self {
        let mut reader = BufReader::new(stream);
        let mut reply = Self::head(&mut reader);
        let length = reply.header("content-length");
        let length = length.and_then(|value| value.parse().ok());
        match length {
            Some(length) => reader.take(length).read_to_end(&mut reply.body),
            None => reader.read_to_end(&mut reply.body),
        }
        .expect("a body");
        reply
    }

    /// Reads an answer whose body may have no end: of a body of unknown length, nothing.
    pub(crate) fn read_head(stream: TcpStream) -> Self {
        let mut reader = BufReader::new(stream);
        let mut reply = Self::head(&mut reader);
        if let Some(length) = reply.header("content-length") {
            let length = length.parse().expect("a length");
            reader
                .take(length)
                .read_to_end(&mut reply.body)
                .expect("a body");
        }
        reply
    }

    fn head(reader: &mut BufReader<TcpStream>) -> Self {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a status line");
        let status = line.split(' ').nth(1).and_then(|s| s.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status in {line:?}"));
        let mut headers = Vec::new();
        loop {
            line.clear();
            reader.read_line(&mut line).expect("a header line");
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Self {
            status,
            headers,
            body: Vec::new(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(n, _)| n == name);
        all.next().map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(crate) fn cache_status(&self) -> &str {
        self.header("cache-status").expect("a Cache-Status")
    }

    pub(crate) fn is_hit(&self) -> bool {
        self.cache_status().contains("; hit")
    }

    /// Asserts that this is a problem document that says what was wrong.
    pub(crate) fn is_problem(&self, status: u16, says: &str) {
        assert_eq!(self.status, status, "{}", self.text());
        let kind = self.header("content-type");
        assert_eq!(kind, Some("application/problem+json"), "{}", self.text());
        let problem = self.value();
        assert_eq!(problem["status"], status);
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(says), "{detail:?} does not say {says:?}");
    }
}
