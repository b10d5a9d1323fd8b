//! The limits of the service.

use std::time::Duration;

/// Limits of the service in size, number and time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of a request body.
    pub(crate) max_body: usize,
    /// Bytes of all request bodies together.
    pub(crate) max_bodies: usize,
    /// Bytes of a message.
    pub(crate) max_message: usize,
    /// Open streams of statistics.
    pub(crate) max_streams: usize,
    /// Time for a request's head, from its first byte on.
    pub(crate) header_timeout: Duration,
    /// Time without a request, and time for a client to read a response.
    pub(crate) idle_timeout: Duration,
    /// Time for a request's body.
    pub(crate) body_timeout: Duration,
    /// Time to answer a request.
    pub(crate) request_timeout: Duration,
    /// Concurrent background refreshes of stored answers.
    pub(crate) max_refreshes: usize,
    /// Time for requests in flight to finish at shutdown.
    pub(crate) shutdown_deadline: Duration,
}
