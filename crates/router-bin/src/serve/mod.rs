//! The HTTP service.

mod admin;
mod app;
mod body;
mod cache_headers;
mod connection;
mod endpoints;
mod invalidation;
mod limits;
mod listener;
mod metrics;
mod pages;
mod problem;
mod prometheus;
mod refresh;
mod reload;
mod route;
pub(crate) mod snapshots;
mod stats;
mod timeout_stream;
mod watch;

pub(crate) use app::App;
pub(crate) use endpoints::endpoints;
pub(crate) use limits::Limits;
pub(crate) use listener::serve;
pub(crate) use watch::watch;
