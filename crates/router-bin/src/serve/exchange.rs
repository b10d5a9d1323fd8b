//! What the service tells the stream below it of the request under way.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// What is going on on a connection, as the service sees it. One request at a
/// time is answered.
#[derive(Clone, Default)]
pub(crate) struct Exchange(Arc<Flags>);

#[derive(Default)]
struct Flags {
    /// Set when a request's head has been read, cleared when its response has
    /// been written.
    busy: AtomicBool,
    /// Set when the last request was answered before its body had been read.
    unread: AtomicBool,
}

impl Exchange {
    /// Begins with a request: marks the connection busy until the mark is
    /// dropped, and watches whether `body` is read to its end.
    pub(crate) fn begin(&self, body: Incoming) -> (BusyMark, WatchedBody) {
        self.0.busy.store(true, Ordering::Relaxed);
        self.0.unread.store(false, Ordering::Relaxed);
        let body = WatchedBody {
            body,
            ended: false,
            exchange: self.clone(),
        };
        (BusyMark(self.clone()), body)
    }

    /// Whether a request is being answered.
    pub(crate) fn is_busy(&self) -> bool {
        self.0.busy.load(Ordering::Relaxed)
    }

    /// Whether the last request was answered without its body, of which more may
    /// still come.
    pub(crate) fn has_unread(&self) -> bool {
        self.0.unread.load(Ordering::Relaxed)
    }
}

/// A request that is being answered.
pub(crate) struct BusyMark(Exchange);

impl Drop for BusyMark {
    fn drop(&mut self) {
        (self.0).0.busy.store(false, Ordering::Relaxed);
    }
}

/// A request's body, which tells its connection when it is given up unread.
pub(crate) struct WatchedBody {
    body: Incoming,
    ended: bool,
    exchange: Exchange,
}

impl Body for WatchedBody {
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

impl Drop for WatchedBody {
    fn drop(&mut self) {
        if !self.ended && !self.body.is_end_stream() {
            self.exchange.0.unread.store(true, Ordering::Relaxed);
        }
    }
}

/// A response body that keeps its connection marked busy while it is written.
pub(crate) struct MarkedBody {
    body: UnsyncBoxBody<Bytes, axum::Error>,
    _mark: BusyMark,
}

impl MarkedBody {
    /// `body`, which keeps `mark` until it is written or given up.
    pub(crate) fn new(body: UnsyncBoxBody<Bytes, axum::Error>, mark: BusyMark) -> Self {
        Self { body, _mark: mark }
    }
}

impl Body for MarkedBody {
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
