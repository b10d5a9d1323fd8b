//! A TCP stream with timeouts: for an idle connection, the head of a request, a
//! client that does not read, and a lingering close.
//!
//! hyper offers one of these, `http1::Builder::header_read_timeout`. Its timer
//! starts when the connection begins to wait for a request (`poll_read_head` of
//! hyper 1.12), not at the first byte of the head, so it bounds idle time and
//! head together: a keep-alive connection would be closed after
//! `header_timeout`, and a head that starts late in the idle time would be cut
//! short. hyper and hyper-util have no idle timeout, no write timeout and no
//! lingering close. So all four are here, and hyper's is off.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::connection::ConnectionState;
use super::limits::Limits;

/// How long a lingering close reads on.
const LINGER: Duration = Duration::from_secs(2);

/// A timer that can be armed and disarmed.
struct Timer {
    timeout: Duration,
    armed: Option<Pin<Box<Sleep>>>,
    reason: &'static str,
}

impl Timer {
    fn new(timeout: Duration, reason: &'static str) -> Self {
        Self {
            timeout,
            armed: None,
            reason,
        }
    }

    /// Starts the timer; one that is running goes on.
    fn arm(&mut self) {
        if self.armed.is_none() {
            self.armed = Some(Box::pin(sleep_until(Instant::now() + self.timeout)));
        }
    }

    fn disarm(&mut self) {
        self.armed = None;
    }

    fn is_armed(&self) -> bool {
        self.armed.is_some()
    }

    /// Ready with an error once the running timer has expired.
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

/// A connection whose reads and writes fail with [`io::ErrorKind::TimedOut`].
pub(crate) struct TimeoutStream {
    stream: TcpStream,
    connection: ConnectionState,
    /// From the end of a response to the first byte of the next request.
    idle: Timer,
    /// From the first byte of a request to the end of its head.
    head: Timer,
    /// While the client reads nothing of a response.
    write: Timer,
    /// From the end of a refused request's response.
    linger: Timer,
    is_shut: bool,
}

impl TimeoutStream {
    /// `stream` with the timeouts of `limits`.
    pub(crate) fn new(stream: TcpStream, connection: ConnectionState, limits: &Limits) -> Self {
        let (head, idle) = (limits.header_timeout, limits.idle_timeout);
        Self {
            stream,
            connection,
            idle: Timer::new(idle, "no request came in time"),
            head: Timer::new(head, "the head of a request did not arrive in time"),
            write: Timer::new(idle, "the client did not read its response in time"),
            linger: Timer::new(LINGER, "the client kept sending after its response"),
            is_shut: false,
        }
    }

    /// Bounds how long a write may stay pending.
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

impl AsyncRead for TimeoutStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        let outcome = Pin::new(&mut this.stream).poll_read(cx, buf);
        if this.connection.is_busy() {
            this.idle.disarm();
            this.head.disarm();
            return outcome;
        }
        if buf.filled().len() > before {
            this.idle.disarm();
            this.head.arm();
        }
        if outcome.is_ready() {
            return outcome;
        }
        if this.head.is_armed() {
            return this.head.poll(cx).map(Err);
        }
        this.idle.arm();
        this.idle.poll(cx).map(Err)
    }
}

impl AsyncWrite for TimeoutStream {
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
        if !this.connection.is_busy() && !this.head.is_armed() {
            this.idle.arm();
            if let Poll::Ready(error) = this.idle.poll(cx) {
                return Poll::Ready(Err(error));
            }
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    /// Closes the writing half. If the client may still be sending a body, this
    /// reads on for [`LINGER`]: closing a socket with unread bytes resets the
    /// connection, and the client could lose the response.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.is_shut {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.is_shut = true;
        }
        if !this.connection.has_unread_body() {
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
