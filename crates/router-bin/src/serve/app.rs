//! What all handlers share.

use std::sync::Arc;

use tokio::sync::watch;

use super::Limits;
use super::metrics::Metrics;
use super::refresh;

/// The shared state of the service.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

struct Shared {
    router: intent_router::Router,
    metrics: Arc<Metrics>,
    limits: Limits,
    stopping: watch::Receiver<bool>,
}

impl App {
    /// The state of a service over `router`; `stopping` turns true when it is
    /// told to stop, which ends the streams that would never end by themselves.
    pub(crate) fn new(
        router: intent_router::Router,
        limits: Limits,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let metrics = Arc::new(Metrics::new());
        let beside = refresh::beside(Arc::clone(&metrics), &limits);
        Self(Arc::new(Shared {
            router: router.with_spawn(beside),
            metrics,
            limits,
            stopping,
        }))
    }

    pub(crate) fn router(&self) -> &intent_router::Router {
        &self.0.router
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
