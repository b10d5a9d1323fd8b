//! Serves one connection: HTTP/1.1 or HTTP/2, encrypted or not, within its limits.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::IntoResponse;
use futures_util::FutureExt;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, StatusCode, Version, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tower::ServiceExt;

use super::connection::{ConnectionState, ResponseBody};
use super::limits::Limits;
use super::problem::Problem;
use super::stop::{Phase, Stop};
use super::timeout_stream::TimeoutStream;
use super::tls::Tls;

/// The longest head of a request in bytes, and hyper's bound for its buffers.
const MAX_HEAD: usize = 64 << 10;

/// The requests that an HTTP/2 connection may have in flight.
const MAX_STREAMS: u32 = 100;

/// The bytes of bodies that an HTTP/2 client may send ahead of their being read: on a
/// connection, and for one request.
const WINDOWS: (u32, u32) = (256 << 10, 64 << 10);

/// How often an HTTP/2 client is asked whether it is there, and how long it may take to
/// answer.
const PINGS: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(20));

/// The endpoints that are answered on a connection beyond the limit.
const PROBES: [&str; 2] = ["/livez", "/readyz"];

/// What a connection may ask for.
#[derive(Clone)]
pub(crate) enum Access {
    /// Everything. HTTP/2 connections have several requests in flight; all connections
    /// together have at most as many as there are permits.
    All { requests: Arc<Semaphore> },
    /// Probes, once: the connection is beyond the limit.
    Probes,
}

/// How connections are served.
#[derive(Clone)]
pub(crate) struct Serving {
    pub(crate) app: Router,
    pub(crate) tls: Option<Tls>,
    pub(crate) limits: Limits,
    pub(crate) access: Access,
    pub(crate) max_connections: usize,
    /// The setting of `max_connections`.
    pub(crate) setting: &'static str,
    pub(crate) stop: Stop,
    /// Held while the connection is open.
    pub(crate) _open: mpsc::Sender<()>,
}

impl Serving {
    /// Serves a connection to its end.
    pub(crate) async fn serve(self, stream: TcpStream, peer: SocketAddr) {
        let Some(tls) = self.tls.clone() else {
            return self.speak(stream, peer).await;
        };
        match tokio::time::timeout(self.limits.header_timeout, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.speak(stream, peer).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn speak<S>(self, stream: S, peer: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let state = ConnectionState::default();
        if matches!(self.access, Access::Probes) {
            state.leave();
        }
        let stream = TokioIo::new(TimeoutStream::new(stream, state.clone(), &self.limits));
        let mut stop = self.stop.clone();
        let of_connection = state.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let state = of_connection.clone();
            let (mut head, body) = request.into_parts();
            let (guard, body) = state.start_request(body);
            head.extensions.insert(ConnectInfo(peer));
            let version = head.version;
            let admitted = self.admit(&head);
            let app = self.app.clone();
            async move {
                let (permit, mut response) = match admitted {
                    Ok(permit) => {
                        let request = Request::from_parts(head, Body::new(body));
                        (permit, app.oneshot(request).await?)
                    }
                    Err(problem) => (None, problem.into_response()),
                };
                if state.is_leaving() && version < Version::HTTP_2 {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(header::CONNECTION, close);
                }
                let body = |body: Body| ResponseBody::new(body.boxed_unsync(), guard, permit);
                Ok::<_, Infallible>(response.map(body))
            }
        });
        let builder = builder();
        let mut connection = pin!(builder.serve_connection(stream, service));
        let leaving = state.clone();
        let follow_stop = async move {
            stop.reached(Phase::LameDuck).await;
            leaving.leave();
            stop.reached(Phase::Draining).await;
            leaving.drain();
        };
        let mut follow_stop = pin!(follow_stop.fuse());
        let mut has_said_goodbye = false;
        let served = poll_fn(|cx| {
            let _ = follow_stop.as_mut().poll(cx);
            // hyper would close an idle HTTP/1 connection without looking for a
            // request that has arrived. `TimeoutStream` looks, so it ends those.
            if state.says_goodbye() && !has_said_goodbye {
                has_said_goodbye = true;
                connection.as_mut().graceful_shutdown();
            }
            connection.as_mut().poll(cx)
        });
        if let Err(error) = served.await {
            tracing::debug!(%error, "a connection ended early");
        }
    }

    /// Refuses a request for which there is no room.
    fn admit(&self, head: &Parts) -> Result<Option<OwnedSemaphorePermit>, Problem> {
        check_head(head)?;
        let (most, setting) = (self.max_connections, self.setting);
        match &self.access {
            Access::Probes if !PROBES.contains(&head.uri.path()) => Err(Problem::unavailable(
                "too_many_connections",
                format!("all {most} connections that {setting} allows are in use"),
            )),
            // An HTTP/1 connection has one request at a time.
            Access::All { requests } if head.version == Version::HTTP_2 => {
                let permit = Arc::clone(requests).try_acquire_owned();
                permit.map(Some).map_err(|_| {
                    Problem::unavailable(
                        "too_many_requests",
                        format!("{most} requests, as many as {setting}, are in flight"),
                    )
                })
            }
            Access::Probes | Access::All { .. } => Ok(None),
        }
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        // A client may close its half after its request.
        .half_close(true)
        .max_buf_size(MAX_HEAD)
        // `TimeoutStream` distinguishes an idle connection from a slow head.
        .header_read_timeout(None);
    let (of_connection, of_request) = WINDOWS;
    let (interval, timeout) = PINGS;
    // The bounds against streams that are reset as soon as they are opened are those
    // of h2.
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD as u32)
        .initial_connection_window_size(of_connection)
        .initial_stream_window_size(of_request)
        .max_send_buf_size(MAX_HEAD)
        .keep_alive_interval(interval)
        .keep_alive_timeout(timeout);
    builder
}

/// Bounds the head of a request. hyper's bound is for a buffer that it reads into, which
/// may hold more by the time the head is complete.
fn check_head(head: &Parts) -> Result<(), Problem> {
    let length = length(head);
    if length <= MAX_HEAD {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        "head_too_large",
        format!("the head of the request has {length} bytes; {MAX_HEAD} are the most"),
    ))
}

/// The bytes of a head in HTTP/1.1, written without spaces that mean nothing.
fn length(head: &Parts) -> usize {
    let uri = &head.uri;
    let target = uri
        .scheme_str()
        .map_or(0, |scheme| scheme.len() + "://".len())
        + uri
            .authority()
            .map_or(0, |authority| authority.as_str().len())
        + uri.path_and_query().map_or(0, |path| path.as_str().len());
    let first = head.method.as_str().len() + target + "  HTTP/1.1\r\n".len();
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        name.as_str().len() + value.len() + ": \r\n".len()
    };
    first + head.headers.iter().map(header).sum::<usize>() + "\r\n".len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A head of this many bytes.
    fn head(bytes: usize) -> Parts {
        let text = "POST /v1/route?a=b HTTP/1.1\r\nhost: t\r\nx: \r\n\r\n";
        let request = Request::post("/v1/route?a=b")
            .header("host", "t")
            .header("x", "a".repeat(bytes - text.len()));
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn a_head_is_counted_as_it_is_written() {
        for bytes in [100, 1_000, MAX_HEAD, MAX_HEAD + 1] {
            assert_eq!(length(&head(bytes)), bytes);
        }
        assert!(check_head(&head(MAX_HEAD)).is_ok());
        assert!(check_head(&head(MAX_HEAD + 1)).is_err());
    }
}
