//! Keys that are fetched from an issuer over TLS.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use serde_json::json;

use crate::program::{argument, file};
use crate::setup::{KEYS, bearer, signed};
use crate::support::{Reply, Server};

/// An issuer on a free port that publishes the key of this name.
struct Issuer {
    port: u16,
    key: Arc<Mutex<&'static str>>,
}

impl Issuer {
    fn start(key: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let config = Arc::new(tls());
        let key = Arc::new(Mutex::new(key));
        let published = Arc::clone(&key);
        // It ends with the test program.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let document = document(*published.lock().expect("a lock"));
                // A client that does not trust the issuer ends the handshake.
                let _ = answer(stream, &config, &document);
            }
        });
        Self { port, key }
    }

    fn publish(&self, key: &'static str) {
        *self.key.lock().expect("a lock") = key;
    }
}

fn tls() -> ServerConfig {
    let certificate = CertificateDer::from_pem_file(format!("{KEYS}/localhost.crt"));
    let key = PrivateKeyDer::from_pem_file(format!("{KEYS}/localhost.key"));
    ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.expect("a certificate")],
            key.expect("a key"),
        )
        .expect("a configuration")
}

fn answer(
    mut stream: std::net::TcpStream,
    config: &Arc<ServerConfig>,
    document: &str,
) -> std::io::Result<()> {
    let connection = ServerConnection::new(Arc::clone(config));
    let mut connection = connection.map_err(std::io::Error::other)?;
    let mut stream = Stream::new(&mut connection, &mut stream);
    let _ = stream.read(&mut [0; 4096])?;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{document}",
        document.len()
    )
}

fn document(key: &str) -> String {
    let pem = std::fs::read(format!("{KEYS}/{key}.pem")).expect("a key");
    let private = EncodingKey::from_ed_pem(&pem).expect("a key");
    let mut jwk = Jwk::from_encoding_key(&private, Algorithm::EdDSA).expect("a public key");
    jwk.common.key_id = Some(key.to_owned());
    json!({ "keys": [jwk] }).to_string()
}

fn server(folder: &str, issuer: &Issuer, authority: &str) -> Server {
    let text = format!(
        "[auth]\nmode = 'jwt'\n[auth.jwt]\nalgorithms = ['EdDSA']\njwks_min_interval = '1ms'\n\
         jwks_url = 'https://localhost:{}/keys'\nissuer = 'https://id.example.org'\n\
         audience = ['router']\nrole_claim = 'role'",
        issuer.port
    );
    let config = file(folder, "router.toml", text);
    Server::start(&[
        ("ROUTER_CONFIG", argument(&config)),
        ("SSL_CERT_FILE", authority),
    ])
}

fn ask(server: &Server, key: &str) -> Reply {
    let (name, value) = bearer(&signed(key, "BEN-000001", "ask", 60));
    let headers = [("content-type", "application/json"), (name, value.as_str())];
    let body = json!({ "message": "what is my claim status?", "user_context": {} });
    server.send("POST", "/v1/route", &headers, body.to_string().as_bytes())
}

#[test]
fn keys_are_fetched_over_tls_and_follow_the_issuer() {
    let issuer = Issuer::start("ed");
    let server = server("issuer/trusted", &issuer, &format!("{KEYS}/authority.crt"));
    let reply = ask(&server, "ed");
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.value()["source"], "live_data");
    ask(&server, "other-ed").is_problem(401, "unknown key");
    issuer.publish("other-ed");
    // The first request may come within a millisecond of the last fetch.
    let is_known = (0..100).any(|_| ask(&server, "other-ed").status == 200);
    assert!(is_known);
    ask(&server, "ed").is_problem(401, "unknown key");
}

#[test]
fn keys_of_an_issuer_that_no_authority_vouches_for_are_not_taken() {
    let issuer = Issuer::start("ed");
    // A certificate that signs nothing but itself.
    let server = server("issuer/foreign", &issuer, &format!("{KEYS}/foreign.crt"));
    let reply = ask(&server, "ed");
    reply.is_problem(503, "not available yet");
    assert_eq!(reply.header("retry-after"), Some("1"));
}
