//! Time-outs that the HTTP library does not tell apart: for the head of a
//! request, for a connection without one, for a client that does not read,
//! and for one that sends on after it was answered.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::Limits;
use super::exchange::Exchange;

/// How long a client that sends on after it was answered is listened to.
const LINGER: Duration = Duration::from_secs(2);

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

    fn is_armed(&self) -> bool {
        self.armed.is_some()
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

/// A connection with deadlines. A request must begin within its time, its head
/// be whole within its time from its first byte on, and what is written must
/// be taken within its time.
pub(crate) struct TimedStream {
    stream: TcpStream,
    exchange: Exchange,
    idle: Deadline,
    head: Deadline,
    write: Deadline,
    linger: Deadline,
    is_shut: bool,
}

impl TimedStream {
    /// `stream` with the deadlines of `limits`.
    pub(crate) fn new(stream: TcpStream, exchange: Exchange, limits: &Limits) -> Self {
        let (head, idle) = (limits.header_timeout, limits.idle_timeout);
        Self {
            stream,
            exchange,
            idle: Deadline::new(idle, "no request came in time"),
            head: Deadline::new(head, "the head of a request did not arrive in time"),
            write: Deadline::new(idle, "the client did not read its response in time"),
            linger: Deadline::new(LINGER, "the client sent on after it was answered"),
            is_shut: false,
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
        if this.exchange.is_busy() {
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

    /// Flushes. The HTTP library does so last, after a response, and then
    /// reads only once it is woken: by bytes, or by the time that is set here.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.exchange.is_busy() && !this.head.is_armed() {
            this.idle.arm();
            if let Poll::Ready(error) = this.idle.poll(cx) {
                return Poll::Ready(Err(error));
            }
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    /// Closes the writing half. Where the client may still be sending a body
    /// that nobody wants, it then reads on for a while: closing a socket with
    /// unread bytes resets the connection, and the client might never come to
    /// read its answer.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.is_shut {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.is_shut = true;
        }
        if !this.exchange.has_unread() {
            return Poll::Ready(Ok(()));
        }
        this.linger.arm();
        // Asked first: a client that never pauses must not postpone its end.
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
