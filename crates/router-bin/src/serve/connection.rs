//! Connection state shared by the HTTP service and the [`TimeoutStream`].
//!
//! [`TimeoutStream`]: super::timeout_stream::TimeoutStream

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

/// The state of a connection.
///
/// An HTTP/1 connection serves one request at a time, in the task of its stream. An
/// HTTP/2 connection serves several, each in a task of its own, which wakes that of
/// the stream.
#[derive(Clone, Default)]
pub(crate) struct ConnectionState(Arc<Flags>);

#[derive(Default)]
struct Flags {
    /// Requests between the end of their head and the end of their response.
    requests: AtomicUsize,
    /// Requests whose head has ended, ever.
    started: AtomicUsize,
    /// Whether the last HTTP/1 request was answered before its body was read.
    has_unread_body: AtomicBool,
    is_http2: AtomicBool,
    /// HTTP/2 responses of which hyper took a part, and asked for no further one
    /// because the client has made no room for it.
    untaken: AtomicUsize,
    /// Whether the connection ends with the current requests.
    is_leaving: AtomicBool,
    /// Whether the connection ends when it is idle.
    is_draining: AtomicBool,
    /// The task of the stream, while the connection speaks HTTP/2.
    task: AtomicWaker,
}

impl ConnectionState {
    /// Starts a request: the connection is busy until the guard is dropped, and
    /// the returned body records whether it was read to its end.
    pub(crate) fn start_request(&self, body: Incoming) -> (BusyGuard, RequestBody) {
        self.0.started.fetch_add(1, Ordering::AcqRel);
        self.0.requests.fetch_add(1, Ordering::AcqRel);
        self.0.has_unread_body.store(false, Ordering::Release);
        let body = RequestBody {
            body,
            ended: false,
            connection: self.clone(),
        };
        (BusyGuard(self.clone()), body)
    }

    /// Whether a request is in flight.
    pub(crate) fn is_busy(&self) -> bool {
        self.0.requests.load(Ordering::Acquire) > 0
    }

    /// How many requests there were.
    pub(crate) fn started(&self) -> usize {
        self.0.started.load(Ordering::Acquire)
    }

    /// Whether the last request was answered before its body was read, so that
    /// the client may still be sending it. An HTTP/2 client is told to stop.
    pub(crate) fn has_unread_body(&self) -> bool {
        self.0.has_unread_body.load(Ordering::Acquire) && !self.is_http2()
    }

    /// Whether the client speaks HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        self.0.is_http2.load(Ordering::Acquire)
    }

    /// Notes that the client speaks HTTP/2.
    pub(crate) fn set_http2(&self) {
        self.0.is_http2.store(true, Ordering::Release);
    }

    /// Whether the client of an HTTP/2 connection leaves a response unread. TCP does
    /// not tell, as HTTP/2 has a flow control of its own.
    pub(crate) fn has_untaken_response(&self) -> bool {
        self.0.untaken.load(Ordering::Acquire) > 0
    }

    /// Registers the task that reads from the stream, to be woken when a response is
    /// left untaken and when a request ends.
    pub(crate) fn register(&self, task: &Waker) {
        self.0.task.register(task);
    }

    /// Lets the connection end with its current requests.
    pub(crate) fn leave(&self) {
        self.0.is_leaving.store(true, Ordering::Release);
    }

    /// Whether the connection ends with its current requests.
    pub(crate) fn is_leaving(&self) -> bool {
        self.0.is_leaving.load(Ordering::Acquire)
    }

    /// Lets the connection end when it is idle.
    pub(crate) fn drain(&self) {
        self.leave();
        self.0.is_draining.store(true, Ordering::Release);
    }

    /// Whether the connection ends when it is idle.
    pub(crate) fn is_draining(&self) -> bool {
        self.0.is_draining.load(Ordering::Acquire)
    }

    /// Whether to tell an HTTP/2 client to send no more requests here. One that has
    /// sent none yet might never get an answer then.
    pub(crate) fn says_goodbye(&self) -> bool {
        self.is_leaving() && self.is_http2() && self.started() > 0
    }
}

/// Keeps a connection busy until it is dropped.
pub(crate) struct BusyGuard(ConnectionState);

impl Drop for BusyGuard {
    fn drop(&mut self) {
        let state = &self.0.0;
        state.requests.fetch_sub(1, Ordering::AcqRel);
        state.task.wake();
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
            let state = &self.connection.0;
            state.has_unread_body.store(true, Ordering::Release);
        }
    }
}

/// A response body that keeps its connection busy until it is written or dropped.
pub(crate) struct ResponseBody {
    body: UnsyncBoxBody<Bytes, axum::Error>,
    guard: BusyGuard,
    /// The place of the request among those in flight, if they are counted.
    _permit: Option<OwnedSemaphorePermit>,
    /// Whether this body is counted as untaken.
    is_untaken: bool,
}

impl ResponseBody {
    /// `body`, which holds `guard` and `permit`.
    pub(crate) fn new(
        body: UnsyncBoxBody<Bytes, axum::Error>,
        guard: BusyGuard,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let mut body = Self {
            body,
            guard,
            _permit: permit,
            is_untaken: false,
        };
        // Until hyper asks for the first part.
        body.set_untaken(body.guard.0.is_http2());
        body
    }

    /// Counts this body as untaken, or no longer.
    fn set_untaken(&mut self, is_untaken: bool) {
        if self.is_untaken != is_untaken {
            self.is_untaken = is_untaken;
            let state = &self.guard.0.0;
            if is_untaken {
                state.untaken.fetch_add(1, Ordering::AcqRel);
                // Without room nothing is written, which would wake the task.
                state.task.wake();
            } else {
                state.untaken.fetch_sub(1, Ordering::AcqRel);
            }
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
        // hyper asks for the next part of an HTTP/2 response once it could send this one.
        self.set_untaken(false);
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if matches!(frame, Some(Ok(_))) && self.guard.0.is_http2() {
            self.set_untaken(true);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.set_untaken(false);
    }
}
