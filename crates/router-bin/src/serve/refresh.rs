//! Runs refreshes of stored answers as tasks.

use std::sync::Arc;

use intent_router::Spawn;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::Instrument;

use super::limits::Limits;
use super::metrics::Metrics;

/// Spawns refreshes on the runtime: at most `max_refreshes` at a time, each for at
/// most the time that a request may take. At the limit a refresh is dropped, and
/// the next request for the answer may refresh it.
pub(crate) fn spawner(metrics: Arc<Metrics>, limits: &Limits) -> Spawn {
    let permits = Arc::new(Semaphore::new(limits.max_refreshes));
    let most = limits.request_timeout;
    Arc::new(move |refresh| {
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
            metrics.refresh_skipped();
            return;
        };
        let metrics = Arc::clone(&metrics);
        let work = async move {
            match timeout(most, refresh).await {
                Ok(refreshed) => {
                    if let Some(error) = &refreshed.failure {
                        tracing::warn!(%error, "a refresh failed");
                    }
                    metrics.refreshed(&refreshed);
                }
                Err(_) => {
                    tracing::warn!("a refresh took too long");
                    metrics.refresh_timed_out();
                }
            }
            drop(permit);
        };
        // The log names the request that started the refresh.
        tokio::spawn(work.in_current_span());
    })
}

#[cfg(test)]
mod tests {
    use std::future;
    use std::time::Duration;

    use intent_router::Refreshed;

    use super::*;

    #[test]
    fn refreshes_are_bounded_in_number_and_in_time() {
        let second = Duration::from_secs(1);
        let limits = Limits {
            max_body: 0,
            max_bodies: 0,
            max_message: 0,
            max_streams: 0,
            header_timeout: second,
            idle_timeout: second,
            body_timeout: second,
            request_timeout: Duration::from_millis(1),
            shutdown_deadline: second,
            max_refreshes: 1,
        };
        let metrics = Arc::new(Metrics::new());
        let spawn = spawner(Arc::clone(&metrics), &limits);
        let refreshes = || metrics.snapshot().refreshes;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            spawn(Box::pin(future::pending()));
            spawn(Box::pin(future::ready(Refreshed::default())));
            assert_eq!(refreshes().skipped, 1);
            while refreshes().failed == 0 {
                tokio::task::yield_now().await;
            }
            // There is room again.
            spawn(Box::pin(future::ready(Refreshed::default())));
            while refreshes().not_stored == 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(refreshes().skipped, 1);
        });
    }
}
