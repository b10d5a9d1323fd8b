//! Fetches a key set over HTTP.

use std::sync::Arc;

use http::uri::Scheme;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use intent_router::Diagnostic;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

/// The largest key set that is read.
const MOST: usize = 256 << 10;

/// Fetches one document.
pub(super) struct Fetcher {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    url: Uri,
}

impl Fetcher {
    /// Trusts the certificate authorities of the machine, or those of the file that the
    /// variable `SSL_CERT_FILE` names.
    ///
    /// # Errors
    /// The machine has no certificate authorities.
    pub(super) fn new(url: Uri) -> Result<Self, Diagnostic> {
        // The configuration allows `http` on a loopback address only.
        let connector = if url.scheme() == Some(&Scheme::HTTP) {
            HttpsConnectorBuilder::new()
                .with_tls_config(without_authorities())
                .https_or_http()
        } else {
            HttpsConnectorBuilder::new()
                .with_provider_and_native_roots(ring::default_provider())
                .map_err(|error| {
                    Diagnostic::error(format!("no certificate authority is known: {error}"))
                        .with_remedy("install the package `ca-certificates`, or set SSL_CERT_FILE")
                })?
                .https_only()
        };
        let connector = connector.enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, url })
    }

    /// Fetches the document. Redirects are not followed.
    ///
    /// # Errors
    /// Why it could not be fetched.
    pub(super) async fn fetch(&self) -> Result<Bytes, String> {
        let request = Request::get(&self.url)
            .header(header::ACCEPT, "application/json")
            .body(Empty::new())
            .map_err(|error| error.to_string())?;
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| format!("cannot be reached: {}", causes(&error)))?;
        if answer.status() != StatusCode::OK {
            return Err(format!("answered {}", answer.status()));
        }
        let body = Limited::new(answer.into_body(), MOST).collect().await;
        let body = body.map_err(|error| format!("could not be read: {error}"))?;
        Ok(body.to_bytes())
    }
}

/// A configuration of TLS that trusts nobody, for a client that does not use TLS.
fn without_authorities() -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        // Proof: it fails only for a provider without cipher suites of these versions.
        .expect("ring has the default versions of TLS")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth()
}

/// An error with its causes.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// What is fetched from a server that answers so.
    async fn fetched(answer: String) -> Result<Bytes, String> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut head = [0; 1024];
            let _ = stream.read(&mut head);
            // The client may close before it has read all.
            let _ = stream.write_all(answer.as_bytes());
        });
        let url = format!("http://{address}/keys");
        let fetcher = Fetcher::new(url.parse().expect("a URL")).expect("a client");
        let fetched = fetcher.fetch().await;
        server.join().expect("the server ends");
        fetched
    }

    fn answer(status: &str, body: &str) -> String {
        format!(
            "HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    #[tokio::test]
    async fn a_document_is_fetched_within_its_bound() {
        let most = "k".repeat(MOST);
        assert_eq!(fetched(answer("200 OK", &most)).await, Ok(most.into()));
        let more = "k".repeat(MOST + 1);
        let error = fetched(answer("200 OK", &more))
            .await
            .expect_err("too large");
        assert!(error.contains("length limit exceeded"), "{error}");
    }

    #[tokio::test]
    async fn anything_but_200_is_an_error_and_no_redirect_is_followed() {
        for status in [
            "302 Found",
            "404 Not Found",
            "500 Internal Server Error",
            "204 No Content",
        ] {
            let error = fetched(answer(status, "")).await.expect_err(status);
            assert!(error.contains(&status[..3]), "{error}");
        }
        let error = fetched("nonsense\r\n\r\n".to_owned())
            .await
            .expect_err("no HTTP");
        assert!(error.contains("cannot be reached"), "{error}");
        let error = fetched("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort".to_owned()).await;
        assert!(error.is_err(), "the body is cut short");
    }
}
