//! The accept loop: connections bounded in number, headers bounded in time,
//! and an end that lets requests under way finish.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
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

use super::Limits;
use super::exchange::{Exchange, MarkedBody};
use super::problem::Problem;
use super::timed::TimedStream;

/// How many refused connections are told so at the same time; the ones past
/// this are closed without a word.
const MOST_REFUSALS: usize = 64;

/// How long a refused client has to take its answer.
const REFUSAL_TIME: Duration = Duration::from_secs(2);

/// The most that a connection buffers, and so the largest head of a request.
const MAX_BUFFER: usize = 64 << 10;

/// Serves `app` on `listener` until `shutdown` completes, then lets requests
/// under way finish within the deadline.
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
        // `TimedStream` tells an idle connection from a head that has begun.
        .header_read_timeout(None);

    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                pause_after(&error).await;
                continue;
            }
        };
        // Answers are small and written whole: waiting to fill a packet only
        // delays them. A socket that refuses the option still works.
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
        let exchange = Exchange::default();
        let stream = TimedStream::new(stream, exchange.clone(), &limits);
        let app = app.clone();
        let service = service_fn(move |request: http::Request<Incoming>| {
            let (head, body) = request.into_parts();
            let (mark, body) = exchange.begin(body);
            let request = http::Request::from_parts(head, Body::new(body));
            let answer = app.clone().oneshot(request);
            async move {
                let response = answer.await?;
                Ok::<_, std::convert::Infallible>(
                    response.map(|body| MarkedBody::new(body.boxed_unsync(), mark)),
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

/// Out of file descriptors or memory, an accept fails at once and would be
/// tried again at once; a connection that its client gave up needs no pause.
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

/// Answers without reading the request first, then reads what the client
/// still sends: closing a socket with unread bytes would destroy the answer.
async fn refuse(mut stream: TcpStream, refusal: &str) -> io::Result<()> {
    stream.write_all(refusal.as_bytes()).await?;
    stream.shutdown().await?;
    let mut sink = [0; 1024];
    while stream.read(&mut sink).await? > 0 {}
    Ok(())
}
