//! `router serve`: runs the HTTP service until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures_util::future::join_all;
use live_data::BreakerState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

use super::log::Log;
use super::startup::runtime;
use crate::auth::Authenticator;
use crate::config::Config;
use crate::exit::{Code, Failure, written};
use crate::serve::{
    App, Audit, Endpoints, Identifiers, Limits, Listener, Manager, Outputs, Phase, Sockets, Stop,
    Tls, endpoints, reload_by, snapshots, watch, watchdog,
};
use crate::setup::{self, Assembly};
use crate::source;

/// The period and the budget of cache maintenance: up to 100,000 expired entries a
/// second, a few milliseconds of work each time.
const MAINTENANCE_PERIOD: Duration = Duration::from_millis(100);
const MAINTENANCE_BUDGET: usize = 10_000;

/// How long the end of the service waits for the audit log to be written.
const AUDIT_FLUSH_TIME: Duration = Duration::from_secs(5);

/// Serves over HTTP; the default without a command.
#[derive(Args, Debug, Default)]
pub(crate) struct ServeArgs {
    /// The address and port to listen on, instead of the configured ones; with
    /// port 0 the system chooses a free port.
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
pub(super) fn run(mut config: Config, args: &ServeArgs, log: &Log) -> Result<(), Failure> {
    // First, as it changes the environment, which other threads may read.
    let unusable = |error: std::io::Error| {
        let message = format_args!("cannot take the sockets that were passed: {error}");
        Failure::new(Code::Unavailable, message)
    };
    let sockets = Sockets::passed().map_err(unusable)?;
    if let Some(listen) = args.listen {
        config.listen_on("--listen", listen);
    }
    // Checked below like configured addresses.
    let [public, admin] = sockets.addresses().map_err(unusable)?;
    config.listens_on_passed(public, admin);
    let auth = Authenticator::open(&config).map_err(|error| Failure::new(Code::Config, error))?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let tls = tls(&config)?;
    let outputs = Outputs {
        audit: Audit::open(&config.audit)?,
        identifiers: Identifiers::new(&config.privacy)?,
        dropped_lines: log.dropped_lines.clone(),
    };
    let assembly = Assembly::serving(&config)?;
    tracing::info!(source = source::name(&config), "records");
    let service = listen(config, auth, assembly, outputs.clone(), sockets, tls);
    let outcome = runtime()?.block_on(service);
    outputs.audit.flush(AUDIT_FLUSH_TIME);
    outcome
}

/// Reads the certificate and the key.
fn tls(config: &Config) -> Result<Option<Tls>, Failure> {
    let files = &config.server.tls;
    match (&files.certificate, &files.key) {
        (Some(certificate), Some(key)) => Tls::load(certificate, key)
            .map(Some)
            .map_err(|problem| Failure::new(Code::Config, problem)),
        _ => Ok(None),
    }
}

async fn listen(
    config: Config,
    auth: Authenticator,
    assembly: Assembly,
    outputs: Outputs,
    sockets: Sockets,
    tls: Option<Tls>,
) -> Result<(), Failure> {
    let limits = limits(&config);
    let listeners = listeners(&config, limits, sockets, tls.as_ref()).await?;
    let unavailable = |error: std::io::Error| {
        Failure::new(
            Code::Unavailable,
            format_args!("cannot wait for signals: {error}"),
        )
    };
    let mut signals = Signals::new().map_err(unavailable)?;
    let hangups = signal(SignalKind::hangup()).map_err(unavailable)?;
    let (phase, stop) = Stop::channel();
    let watched = watched(&config);
    let period = config.server.watch_files.get();
    let snapshot = config.cache.snapshot.clone();
    let lame_duck = config.server.lame_duck.get();
    let app = App::new(assembly, config, auth, limits, outputs, stop.clone());
    let manager = Arc::new(Manager::default());
    let mut background = JoinSet::new();
    background.spawn(maintain(app.clone()));
    background.spawn(keep_keys(app.clone()));
    if let Some(changes) = app.changes() {
        let app = app.clone();
        background.spawn(changes.follow(move || app.router()));
    }
    background.spawn(watchdog());
    let on_hangup = reload_on_hangup(app.clone(), tls.clone(), Arc::clone(&manager), hangups);
    background.spawn(on_hangup);
    if !(watched.is_empty() || period.is_zero()) {
        let app = app.clone();
        background.spawn(watch(watched, period, move || {
            let app = app.clone();
            async move { reload_by(&app, "file change").await }
        }));
    }
    let (every, max_down) = (snapshot.every.get(), snapshot.max_down.get());
    background.spawn(snapshots::keep(app.clone(), every, max_down));
    if let Some(tls) = tls
        && !period.is_zero()
    {
        background.spawn(watch(tls.files(), period, move || {
            let tls = tls.clone();
            async move { tls.reload().await }
        }));
    }
    written(announce(&listeners))?;
    let ready = {
        let (app, manager) = (app.clone(), Arc::clone(&manager));
        async move { manager.when_ready(&app).await }
    };
    background.spawn(ready);
    let serving = listeners.into_iter().map(|(of, listener)| {
        listener.serve(endpoints(app.for_another_listener(), of), stop.clone())
    });
    let stopping = async {
        signals.next().await;
        tracing::info!("stopping after the requests in flight; a second signal aborts them");
        manager.stopping();
        phase.send_replace(Phase::LameDuck);
        tokio::select! {
            () = tokio::time::sleep(lame_duck) => {}
            () = signals.next() => return,
        }
        phase.send_replace(Phase::Draining);
        signals.next().await;
    };
    tokio::select! {
        _ = join_all(serving) => {}
        () = stopping => {
            tracing::warn!("second signal: aborting the requests in flight");
        }
    }
    background.abort_all();
    snapshots::stop(app).await;
    Ok(())
}

/// The public listener, and that for administration if there is one.
async fn listeners(
    config: &Config,
    limits: Limits,
    mut sockets: Sockets,
    tls: Option<&Tls>,
) -> Result<Vec<(Endpoints, Listener)>, Failure> {
    let server = &config.server;
    let cannot = |address: SocketAddr, remedy: &'static str| {
        move |error: std::io::Error| {
            let message =
                format_args!("cannot listen on {address}: {error}; choose another {remedy}");
            Failure::new(Code::Unavailable, message)
        }
    };
    let public = sockets.public(server.listen).await;
    let public = public.map_err(cannot(server.listen, "with --listen or [server] listen"))?;
    let admin = sockets.admin(server.admin.listen).await;
    let admin = admin.map_err(cannot(
        server.admin.listen.unwrap_or(server.listen),
        "with [server.admin] listen",
    ))?;
    let of_public = if admin.is_some() {
        Endpoints::Public
    } else {
        Endpoints::All
    };
    let listener = |(socket, is_passed), most: u64, setting| Listener {
        socket,
        is_passed,
        tls: tls.cloned(),
        limits,
        max_connections: bounded(most),
        setting,
    };
    let most = server.max_connections.get();
    let public = listener(public, most, "[server] max_connections");
    let most = server.admin.max_connections.get();
    let admin = admin.map(|socket| listener(socket, most, "[server.admin] max_connections"));
    let public = std::iter::once((of_public, public));
    let admin = admin.map(|admin| (Endpoints::Administration, admin));
    Ok(public.chain(admin).collect())
}

/// The files to watch. Others than regular ones, such as pipes, cannot be read
/// again.
fn watched(config: &Config) -> Vec<PathBuf> {
    let (regular, others): (Vec<_>, Vec<_>) = setup::files(config)
        .into_iter()
        .partition(|file| file.is_file());
    for file in others {
        tracing::warn!(file = %file.display(), "not a regular file, so it is not watched");
    }
    regular
}

/// Reopens the audit log and reloads everything that can be reloaded at every SIGHUP.
async fn reload_on_hangup(app: App, tls: Option<Tls>, manager: Arc<Manager>, mut hangups: Signal) {
    while hangups.recv().await.is_some() {
        app.audit().reopen();
        let reloads = async {
            reload_by(&app, "SIGHUP").await;
            if let Some(tls) = &tls {
                tls.reload().await;
            }
        };
        manager.reloading(reloads).await;
    }
}

/// Prints the addresses of the service, which callers need if the system chose the
/// ports.
fn announce(listeners: &[(Endpoints, Listener)]) -> std::io::Result<()> {
    use std::io::Write;
    let mut stdout = std::io::stdout().lock();
    for (of, listener) in listeners {
        let scheme = if listener.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let address = listener.socket.local_addr()?;
        let what = match of {
            Endpoints::All => " (dashboard)",
            Endpoints::Public => "",
            Endpoints::Administration => " (administration, dashboard)",
        };
        writeln!(stdout, "listening on {scheme}://{address}/{what}")?;
    }
    stdout.flush()
}

/// A number of the settings as a size in memory.
pub(super) fn bounded(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn limits(config: &Config) -> Limits {
    let server = &config.server;
    let max_body = bounded(server.max_body.get());
    Limits {
        max_body,
        // Otherwise the largest body could never be read.
        max_bodies: bounded(server.max_bodies.get()).max(max_body),
        max_message: bounded(server.max_message.get()),
        max_streams: bounded(server.max_streams.get()),
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

/// Keeps the keys of JSON Web Tokens up to date.
async fn keep_keys(app: App) {
    app.auth().keep_keys().await;
}

/// Logs that the source's circuit breaker opened, or that it closed again. Probes in
/// between are not logged.
fn log_change(before: &mut BreakerState, now: BreakerState) {
    let was_closed = *before == BreakerState::Closed;
    match now {
        BreakerState::Closed if !was_closed => {
            tracing::info!("the source of records answers again; its circuit breaker is closed");
        }
        BreakerState::Open | BreakerState::HalfOpen if was_closed => {
            tracing::warn!("the source of records fails; its circuit breaker is open");
        }
        _ => {}
    }
    *before = now;
}

/// Removes expired entries periodically, a bounded number at a time, and permits past
/// their deadlines; logs changes of the source's circuit breaker.
async fn maintain(app: App) {
    let mut ticks = tokio::time::interval(MAINTENANCE_PERIOD);
    let mut breaker = BreakerState::Closed;
    loop {
        ticks.tick().await;
        app.cache().maintain(MAINTENANCE_BUDGET);
        log_change(&mut breaker, app.source().guard.breaker);
        app.cache_aside().expire();
    }
}
