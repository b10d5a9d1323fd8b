//! Connection state shared by the HTTP service and the [`TimeoutStream`].
//!
//! [`TimeoutStream`]: super::timeout_stream::TimeoutStream

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// The state of a connection, which serves one request at a time.
///
/// Service and stream of a connection run in one task, so relaxed atomics
/// suffice.
#[derive(Clone, Default)]
pub(crate) struct ConnectionState(Arc<Flags>);

#[derive(Default)]
struct Flags {
    /// Set from the end of a request's head to the end of its response.
    busy: AtomicBool,
    /// Set if the last request was answered before its body was read.
    unread_body: AtomicBool,
}

impl ConnectionState {
    /// Starts a request: the connection is busy until the guard is dropped, and
    /// the returned body records whether it was read to its end.
    pub(crate) fn start_request(&self, body: Incoming) -> (BusyGuard, RequestBody) {
        self.0.busy.store(true, Ordering::Relaxed);
        self.0.unread_body.store(false, Ordering::Relaxed);
        let body = RequestBody {
            body,
            ended: false,
            connection: self.clone(),
        };
        (BusyGuard(self.clone()), body)
    }

    /// Whether a request is in flight.
    pub(crate) fn is_busy(&self) -> bool {
        self.0.busy.load(Ordering::Relaxed)
    }

    /// Whether the last request was answered before its body was read, so that
    /// the client may still be sending it.
    pub(crate) fn has_unread_body(&self) -> bool {
        self.0.unread_body.load(Ordering::Relaxed)
    }
}

/// Keeps a connection busy until it is dropped.
pub(crate) struct BusyGuard(ConnectionState);

impl Drop for BusyGuard {
    fn drop(&mut self) {
        (self.0).0.busy.store(false, Ordering::Relaxed);
    }
}

/// A request body that marks its connection if it is dropped before its end.
pub(crate) struct RequestBody {
    body: Incoming,
    ended: bool,
    connection: ConnectionState,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.ended = !matches!(frame, Some(Ok(_)));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.ended && !self.body.is_end_stream() {
            self.connection.0.unread_body.store(true, Ordering::Relaxed);
        }
    }
}

/// A response body that keeps its connection busy until it is written or dropped.
pub(crate) struct ResponseBody {
    body: UnsyncBoxBody<Bytes, axum::Error>,
    _guard: BusyGuard,
}

impl ResponseBody {
    /// `body`, which holds `guard`.
    pub(crate) fn new(body: UnsyncBoxBody<Bytes, axum::Error>, guard: BusyGuard) -> Self {
        Self {
            body,
            _guard: guard,
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
