//! The HTTP service.

mod admin;
mod app;
mod body;
mod budget;
mod cache_headers;
mod closing;
mod connection;
mod endpoints;
mod limits;
mod listener;
mod metrics;
mod pages;
mod problem;
mod prometheus;
mod refresh;
mod reload;
mod route;
mod serving;
mod sockets;
mod stats;
mod stop;
mod systemd;
mod timeout_stream;
mod timer;
mod tls;
mod watch;

pub(crate) use app::App;
pub(crate) use endpoints::{Endpoints, endpoints};
pub(crate) use limits::Limits;
pub(crate) use listener::Listener;
pub(crate) use sockets::Sockets;
pub(crate) use stop::{Phase, Stop};
pub(crate) use systemd::{Manager, watchdog};
pub(crate) use tls::Tls;
pub(crate) use watch::watch;
