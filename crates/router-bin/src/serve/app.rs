//! What all handlers share.

use std::sync::{Arc, PoisonError, RwLock};

use intent_router::{CacheService, Diagnostic, Router};
use serde::Serialize;
use tokio::sync::{Mutex, watch};

use super::limits::Limits;
use super::metrics::Metrics;
use super::refresh;
use crate::config::Config;
use crate::setup::{self, Assembly};

/// How many problems of a reload are logged.
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

/// The shared state of the service.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

struct Shared {
    /// The assembly that answers requests which begin now. The lock is held only
    /// to copy or exchange a pointer.
    current: RwLock<Arc<Assembly>>,
    /// The cache behind every router, present and future.
    cache: Arc<CacheService>,
    config: Config,
    /// Held during a reload: one at a time.
    reloading: Arc<Mutex<()>>,
    metrics: Arc<Metrics>,
    limits: Limits,
    stopping: watch::Receiver<bool>,
}

impl App {
    /// The state of a service that begins with `assembly`, which `config`
    /// describes; `stopping` turns true when the service is told to stop, which
    /// ends the event streams.
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
            metrics,
            limits,
            stopping,
        }))
    }

    /// The present router. A request asks for it once and keeps it.
    pub(crate) fn router(&self) -> Arc<Router> {
        Arc::clone(self.current().router())
    }

    /// What a poisoned lock guards is whole: a pointer is exchanged in one step.
    fn current(&self) -> Arc<Assembly> {
        let current = self.0.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files that the configuration names again; requests that begin
    /// later are answered by what they describe. Reloads run one at a time, and to
    /// their end even if the caller goes away.
    ///
    /// # Errors
    /// Everything that is wrong with the files; nothing has changed then.
    pub(crate) async fn reload(&self) -> Result<Reloaded, Vec<Diagnostic>> {
        let turn = Arc::clone(&self.0.reloading).lock_owned().await;
        let app = self.clone();
        let work = tokio::task::spawn_blocking(move || {
            let outcome = app.renew();
            app.tell(&outcome);
            drop(turn);
            outcome
        });
        work.await.unwrap_or_else(|_| {
            // The panic hook has logged where.
            let bug = Diagnostic::error("the reload panicked, which is a mistake of this program");
            let outcome = Err(vec![bug]);
            self.tell(&outcome);
            outcome
        })
    }

    /// Counts and logs the outcome of a reload.
    fn tell(&self, outcome: &Result<Reloaded, Vec<Diagnostic>>) {
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

    fn renew(&self) -> Result<Reloaded, Vec<Diagnostic>> {
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
        // The former assembly is freed without the lock.
        drop(current);
        drop(before);
        Ok(done)
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
