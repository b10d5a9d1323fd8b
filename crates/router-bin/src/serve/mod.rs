//! The HTTP service.

mod admin;
mod admission;
mod app;
mod audit;
mod body;
mod cache_headers;
mod connection;
mod endpoints;
mod erase;
mod hosts;
mod identifiers;
mod limits;
mod listener;
mod metrics;
mod pages;
mod problem;
mod prometheus;
mod refresh;
mod reload;
mod request_id;
mod route;
mod selectors;
mod stats;
mod timeout_stream;
mod watch;

pub(crate) use app::{App, Outputs};
pub(crate) use audit::Audit;
pub(crate) use endpoints::endpoints;
pub(crate) use identifiers::Identifiers;
pub(crate) use limits::Limits;
pub(crate) use listener::serve;
pub(crate) use watch::watch;
