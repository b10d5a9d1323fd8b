//! The client: connections, attempts, and what a response's status means.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pooled;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use intent_router::SourceError;
use rustls::crypto::ring;

use super::options::HttpOptions;
use super::request::Prepared;

/// How long an idle connection is kept. Servers close them after a minute or more.
const IDLE: Duration = Duration::from_secs(30);

/// The most bytes of a response's head.
const MOST_HEAD: usize = 64 << 10;

/// The longest pause before the first repetition; it doubles with each.
const PAUSE: Duration = Duration::from_millis(50);

/// Sends requests. It follows no redirects and asks for no compression.
pub(super) struct Client {
    pool: Connections,
    retries: u32,
    max_response: usize,
    attempts: AtomicU64,
}

enum Connections {
    Plain(Pooled<HttpConnector, Full<Bytes>>),
    Tls(Pooled<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

/// A response of success or [`NOT_FOUND`](StatusCode::NOT_FOUND), or, to a conditional
/// request, [`NOT_MODIFIED`](StatusCode::NOT_MODIFIED).
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Client {
    /// A client for `https` or `http`. It trusts the certificate authorities of the
    /// machine, or those of the file that the variable `SSL_CERT_FILE` names.
    ///
    /// # Errors
    /// The machine has no certificate authorities.
    pub(super) fn new(https: bool, options: &HttpOptions) -> Result<Self, String> {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(options.connect_timeout));
        tcp.set_nodelay(true);
        let pool = if https {
            tcp.enforce_http(false);
            let tls = HttpsConnectorBuilder::new()
                .with_provider_and_native_roots(ring::default_provider())
                .map_err(|error| {
                    format!(
                        "no certificate authority is known: {error}; install the package \
                         `ca-certificates`, or set SSL_CERT_FILE"
                    )
                })?;
            Connections::Tls(pooled(
                tls.https_only().enable_http1().wrap_connector(tcp),
                options,
            ))
        } else {
            Connections::Plain(pooled(tcp, options))
        };
        Ok(Self {
            pool,
            retries: options.retries,
            max_response: options.max_response,
            attempts: AtomicU64::new(0),
        })
    }

    /// How often a request was sent, repetitions included.
    pub(super) fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Sends a request, again if it is repeatable and fails in a way that may pass, and
    /// reads the response. Adds the attempts to `calls`.
    pub(super) async fn ask(
        &self,
        request: &Prepared,
        repeatable: bool,
        calls: &mut u32,
    ) -> Result<Answered, BackEndFailure> {
        let retries = if repeatable { self.retries } else { 0 };
        let mut pause = PAUSE;
        for _ in 0..retries {
            *calls = calls.saturating_add(1);
            match self.send(request).await {
                Ok(response) if !is_transient(&response) => {
                    return self.read(request, response).await;
                }
                Ok(_) | Err(_) => {}
            }
            tokio::time::sleep(pause.mul_f64(fastrand::f64())).await;
            pause = pause.saturating_mul(2);
        }
        *calls = calls.saturating_add(1);
        let response = self.send(request).await?;
        self.read(request, response).await
    }

    async fn send(&self, request: &Prepared) -> Result<Response<Incoming>, BackEndFailure> {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let sent = match &self.pool {
            Connections::Plain(pool) => pool.request(request.request()).await,
            Connections::Tls(pool) => pool.request(request.request()).await,
        };
        sent.map_err(|error| {
            BackEndFailure::Unavailable(format!("cannot be reached: {}", causes(&error)))
        })
    }

    async fn read(
        &self,
        request: &Prepared,
        response: Response<Incoming>,
    ) -> Result<Answered, BackEndFailure> {
        let (head, body) = response.into_parts();
        let status = head.status;
        match status {
            // A part of a document is none.
            StatusCode::PARTIAL_CONTENT => {
                return Err(BackEndFailure::Refused(
                    "answered a part of a document".to_owned(),
                ));
            }
            StatusCode::NOT_FOUND => {}
            StatusCode::NOT_MODIFIED if request.is_conditional() => {}
            StatusCode::NOT_MODIFIED => {
                return Err(BackEndFailure::Refused(format!(
                    "answered {status} to a request without If-None-Match"
                )));
            }
            _ if status.is_success() => {}
            _ if status.is_redirection() => {
                let text = format!("answered {status}; redirects are not followed");
                return Err(BackEndFailure::Refused(text));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                return Err(BackEndFailure::Unavailable(format!("answered {status}")));
            }
            _ if status.is_server_error() => {
                return Err(BackEndFailure::Unavailable(format!("answered {status}")));
            }
            _ => return Err(BackEndFailure::Refused(format!("answered {status}"))),
        }
        let body = Limited::new(body, self.max_response).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => BackEndFailure::Refused(format!(
                "the body is larger than {} bytes",
                self.max_response
            )),
            false => {
                BackEndFailure::Unavailable(format!("the body broke off: {}", causes(&*error)))
            }
        })?;
        Ok(Answered {
            status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    }
}

/// Why a request has no records for an answer.
#[derive(Debug)]
pub(super) enum BackEndFailure {
    /// The back end could not be reached, or has a fault.
    Unavailable(String),
    /// It answered, but not with records.
    Refused(String),
    /// It was not asked, because of a value of the question.
    Unaskable(String),
}

impl BackEndFailure {
    /// The error of a source, for the question of an intent.
    pub(super) fn of(self, intent: &str) -> SourceError {
        match self {
            Self::Unavailable(reason) => {
                SourceError::Unavailable(format!("the HTTP back end {reason}"))
            }
            Self::Refused(reason) => SourceError::Query {
                intent: intent.to_owned(),
                query: "http".to_owned(),
                reason,
            },
            Self::Unaskable(reason) => SourceError::Unaskable(reason),
        }
    }
}

fn pooled<C>(connector: C, options: &HttpOptions) -> Pooled<C, Full<Bytes>>
where
    C: Connect + Clone,
{
    Pooled::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(options.connections.get())
        .http1_max_buf_size(MOST_HEAD)
        .build(connector)
}

/// Whether another attempt may succeed at once. A back end that says when to come
/// again is left alone until then.
fn is_transient(response: &Response<Incoming>) -> bool {
    let is_passing = matches!(
        response.status(),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    );
    is_passing && !response.headers().contains_key(RETRY_AFTER)
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
