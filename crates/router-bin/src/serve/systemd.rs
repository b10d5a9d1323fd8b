//! Tells the service manager (systemd) how the service is. Without one, nothing is
//! told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::MissedTickBehavior;

use super::app::App;

/// How often a service that is not ready yet asks its source of records again.
const PERIOD: Duration = Duration::from_secs(1);

/// The service manager.
#[derive(Debug, Default)]
pub(crate) struct Manager {
    is_ready: AtomicBool,
}

impl Manager {
    /// Waits until the source of records can be asked, and tells that the service is
    /// ready.
    pub(crate) async fn when_ready(&self, app: &App) {
        while let Err(error) = app.router().source().ready().await {
            tell(&[NotifyState::Status("waiting for the source of records")]);
            tracing::debug!(%error, "the source of records is not ready yet");
            tokio::time::sleep(PERIOD).await;
        }
        self.is_ready.store(true, Ordering::Release);
        tell(&[NotifyState::Ready, NotifyState::Status("serving")]);
    }

    /// Tells of a reload while it runs. A service that is not ready yet is not
    /// reloading for its manager, as the end of a reload would mean that it is ready.
    pub(crate) async fn reloading(&self, reload: impl Future<Output = ()>) {
        let is_ready = self.is_ready.load(Ordering::Acquire);
        if is_ready && let Ok(now) = NotifyState::monotonic_usec_now() {
            tell(&[NotifyState::Reloading, now]);
        }
        reload.await;
        if is_ready {
            tell(&[NotifyState::Ready]);
        }
    }

    /// Tells that the service is stopping.
    pub(crate) fn stopping(&self) {
        tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
    }
}

/// Tells at half of the watchdog's period that the runtime runs tasks and timers; never
/// completes. Returns at once if the manager does not watch.
pub(crate) async fn watchdog() {
    let Some(period) = sd_notify::watchdog_enabled() else {
        return;
    };
    // `interval` does not take an empty period.
    let mut ticks = tokio::time::interval((period / 2).max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager could not be told");
    }
}
