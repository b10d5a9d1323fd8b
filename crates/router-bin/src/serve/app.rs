//! What all handlers share.

use std::sync::{Arc, PoisonError, RwLock};

use intent_router::{CacheService, Diagnostic, Router};
use tokio::sync::{Mutex, watch};

use super::Limits;
use super::metrics::Metrics;
use super::refresh;
use super::reload::Reloaded;
use crate::config::Config;
use crate::setup::{self, Assembly};

/// How many problems of a reload are logged.
const MOST_LOGGED: usize = 50;

/// The shared state of the service.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

struct Shared {
    /// What requests that begin now are answered by. The lock is held for as
    /// long as it takes to copy or exchange a pointer.
    current: RwLock<Arc<Assembly>>,
    /// The cache behind every router that there will be.
    cache: Arc<CacheService>,
    config: Config,
    /// Held by whoever reloads: one at a time.
    reloading: Arc<Mutex<()>>,
    metrics: Arc<Metrics>,
    limits: Limits,
    stopping: watch::Receiver<bool>,
}

impl App {
    /// The state of a service that begins with `assembly`, which `config`
    /// describes; `stopping` turns true when it is told to stop, which ends the
    /// streams that would never end by themselves.
    pub(crate) fn new(
        assembly: Assembly,
        config: Config,
        limits: Limits,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let metrics = Arc::new(Metrics::new());
        let beside = refresh::beside(Arc::clone(&metrics), &limits);
        Self(Arc::new(Shared {
            cache: Arc::clone(assembly.router().cache()),
            current: RwLock::new(Arc::new(assembly.map(|router| router.with_spawn(beside)))),
            config,
            reloading: Arc::default(),
            metrics,
            limits,
            stopping,
        }))
    }

    /// The router of now. A request asks once and keeps what it got.
    pub(crate) fn router(&self) -> Arc<Router> {
        Arc::clone(self.current().router())
    }

    /// A pointer is exchanged as a whole, whoever panics: what a poisoned lock
    /// guards is whole.
    fn current(&self) -> Arc<Assembly> {
        let current = self.0.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files that the configuration names again, and has requests that
    /// begin from then on answered by what they describe. One reload is under
    /// way at a time, and ends though nobody waits for it any more.
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
            // The panic hook has told where.
            let bug = Diagnostic::error("the reload panicked, which is a mistake of this program");
            let outcome = Err(vec![bug]);
            self.tell(&outcome);
            outcome
        })
    }

    /// Counts and logs what a reload came to.
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
        // What nobody is answered by any more is freed when nobody waits.
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
