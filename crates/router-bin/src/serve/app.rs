//! The state shared by all handlers.

use std::sync::{Arc, PoisonError, RwLock};

use intent_router::{CacheService, Diagnostic, Router};
use serde::Serialize;
use tokio::sync::{Mutex, Semaphore, watch};

use super::limits::Limits;
use super::metrics::Metrics;
use super::refresh;
use crate::config::Config;
use crate::setup::{self, Assembly};
use crate::snapshot::Snapshots;

/// The most problems of a failed reload that are logged.
const MOST_LOGGED: usize = 50;

/// How many invalidations are made at a time. The others wait in the order in which
/// they came.
const INVALIDATIONS: usize = 2;

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

/// The shared state of the service.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

struct Shared {
    /// The assembly for new requests. The lock is held only to copy or swap the
    /// pointer.
    current: RwLock<Arc<Assembly>>,
    /// The cache of the current router and of all later ones.
    cache: Arc<CacheService>,
    config: Config,
    /// Held during a reload, so that only one runs at a time.
    reloading: Arc<Mutex<()>>,
    /// Bounds how many invalidations are made at a time.
    invalidating: Arc<Semaphore>,
    metrics: Arc<Metrics>,
    limits: Limits,
    stopping: watch::Receiver<bool>,
}

impl App {
    /// The state of a service that starts with `assembly`, built from `config`.
    /// `stopping` becomes true at shutdown, which ends the event streams.
    pub(crate) fn new(
        assembly: Assembly,
        config: Config,
        limits: Limits,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let metrics = Arc::new(Metrics::new());
        let spawn = refresh::spawner(Arc::clone(&metrics), &limits);
        Self(Arc::new(Shared {
            cache: Arc::clone(assembly.router().cache()),
            current: RwLock::new(Arc::new(assembly.map(|router| router.with_spawn(spawn)))),
            config,
            reloading: Arc::default(),
            invalidating: Arc::new(Semaphore::new(INVALIDATIONS)),
            metrics,
            limits,
            stopping,
        }))
    }

    /// The current router. Each request takes it once, so a reload does not affect
    /// requests in flight.
    pub(crate) fn router(&self) -> Arc<Router> {
        Arc::clone(self.current().router())
    }

    /// The current assembly. A poisoned lock still guards a valid pointer, as it is
    /// swapped in one step.
    fn current(&self) -> Arc<Assembly> {
        let current = self.0.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }

    /// Re-reads the files that the configuration names and swaps in a new assembly
    /// if they changed, which affects later requests. Reloads run one at a time, and
    /// finish even if the returned future is dropped.
    ///
    /// # Errors
    /// Everything that is wrong with the files; the current assembly stays.
    pub(crate) async fn reload(&self) -> Result<Reloaded, Vec<Diagnostic>> {
        let turn = Arc::clone(&self.0.reloading).lock_owned().await;
        let app = self.clone();
        let work = tokio::task::spawn_blocking(move || {
            let outcome = app.rebuild();
            app.record(&outcome);
            drop(turn);
            outcome
        });
        work.await.unwrap_or_else(|_| {
            // The panic hook has logged where.
            let bug = Diagnostic::error("the reload panicked, which is a bug of this program");
            let outcome = Err(vec![bug]);
            self.record(&outcome);
            outcome
        })
    }

    /// Counts and logs the outcome of a reload.
    fn record(&self, outcome: &Result<Reloaded, Vec<Diagnostic>>) {
        match outcome {
            Ok(done) if done.reloaded => tracing::info!(intents = done.intents, "reloaded"),
            Ok(_) => tracing::debug!("nothing to reload has changed"),
            Err(problems) => {
                for problem in problems.iter().take(MOST_LOGGED) {
                    tracing::error!(%problem, "not reloaded; the service goes on with what it has");
                }
                if problems.len() > MOST_LOGGED {
                    tracing::error!("not reloaded, for {} problems in all", problems.len());
                }
            }
        }
        let changed = outcome.as_ref().map(|done| done.reloaded);
        self.metrics().reloaded(changed.ok());
    }

    /// Builds a new assembly from the files, if they changed, and swaps it in.
    fn rebuild(&self) -> Result<Reloaded, Vec<Diagnostic>> {
        let current = self.current();
        let next = current.rebuilt(&self.0.config)?;
        let files = setup::files(&self.0.config);
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
        let current = &self.0.current;
        let mut current = current.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *current, next);
        // Frees the old assembly after releasing the lock.
        drop(current);
        drop(before);
        Ok(done)
    }

    /// The snapshot of the stored answers, if the configuration names one.
    pub(crate) fn snapshots(&self) -> Option<Arc<Snapshots>> {
        self.current().snapshots().cloned()
    }

    /// The turns of invalidations.
    pub(super) fn invalidating(&self) -> &Arc<Semaphore> {
        &self.0.invalidating
    }

    pub(crate) fn cache(&self) -> &CacheService {
        &self.0.cache
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stopping.clone()
    }
}
