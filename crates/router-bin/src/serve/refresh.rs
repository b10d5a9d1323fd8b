//! Makes stored answers anew beside the requests that are served them.

use std::sync::Arc;

use intent_router::Spawn;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::Limits;
use super::metrics::Metrics;

/// Runs what it is given as tasks of the runtime, a bounded number at a time,
/// each for as long as a request may take. Where there is no room, nothing is
/// made anew; the next who asks for the answer has the right to.
pub(crate) fn beside(metrics: Arc<Metrics>, limits: &Limits) -> Spawn {
    let room = Arc::new(Semaphore::new(limits.max_refreshes));
    let most = limits.request_timeout;
    Arc::new(move |refresh| {
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            metrics.refresh_skipped();
            return;
        };
        let metrics = Arc::clone(&metrics);
        tokio::spawn(async move {
            match timeout(most, refresh).await {
                Ok(refreshed) => {
                    if let Some(error) = &refreshed.failure {
                        tracing::warn!(%error, "a stored answer could not be made anew");
                    }
                    metrics.refreshed(&refreshed);
                }
                Err(_) => {
                    tracing::warn!("a stored answer was not made anew in time");
                    metrics.refresh_timed_out();
                }
            }
            drop(place);
        });
    })
}
