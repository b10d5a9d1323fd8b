//! The state shared by all handlers.

use std::sync::{Arc, PoisonError, RwLock};

use intent_router::{CacheService, Diagnostic, Router};
use serde::Serialize;
use tokio::sync::{Mutex, Semaphore};
use tracing_appender::non_blocking::ErrorCounter;

use super::audit::Audit;
use super::budget::BodyBudget;
use super::cache_aside::state::CacheAside;
use super::hosts::Hosts;
use super::identifiers::Identifiers;
use super::limits::Limits;
use super::metrics::Metrics;
use super::refresh;
use super::stop::Stop;
use super::turns::Turns;
use crate::auth::Authenticator;
use crate::changes::Changes;
use crate::config::Config;
use crate::setup::{self, Assembly, SourceFigures};
use crate::snapshot::Snapshots;

/// The most problems of a failed reload that are logged.
const MOST_LOGGED: usize = 50;

/// The outcome of a reload.
#[derive(Debug, Serialize)]
pub(crate) struct Reloaded {
    /// Whether anything changed.
    pub(crate) reloaded: bool,
    /// The number of intents now.
    pub(crate) intents: usize,
    /// The files that were read.
    pub(crate) files: Vec<String>,
}

/// What the service tells its operators, and how.
#[derive(Clone)]
pub(crate) struct Outputs {
    /// The audit log.
    pub(crate) audit: Audit,
    /// How identifiers of people are written.
    pub(crate) identifiers: Identifiers,
    /// Counts the lines of the log that were dropped.
    pub(crate) dropped_lines: ErrorCounter,
}

/// The shared state of the service.
#[derive(Clone)]
pub(crate) struct App {
    shared: Arc<Shared>,
    /// The memory for the request bodies of a listener.
    bodies: BodyBudget,
}

struct Shared {
    /// The assembly for new requests. The lock is held only to copy or swap the
    /// pointer.
    current: RwLock<Arc<Assembly>>,
    /// The cache of the current router and of all later ones.
    cache: Arc<CacheService>,
    config: Config,
    /// Held during a reload, so that only one runs at a time.
    reloading: Arc<Mutex<()>>,
    auth: Authenticator,
    invalidations: Turns,
    metrics: Arc<Metrics>,
    cache_aside: CacheAside,
    limits: Limits,
    streams: Arc<Semaphore>,
    hosts: Hosts,
    outputs: Outputs,
    stop: Stop,
}

impl App {
    /// The state of a service that starts with `assembly`, built from `config`, and
    /// identifies its callers by `auth`.
    pub(crate) fn new(
        assembly: Assembly,
        config: Config,
        auth: Authenticator,
        limits: Limits,
        outputs: Outputs,
        stop: Stop,
    ) -> Self {
        let metrics = Arc::new(Metrics::new());
        let spawn = refresh::spawner(Arc::clone(&metrics), &limits);
        let server = &config.server;
        let listen = [Some(server.listen), server.admin.listen];
        let listen = listen.into_iter().flatten().map(|address| address.ip());
        let hosts = Hosts::new(listen.collect(), server.hosts.clone());
        let shared = Shared {
            cache: Arc::clone(assembly.router().cache()),
            current: RwLock::new(Arc::new(assembly.map(|router| router.with_spawn(spawn)))),
            cache_aside: CacheAside::new(
                &config.cache.aside,
                limits.request_timeout,
                config.source.deadline.get(),
            ),
            config,
            reloading: Arc::default(),
            auth,
            invalidations: Turns::default(),
            metrics,
            limits,
            streams: Arc::new(Semaphore::new(limits.max_streams)),
            hosts,
            outputs,
            stop,
        };
        Self {
            shared: Arc::new(shared),
            bodies: BodyBudget::new(limits.max_bodies),
        }
    }

    /// The current router. Each request takes it once, so a reload does not affect
    /// requests in flight.
    pub(crate) fn router(&self) -> Arc<Router> {
        Arc::clone(self.current().router())
    }

    /// The current assembly. A poisoned lock still guards a valid pointer, as it is
    /// swapped in one step.
    fn current(&self) -> Arc<Assembly> {
        let current = self.shared.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }

    /// Re-reads the files that the configuration names and swaps in a new assembly
    /// if they changed, which affects later requests. Reloads run one at a time, and
    /// finish even if the returned future is dropped.
    ///
    /// # Errors
    /// Everything that is wrong with the files; the current assembly stays.
    pub(crate) async fn reload(&self) -> Result<Reloaded, Vec<Diagnostic>> {
        let app = self.clone();
        let span = tracing::Span::current();
        // In a task of its own from the wait for its turn on, which a request that ends
        // in the meantime does not stop.
        let task = async move {
            let turn = Arc::clone(&app.shared.reloading).lock_owned().await;
            let work = tokio::task::spawn_blocking(move || {
                let _entered = span.entered();
                let outcome = app.rebuild();
                app.record(&outcome);
                drop(turn);
                outcome
            });
            work.await
        };
        match tokio::spawn(task).await {
            Ok(Ok(outcome)) => outcome,
            _ => {
                // The panic hook has logged where.
                let bug = Diagnostic::error("the reload panicked; this is a bug in this program");
                let outcome = Err(vec![bug]);
                self.record(&outcome);
                outcome
            }
        }
    }

    /// Counts and logs the outcome of a reload.
    fn record(&self, outcome: &Result<Reloaded, Vec<Diagnostic>>) {
        match outcome {
            Ok(done) if done.reloaded => tracing::info!(intents = done.intents, "reloaded"),
            Ok(_) => tracing::debug!("not reloaded: no file has changed"),
            Err(problems) => {
                for problem in problems.iter().take(MOST_LOGGED) {
                    tracing::error!(%problem, "not reloaded; the service keeps its catalogue and detector");
                }
                if problems.len() > MOST_LOGGED {
                    tracing::error!("not reloaded: {} problems in total", problems.len());
                }
            }
        }
        let changed = outcome.as_ref().map(|done| done.reloaded);
        self.metrics().reloaded(changed.ok());
    }

    /// Builds a new assembly from the files, if they changed, and swaps it in.
    fn rebuild(&self) -> Result<Reloaded, Vec<Diagnostic>> {
        let current = self.current();
        let next = current.rebuilt(&self.shared.config)?;
        let files = setup::files(&self.shared.config);
        let is_new = next.is_some();
        let next = next.map_or(current, Arc::new);
        let done = Reloaded {
            reloaded: is_new,
            intents: next.router().catalogue().intents().len(),
            files: files
                .iter()
                .map(|file| file.display().to_string())
                .collect(),
        };
        let current = &self.shared.current;
        let mut current = current.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *current, next);
        // Frees the old assembly after releasing the lock.
        drop(current);
        drop(before);
        Ok(done)
    }

    /// What the source of records did. A reload keeps its figures.
    pub(crate) fn source(&self) -> SourceFigures {
        self.current().figures()
    }

    /// Whether the intents are served as tools of agents.
    pub(crate) fn serves_mcp(&self) -> bool {
        self.shared.config.mcp.enabled
    }

    /// Whether the configuration names a snapshot. Another process may keep it.
    pub(crate) fn has_snapshot_file(&self) -> bool {
        self.shared.config.cache.snapshot.file.is_some()
    }

    /// The snapshot of the stored answers, if this process keeps one.
    pub(crate) fn snapshots(&self) -> Option<Arc<Snapshots>> {
        self.current().snapshots().cloned()
    }

    /// The changes of the database, if they are followed.
    pub(crate) fn changes(&self) -> Option<Arc<Changes>> {
        self.current().changes().cloned()
    }

    /// The turns of invalidations.
    pub(super) fn invalidations(&self) -> &Turns {
        &self.shared.invalidations
    }

    pub(crate) fn cache(&self) -> &CacheService {
        &self.shared.cache
    }

    pub(crate) fn auth(&self) -> &Authenticator {
        &self.shared.auth
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    pub(crate) fn cache_aside(&self) -> &CacheAside {
        &self.shared.cache_aside
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// The same service for another listener, whose request bodies have a memory of
    /// their own: a flood of one listener leaves the other reachable.
    pub(crate) fn for_another_listener(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            bodies: BodyBudget::new(self.limits().max_bodies),
        }
    }

    /// The memory for request bodies.
    pub(crate) fn bodies(&self) -> &BodyBudget {
        &self.bodies
    }

    /// The places for streams of statistics.
    pub(crate) fn streams(&self) -> &Arc<Semaphore> {
        &self.shared.streams
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.shared.stop
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.shared.hosts
    }

    pub(crate) fn audit(&self) -> &Audit {
        &self.shared.outputs.audit
    }

    pub(crate) fn identifiers(&self) -> &Identifiers {
        &self.shared.outputs.identifiers
    }

    /// How many lines of the log were dropped, as they came faster than they could
    /// be written.
    pub(crate) fn dropped_lines(&self) -> usize {
        self.shared.outputs.dropped_lines.dropped_lines()
    }
}
