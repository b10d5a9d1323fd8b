//! A stream with timeouts: for an idle connection, the head of a request, a
//! client that does not read, and a lingering close.
//!
//! hyper offers one of these, `http1::Builder::header_read_timeout`. Its timer
//! starts when the connection begins to wait for a request (`poll_read_head` of
//! hyper 1.12), not at the first byte of the head, so it bounds idle time and
//! head together: a keep-alive connection would be closed after
//! `header_timeout`, and a head that starts late in the idle time would be cut
//! short. hyper and hyper-util have no idle timeout, no write timeout and no
//! lingering close. So all four are here, and hyper's is off.
//!
//! An HTTP/2 client sends frames at any time, so no byte is the first one of a head.
//! There the idle time goes on until a request has its whole head.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection::ConnectionState;
use super::limits::Limits;
use super::timer::Timer;

/// How long a lingering close reads on.
const LINGER: Duration = Duration::from_secs(2);

/// How long a connection stays open without a request while the service drains: a
/// client that has just connected, or has just got an answer, may be sending one.
pub(super) const LAST_REQUEST: Duration = Duration::from_secs(1);

/// How an HTTP/2 connection begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose reads and writes fail with [`io::ErrorKind::TimedOut`].
pub(crate) struct TimeoutStream<S> {
    stream: S,
    connection: ConnectionState,
    /// How many of the first bytes equal the [`PREFACE`]; `None` once they do not.
    preface: Option<usize>,
    /// How many requests of the connection are known here.
    started: usize,
    /// From the end of a response to the first byte of the next request; on HTTP/2 to
    /// the end of its head.
    idle: Timer,
    /// From the first byte of a request to the end of its head; not on HTTP/2.
    head: Timer,
    /// While the client reads nothing of what was sent.
    write: Timer,
    /// While an HTTP/2 client makes no room for the rest of a response.
    room: Timer,
    /// From the end of a refused request's response.
    linger: Timer,
    is_shut: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> TimeoutStream<S> {
    /// `stream` with the timeouts of `limits`.
    pub(crate) fn new(stream: S, connection: ConnectionState, limits: &Limits) -> Self {
        let (head, idle) = (limits.header_timeout, limits.idle_timeout);
        let unread = "the client did not read its response in time";
        Self {
            stream,
            connection,
            preface: Some(0),
            started: 0,
            idle: Timer::new(idle, "no request came in time"),
            head: Timer::new(head, "the head of a request did not arrive in time"),
            write: Timer::new(idle, unread),
            room: Timer::new(idle, unread),
            linger: Timer::new(LINGER, "the client kept sending after its response"),
            is_shut: false,
        }
    }

    /// Bounds how long a write may stay pending.
    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.write.disarm();
            return outcome;
        }
        self.write.arm();
        self.write.poll(cx).map(Err)
    }

    /// Looks for the start of an HTTP/2 connection in its first bytes.
    fn look_for_preface(&mut self, bytes: &[u8]) {
        let Some(seen) = self.preface else { return };
        let rest = &PREFACE[seen..];
        let length = rest.len().min(bytes.len());
        self.preface = (rest[..length] == bytes[..length]).then_some(seen + length);
        if self.preface == Some(PREFACE.len()) {
            self.preface = None;
            self.connection.set_http2();
        }
    }

    /// Stops the timers of a request's arrival once its head has ended. hyper may read
    /// its head, answer and flush without a read in between.
    fn notice_requests(&mut self) {
        let started = self.connection.started();
        if started != self.started {
            self.started = started;
            self.idle.disarm();
            self.head.disarm();
        }
    }

    /// Runs the idle timer, which is short while the service drains.
    fn idle(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.connection.is_draining() {
            self.idle.shorten(LAST_REQUEST);
        }
        self.idle.arm();
        self.idle.poll(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TimeoutStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.notice_requests();
        let before = buf.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(cx, buf);
        let read = &buf.filled()[before..];
        this.look_for_preface(read);
        let is_http2 = this.connection.is_http2();
        if is_http2 {
            this.connection.register(cx.waker());
        }
        if this.connection.has_untaken_response() {
            this.room.arm();
            if let Poll::Ready(error) = this.room.poll(cx) {
                return Poll::Ready(Err(error));
            }
        } else {
            this.room.disarm();
        }
        if this.connection.is_busy() {
            return outcome;
        }
        if is_http2 {
            this.head.disarm();
        } else if !read.is_empty() {
            this.idle.disarm();
            this.head.arm();
        }
        if outcome.is_ready() {
            return outcome;
        }
        if this.head.is_armed() {
            return this.head.poll(cx).map(Err);
        }
        let error = ready!(this.idle(cx));
        if this.connection.is_draining() {
            // The end of the stream: hyper closes the connection.
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(Err(error))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TimeoutStream<S> {
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

    /// Flushes, and starts the idle timer after a response: hyper flushes last and
    /// then reads only when it is woken, by bytes or by this timer.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.notice_requests();
        if !this.connection.is_busy()
            && !this.head.is_armed()
            && let Poll::Ready(error) = this.idle(cx)
        {
            if !this.connection.is_draining() {
                return Poll::Ready(Err(error));
            }
            // The next read ends the connection.
            cx.waker().wake_by_ref();
        }
        let outcome = Pin::new(&mut this.stream).poll_flush(cx);
        this.written(cx, outcome)
    }

    /// Closes the writing half. If the client may still be sending, this reads on for
    /// [`LINGER`]: closing a socket with unread bytes resets the connection, and the
    /// client could lose the response.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.is_shut {
            let outcome = Pin::new(&mut this.stream).poll_shutdown(cx);
            ready!(this.written(cx, outcome))?;
            this.is_shut = true;
        }
        if !(this.connection.has_unread_body() || this.connection.is_leaving()) {
            return Poll::Ready(Ok(()));
        }
        this.linger.arm();
        // Polled before the reads, which a client that never pauses keeps ready.
        if this.linger.poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut sink = [0; 16 << 10];
        loop {
            let mut sink = ReadBuf::new(&mut sink);
            let outcome = ready!(Pin::new(&mut this.stream).poll_read(cx, &mut sink));
            if outcome.is_err() || sink.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
