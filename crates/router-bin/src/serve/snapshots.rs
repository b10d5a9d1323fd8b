//! Keeps the snapshot of the stored answers while the service runs.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::app::App;

/// How often the journal notes that the process runs, at the least.
const ALIVE: Duration = Duration::from_secs(5);

/// Writes the snapshot periodically, and notes that the process runs: often enough
/// that a quarter of `max_down` is not taken for time in which no process ran.
pub(crate) async fn keep(app: App, every: Duration, max_down: Duration) {
    let Some(snapshots) = app.snapshots() else {
        return;
    };
    let mut alive = ticks(ALIVE.min(max_down / 4));
    let mut due = (!every.is_zero()).then(|| ticks(every));
    let mut writing: Option<JoinHandle<()>> = None;
    loop {
        tokio::select! {
            _ = alive.tick() => {
                let snapshots = Arc::clone(&snapshots);
                if let Ok(Err(error)) = spawn_blocking(move || snapshots.alive()).await {
                    tracing::error!(%error, "the journal of the snapshot cannot be written");
                }
            }
            () = next(&mut due) => {
                // One that takes longer than the period is not followed by a queue.
                if writing.as_ref().is_some_and(|writing| !writing.is_finished()) {
                    continue;
                }
                let (app, snapshots) = (app.clone(), Arc::clone(&snapshots));
                // Not awaited, so that the journal goes on.
                writing = Some(spawn_blocking(move || told(snapshots.write(&app.router()))));
            }
        }
    }
}

/// Writes the last snapshot of an orderly stop.
pub(crate) async fn stop(app: App) {
    if let Some(snapshots) = app.snapshots() {
        // A panic is reported by its hook.
        let _ = spawn_blocking(move || told(snapshots.stop(&app.router()))).await;
    }
}

/// Ticks from one period on.
fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.reset();
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn next(ticks: &mut Option<Interval>) {
    match ticks {
        Some(ticks) => drop(ticks.tick().await),
        None => std::future::pending().await,
    }
}

fn told(written: io::Result<u64>) {
    match written {
        Ok(answers) => tracing::info!(answers, "the snapshot is written"),
        Err(error) => tracing::error!(%error, "the snapshot cannot be written"),
    }
}
