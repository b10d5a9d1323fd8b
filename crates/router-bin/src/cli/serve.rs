//! `router serve`: runs the HTTP service until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch as channel;
use tokio::task::JoinSet;

use super::startup::runtime;
use crate::config::Config;
use crate::exit::{Code, Failure, written};
use crate::serve::{App, Limits, endpoints, serve, snapshots, watch};
use crate::setup::{self, Assembly};

/// The period and the budget of cache maintenance: up to 100,000 expired entries a
/// second, a few milliseconds of work each time.
const MAINTENANCE_PERIOD: Duration = Duration::from_millis(100);
const MAINTENANCE_BUDGET: usize = 10_000;

/// Serves over HTTP; what `router` alone does too.
#[derive(Args, Debug, Default)]
pub(crate) struct ServeArgs {
    /// The address and port to listen on, in the place of the configuration's;
    /// port 0 lets the system choose.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

impl ServeArgs {
    /// Whether an option was given.
    pub(super) fn given(&self) -> bool {
        self.listen.is_some()
    }

    /// These options, completed by those given before the command's name.
    pub(super) fn or(self, before: Self) -> Self {
        Self {
            listen: self.listen.or(before.listen),
        }
    }
}

/// Serves until SIGINT or SIGTERM; a second signal aborts the requests in flight.
pub(super) fn run(mut config: Config, args: &ServeArgs) -> Result<(), Failure> {
    if let Some(listen) = args.listen {
        config.server.listen = listen;
    }
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let assembly = Assembly::serving(&config)?;
    tracing::info!(source = setup::source_name(&config), "records");
    runtime()?.block_on(listen(config, assembly))
}

async fn listen(config: Config, assembly: Assembly) -> Result<(), Failure> {
    let address = config.server.listen;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let remedy = "choose another with --listen or [server] listen";
        Failure::new(
            Code::Unavailable,
            format_args!("cannot listen on {address}: {error}; {remedy}"),
        )
    })?;
    let bound = listener.local_addr().unwrap_or(address);
    let unavailable = |error: std::io::Error| {
        Failure::new(
            Code::Unavailable,
            format_args!("cannot wait for signals: {error}"),
        )
    };
    let mut signals = Signals::new().map_err(unavailable)?;
    let hangups = signal(SignalKind::hangup()).map_err(unavailable)?;
    let (stop, stopping) = channel::channel(false);
    let mut stopped = stopping.clone();
    let limits = limits(&config);
    let watched = watched(&config);
    let period = config.server.watch_files.get();
    let snapshot = config.cache.snapshot.clone();
    let app = App::new(assembly, config, limits, stopping);
    let mut background = JoinSet::new();
    background.spawn(maintain(app.clone()));
    background.spawn(reload_on_hangup(app.clone(), hangups));
    if !(watched.is_empty() || period.is_zero()) {
        background.spawn(watch(app.clone(), watched, period));
    }
    let (every, max_down) = (snapshot.every.get(), snapshot.max_down.get());
    background.spawn(snapshots::keep(app.clone(), every, max_down));
    written(announce(bound))?;
    let serving = serve(listener, endpoints(app.clone()), limits, async {
        // The sender lives as long as this function, so this cannot fail.
        let _ = stopped.wait_for(|stop| *stop).await;
    });
    let second_signal = async {
        signals.next().await;
        tracing::info!("stopping: requests under way are finished");
        stop.send_replace(true);
        signals.next().await;
        tracing::warn!("told to stop again: requests under way are cut off");
    };
    tokio::select! {
        () = serving => {}
        () = second_signal => {}
    }
    background.abort_all();
    snapshots::stop(app).await;
    Ok(())
}

/// The files to watch. Others than regular ones, such as pipes, cannot be read
/// again.
fn watched(config: &Config) -> Vec<PathBuf> {
    let (regular, others): (Vec<_>, Vec<_>) = setup::files(config)
        .into_iter()
        .partition(|file| file.is_file());
    for file in others {
        tracing::warn!(file = %file.display(), "is no regular file, so it is not watched");
    }
    regular
}

/// Reloads at every SIGHUP.
async fn reload_on_hangup(app: App, mut hangups: Signal) {
    while hangups.recv().await.is_some() {
        // `App::reload` logs both outcomes.
        let _ = app.reload().await;
    }
}

/// Prints the address of the service, which callers need if the system chose the
/// port.
fn announce(address: SocketAddr) -> std::io::Result<()> {
    use std::io::Write;
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "listening on http://{address}/ (dashboard)")?;
    stdout.flush()
}

fn limits(config: &Config) -> Limits {
    let server = &config.server;
    let bounded = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Limits {
        max_body: bounded(server.max_body.get()),
        max_message: bounded(server.max_message.get()),
        max_connections: bounded(server.max_connections.get()),
        header_timeout: server.header_timeout.get(),
        idle_timeout: server.idle_timeout.get(),
        body_timeout: server.body_timeout.get(),
        request_timeout: server.request_timeout.get(),
        // More would wait for database connections and take them from requests.
        max_refreshes: bounded(config.source.connections.get()),
        shutdown_deadline: server.shutdown_deadline.get(),
    }
}

/// The signals that stop the service.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Starts to listen for the signals.
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Completes at the next SIGINT or SIGTERM.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Removes expired entries periodically, a bounded number at a time.
async fn maintain(app: App) {
    let mut ticks = tokio::time::interval(MAINTENANCE_PERIOD);
    loop {
        ticks.tick().await;
        app.cache().maintain(MAINTENANCE_BUDGET);
    }
}
