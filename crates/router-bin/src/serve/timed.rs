//! Time-outs that the HTTP library does not tell apart: for the head of a
//! request, for a connection without one, for a client that does not read.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// Whether a request is being answered on a connection: set when its head has
/// been read, cleared when its response has been written.
#[derive(Clone, Default)]
pub(crate) struct Busy(Arc<AtomicBool>);

impl Busy {
    /// Marks the connection busy until the mark is dropped.
    pub(crate) fn mark(&self) -> BusyMark {
        self.0.store(true, Ordering::Relaxed);
        BusyMark(Arc::clone(&self.0))
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A request that is being answered.
pub(crate) struct BusyMark(Arc<AtomicBool>);

impl Drop for BusyMark {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
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

/// A deadline that is armed and disarmed as a connection goes along.
struct Deadline {
    after: Duration,
    armed: Option<Pin<Box<Sleep>>>,
    reason: &'static str,
}

impl Deadline {
    fn new(after: Duration, reason: &'static str) -> Self {
        Self {
            after,
            armed: None,
            reason,
        }
    }

    fn arm(&mut self) {
        if self.armed.is_none() {
            self.armed = Some(Box::pin(sleep_until(Instant::now() + self.after)));
        }
    }

    fn disarm(&mut self) {
        self.armed = None;
    }

    /// Ready with the error once an armed deadline has passed.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        match &mut self.armed {
            Some(sleep) => {
                ready!(sleep.as_mut().poll(cx));
                Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, self.reason))
            }
            None => Poll::Pending,
        }
    }
}

/// A connection with deadlines. A head must be whole within its time from its
/// first byte on; what is written must be taken within its time.
///
/// The time that a connection may be idle is the HTTP library's to measure: it
/// knows where a head begins even when its first bytes came with the request
/// before.
pub(crate) struct TimedStream {
    stream: TcpStream,
    busy: Busy,
    head: Deadline,
    write: Deadline,
}

impl TimedStream {
    /// `stream`, on which a head takes at most `head`, and a write `write`.
    pub(crate) fn new(stream: TcpStream, busy: Busy, head: Duration, write: Duration) -> Self {
        Self {
            stream,
            busy,
            head: Deadline::new(head, "the head of a request did not arrive in time"),
            write: Deadline::new(write, "the client did not read its response in time"),
        }
    }

    fn written(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if outcome.is_ready() {
            self.write.disarm();
            return outcome;
        }
        self.write.arm();
        self.write.poll(cx).map(Err)
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(cx, buf);
        if this.busy.is_set() {
            this.head.disarm();
            return outcome;
        }
        if buf.filled().len() > before {
            this.head.arm();
        }
        match outcome {
            Poll::Ready(outcome) => Poll::Ready(outcome),
            Poll::Pending => this.head.poll(cx).map(Err),
        }
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
