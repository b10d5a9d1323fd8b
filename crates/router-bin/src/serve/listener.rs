//! The accept loop: bounds connections in number and time, and shuts down
//! gracefully.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt;

use super::connection::{ConnectionState, ResponseBody};
use super::limits::Limits;
use super::problem::Problem;
use super::timeout_stream::TimeoutStream;

/// The number of refused connections that are answered at a time; further ones
/// are closed without an answer.
const MOST_REFUSALS: usize = 64;

/// How long a refused client has to read its answer.
const REFUSAL_TIME: Duration = Duration::from_secs(2);

/// The read buffer of a connection, which bounds the head of a request.
const MAX_BUFFER: usize = 64 << 10;

/// Serves `app` on `listener` until `shutdown` completes, then lets requests in
/// flight finish within the deadline.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) {
    let slots = Arc::new(Semaphore::new(limits.max_connections));
    let refusals = Arc::new(Semaphore::new(MOST_REFUSALS));
    let refusal: Arc<str> = refusal(limits.max_connections).into();
    let graceful = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder
        .max_buf_size(MAX_BUFFER)
        // `TimeoutStream` distinguishes an idle connection from a slow head.
        .header_read_timeout(None);

    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause_after(&error).await;
                continue;
            }
        };
        // Responses are small and written at once, so Nagle's algorithm only
        // delays them. A socket without the option works too.
        let _ = stream.set_nodelay(true);
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
                let refusal = Arc::clone(&refusal);
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(REFUSAL_TIME, refuse(stream, &refusal)).await;
                    drop(permit);
                });
            }
            continue;
        };
        let state = ConnectionState::default();
        let stream = TimeoutStream::new(stream, state.clone(), &limits);
        let app = app.clone();
        let service = service_fn(move |request: http::Request<Incoming>| {
            let (head, body) = request.into_parts();
            let (guard, body) = state.start_request(body);
            let mut request = http::Request::from_parts(head, Body::new(body));
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = app.clone().oneshot(request);
            async move {
                let response = answer.await?;
                Ok::<_, std::convert::Infallible>(
                    response.map(|body| ResponseBody::new(body.boxed_unsync(), guard)),
                )
            }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.shutdown_deadline, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests were still under way at the shutdown deadline; they are cut off");
    }
}

/// Pauses after a failed accept: without file descriptors or memory the next one
/// would fail at once. A connection that its client closed needs no pause.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        return;
    }
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

fn refusal(max_connections: usize) -> String {
    let problem = Problem::unavailable(
        "too_many_connections",
        format!(
            "all {max_connections} connections that [server] max_connections allows are in use"
        ),
    );
    let body = problem.text();
    format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
         cache-control: no-store\r\nretry-after: 1\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Answers without reading the request, then reads what the client still sends:
/// closing a socket with unread bytes could discard the answer.
async fn refuse(mut stream: TcpStream, refusal: &str) -> io::Result<()> {
    stream.write_all(refusal.as_bytes()).await?;
    stream.shutdown().await?;
    let mut sink = [0; 1024];
    while stream.read(&mut sink).await? > 0 {}
    Ok(())
}
