//! TLS: what is served, its certificate's exchange, its limits in time.

mod program;
mod support;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use program::{argument, file, router};
use support::{Server, eventually};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// A certificate for `localhost`, and its key.
struct Pair {
    certificate: String,
    key: String,
    der: CertificateDer<'static>,
}

impl Pair {
    fn new() -> Self {
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        Self {
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
            der: made.cert.der().clone(),
        }
    }

    /// Writes the files, each in one step.
    fn write(&self, (certificate, key): (&Path, &Path)) {
        for (text, path) in [(&self.key, key), (&self.certificate, certificate)] {
            let draft = path.with_extension("draft");
            fs::write(&draft, text).expect("the file is written");
            fs::rename(draft, path).expect("the file is replaced");
        }
    }
}

/// The files of a test's own.
fn files(test: &str) -> (PathBuf, PathBuf) {
    let folder = format!("tls-{test}");
    (file(&folder, "tls.crt", ""), file(&folder, "tls.key", ""))
}

fn start(files: &(PathBuf, PathBuf), settings: &[(&str, &str)], log: Stdio) -> Server {
    let tls = [
        ("ROUTER_SERVER__TLS__CERTIFICATE", argument(&files.0)),
        ("ROUTER_SERVER__TLS__KEY", argument(&files.1)),
    ];
    Server::start_logging_to(log, &[&tls, settings].concat())
}

/// A service with TLS, and its certificate.
fn with_tls(test: &str, settings: &[(&str, &str)]) -> (Server, Pair) {
    let files = files(test);
    let pair = Pair::new();
    pair.write((&files.0, &files.1));
    (start(&files, settings, Stdio::null()), pair)
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A client that trusts these certificates alone, and offers these protocols.
fn client(server: &Server, trusted: &[&Pair], protocols: &[&[u8]]) -> Stream {
    let mut roots = RootCertStore::empty();
    for pair in trusted {
        roots.add(pair.der.clone()).expect("a certificate");
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has the versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let name = "localhost".try_into().expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    StreamOwned::new(connection, server.connect())
}

const PROBE: &[u8] = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Asks on a connection that stays open.
fn probe(stream: &mut Stream) -> std::io::Result<()> {
    stream.write_all(PROBE)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok\n") {
        let mut part = [0; 1024];
        let length = stream.read(&mut part)?;
        assert!(length > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&part[..length]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    Ok(())
}

/// Whether the service has this certificate.
fn shows(server: &Server, pair: &Pair) -> bool {
    probe(&mut client(server, &[pair], &[])).is_ok()
}

/// Reads until the server hangs up; fails if it does not.
fn until_closed(mut stream: impl Read) {
    match stream.read_to_end(&mut Vec::new()) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            panic!("the connection stays open")
        }
        _ => {}
    }
}

#[test]
fn connections_are_encrypted_on_both_listeners() {
    let admin = ("ROUTER_SERVER__ADMIN__LISTEN", "127.0.0.1:0");
    let (server, pair) = with_tls("both", &[admin]);
    let admin = |server: Server| {
        assert!(shows(&server, &pair));
        assert!(!shows(&server, &Pair::new()));
        let mut plain = server.connect();
        plain.write_all(PROBE).unwrap();
        let mut answer = Vec::new();
        let _ = plain.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP"));
        server
    };
    let server = admin(server);
    admin(server.into_admin());
}

#[test]
fn the_client_chooses_the_protocol() {
    let (server, pair) = with_tls("alpn", &[]);
    for (offered, expect) in [
        (&[b"h2".as_slice(), b"http/1.1"][..], Some(b"h2".as_slice())),
        (&[b"http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ] {
        let mut stream = client(&server, &[&pair], offered);
        if expect == Some(b"h2") {
            stream.flush().unwrap();
            while stream.conn.is_handshaking() {
                stream.conn.complete_io(&mut stream.sock).unwrap();
            }
        } else {
            probe(&mut stream).unwrap();
        }
        assert_eq!(stream.conn.alpn_protocol(), expect);
    }
}

#[test]
fn http2_is_spoken_where_it_was_chosen() {
    let (server, pair) = with_tls("http2", &[]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut roots = RootCertStore::empty();
        roots.add(pair.der.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let stream = tokio::net::TcpStream::connect(server.address())
            .await
            .unwrap();
        let stream = connector
            .connect("localhost".try_into().unwrap(), stream)
            .await
            .unwrap();
        let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::get("https://localhost/livez")
            .body(())
            .unwrap();
        let (response, _) = client.send_request(request, true).unwrap();
        assert_eq!(response.await.unwrap().status(), 200);
    });
}

#[test]
fn a_new_certificate_is_taken_and_open_connections_stay() {
    for (test, period, signal) in [("polled", "10ms", None), ("hangup", "0s", Some("HUP"))] {
        let files = files(test);
        let (old, new) = (Pair::new(), Pair::new());
        old.write((&files.0, &files.1));
        let period = ("ROUTER_SERVER__WATCH_FILES", period);
        let server = start(&files, &[period], Stdio::null());
        let mut open = client(&server, &[&old], &[]);
        probe(&mut open).unwrap();
        new.write((&files.0, &files.1));
        if let Some(signal) = signal {
            server.signal(signal);
        }
        eventually("the new certificate is shown", || shows(&server, &new));
        assert!(!shows(&server, &old));
        probe(&mut open).unwrap();
    }
}

#[test]
fn a_bad_new_pair_is_refused_and_the_old_one_stays() {
    let files = files("bad");
    let old = Pair::new();
    old.write((&files.0, &files.1));
    let log = file("tls-bad", "log", "");
    let sink = fs::File::create(&log).unwrap();
    let server = start(&files, &[("ROUTER_SERVER__WATCH_FILES", "0s")], sink.into());
    let told = |times| {
        eventually("the log tells", || {
            let log = fs::read_to_string(&log).unwrap();
            log.matches("the TLS certificate was not reloaded").count() == times
        });
    };
    let other = Pair::new();
    let bad = [
        ("garbage".to_owned(), old.key.clone()),
        (old.certificate.clone(), String::new()),
        (old.certificate.clone(), other.key),
    ];
    for (times, (certificate, key)) in (1..).zip(bad) {
        fs::write(&files.0, certificate).unwrap();
        fs::write(&files.1, key).unwrap();
        server.signal("HUP");
        told(times);
        assert!(shows(&server, &old));
    }
    let new = Pair::new();
    new.write((&files.0, &files.1));
    server.signal("HUP");
    eventually("the good one is taken", || shows(&server, &new));
}

#[test]
fn a_service_without_its_certificate_does_not_start() {
    let (certificate, key) = files("start");
    let (one, other) = (Pair::new(), Pair::new());
    let (certificate, key) = (argument(&certificate), argument(&key));
    let settings = format!(
        "[server]\nlisten = '127.0.0.1:0'\ntls = {{ certificate = '{certificate}', key = '{key}' }}\n"
    );
    let settings = file("tls-start", "router.toml", settings);
    for (of_certificate, of_key, says) in [
        ("", &*one.key, "holds no certificate in PEM form"),
        (&*one.certificate, "", "holds no private key in PEM form"),
        (
            &*one.certificate,
            &*other.key,
            "cannot be used with the key",
        ),
    ] {
        fs::write(certificate, of_certificate).unwrap();
        fs::write(key, of_key).unwrap();
        router(&["serve", "--config", argument(&settings)], "").fails(78, says);
    }
    fs::remove_file(key).unwrap();
    let run = router(&["serve", "--config", argument(&settings)], "");
    run.fails(78, "tls.key: cannot be read");
}

#[test]
fn a_handshake_has_its_time() {
    let (server, _) = with_tls(
        "handshake",
        &[
            ("ROUTER_SERVER__HEADER_TIMEOUT", "50ms"),
            ("ROUTER_SERVER__IDLE_TIMEOUT", "1h"),
        ],
    );
    until_closed(server.connect());
}

#[test]
fn the_timeouts_hold_inside_tls() {
    let (server, pair) = with_tls(
        "idle",
        &[
            ("ROUTER_SERVER__HEADER_TIMEOUT", "1h"),
            ("ROUTER_SERVER__IDLE_TIMEOUT", "300ms"),
        ],
    );
    let mut idle = client(&server, &[&pair], &[]);
    probe(&mut idle).unwrap();
    until_closed(idle);
    let mut deaf = client(&server, &[&pair], &[]);
    let requests = b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
    // It reads nothing once the handshake is done.
    probe(&mut deaf).unwrap();
    let mut send = || {
        deaf.conn.writer().write_all(&requests)?;
        while deaf.conn.wants_write() {
            deaf.conn.write_tls(&mut deaf.sock)?;
        }
        Ok::<_, std::io::Error>(())
    };
    let error = (0..100_000).find_map(|_| send().err());
    let kind = error.map(|error| error.kind());
    assert!(
        matches!(
            kind,
            Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
        ),
        "{kind:?}"
    );
    let (server, pair) = with_tls(
        "head",
        &[
            ("ROUTER_SERVER__HEADER_TIMEOUT", "300ms"),
            ("ROUTER_SERVER__IDLE_TIMEOUT", "1h"),
        ],
    );
    let mut slow = client(&server, &[&pair], &[]);
    probe(&mut slow).unwrap();
    slow.write_all(&PROBE[..8]).unwrap();
    until_closed(slow);
}

#[test]
fn a_stop_answers_what_was_sent() {
    let (server, pair) = with_tls("stop", &[]);
    let mut streams: Vec<_> = (0..5).map(|_| client(&server, &[&pair], &[])).collect();
    server.terminate();
    for stream in &mut streams {
        probe(stream).unwrap();
    }
    assert!(server.wait().success());
}
