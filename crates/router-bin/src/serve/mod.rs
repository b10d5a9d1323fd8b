//! The service over HTTP.

mod admin;
mod app;
mod body;
mod cache_headers;
mod endpoints;
mod exchange;
mod listener;
mod metrics;
mod pages;
mod problem;
mod prometheus;
mod refresh;
mod reload;
mod route;
mod stats;
mod timed;
mod watch;

use std::time::Duration;

pub(crate) use app::App;
pub(crate) use endpoints::endpoints;
pub(crate) use listener::serve;
pub(crate) use watch::watch;

/// What a client may take of the service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most bytes of a request body.
    pub(crate) max_body: usize,
    /// The most bytes of a message.
    pub(crate) max_message: usize,
    /// The most connections at the same time.
    pub(crate) max_connections: usize,
    /// How long a client has to send a request's head, from its first byte on.
    pub(crate) header_timeout: Duration,
    /// How long a connection may be without a request, and how long a client
    /// may leave a response unread.
    pub(crate) idle_timeout: Duration,
    /// How long a client has to send a request's body.
    pub(crate) body_timeout: Duration,
    /// How long a request may take to be answered.
    pub(crate) request_timeout: Duration,
    /// How many stored answers are made anew at the same time.
    pub(crate) max_refreshes: usize,
    /// How long requests under way may take once the service was told to stop.
    pub(crate) shutdown_deadline: Duration,
}
