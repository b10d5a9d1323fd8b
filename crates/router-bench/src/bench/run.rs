//! Makes the traffic with the cache off, then on, and records each request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::ProgressBar;
use intent_router::Router;
use tokio::task::JoinSet;

use super::measurement::{Answered, Phase, Sample};
use super::target::{RouterTarget, Target};
use super::traffic::Traffic;
use crate::progress;

/// The records of both phases.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The phase with the cache off.
    pub(crate) off: Phase,
    /// The phase with the cache on; it starts with an empty cache.
    pub(crate) on: Phase,
}

/// Makes the traffic's requests with the cache of `router` off, then on, and
/// shows a progress bar.
///
/// # Errors
/// The first failure of the router, with the request that met it.
pub async fn run(router: Arc<Router>, traffic: Arc<Traffic>) -> anyhow::Result<Run> {
    let bar = progress::bar(steps(&traffic));
    measure(&Arc::new(RouterTarget(router)), &traffic, &bar).await
}

/// The requests of a whole run, warm-ups included.
fn steps(traffic: &Traffic) -> usize {
    2 * (warm_up_len(traffic) + traffic.len())
}

/// Makes the traffic's requests with the cache off, then on.
///
/// `concurrency` workers take the requests in order; each takes the next one
/// when its last is answered. Each phase is preceded by the first requests of
/// the same traffic with the cache off, unrecorded, so that both phases find
/// the source's caches (pages, statements, connections) equally warm.
///
/// # Errors
/// The first failure of the target, with the request that met it. A run with
/// failed requests measures nothing, so it ends.
pub(super) async fn measure<T: Target>(
    target: &Arc<T>,
    traffic: &Arc<Traffic>,
    bar: &ProgressBar,
) -> anyhow::Result<Run> {
    let off = phase(target, traffic, false, bar).await?;
    let on = phase(target, traffic, true, bar).await?;
    bar.finish_and_clear();
    Ok(Run { off, on })
}

async fn phase<T: Target>(
    target: &Arc<T>,
    traffic: &Arc<Traffic>,
    caching: bool,
    bar: &ProgressBar,
) -> anyhow::Result<Phase> {
    bar.set_message("warm-up");
    prepare(target, false).await?;
    ask_all(target, traffic, warm_up_len(traffic), bar).await?;
    bar.set_message(if caching { "cache on" } else { "cache off" });
    prepare(target, caching).await?;
    ask_all(target, traffic, traffic.len(), bar).await
}

async fn prepare<T: Target>(target: &Arc<T>, caching: bool) -> anyhow::Result<()> {
    target.prepare(caching).await.with_context(|| {
        let state = if caching { "on" } else { "off" };
        format!("cannot empty the cache and turn it {state}")
    })
}

fn warm_up_len(traffic: &Traffic) -> usize {
    traffic.options().warm_up.min(traffic.len())
}

/// Makes the first `count` requests and returns their records in order.
async fn ask_all<T: Target>(
    target: &Arc<T>,
    traffic: &Arc<Traffic>,
    count: usize,
    bar: &ProgressBar,
) -> anyhow::Result<Phase> {
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    // On an error the set is dropped, which aborts the other workers.
    let mut workers = JoinSet::new();
    for _ in 0..traffic.options().concurrency.min(count) {
        workers.spawn(worker(
            Arc::clone(target),
            Arc::clone(traffic),
            Arc::clone(&next),
            count,
            begun,
            bar.clone(),
        ));
    }
    let mut records = Vec::with_capacity(count);
    while let Some(done) = workers.join_next().await {
        records.extend(done.context("a worker of the bench panicked")??);
    }
    let elapsed = begun.elapsed();
    records.sort_unstable_by_key(|&(index, _)| index);
    Ok(Phase {
        samples: records.into_iter().map(|(_, sample)| sample).collect(),
        elapsed,
    })
}

async fn worker<T: Target>(
    target: Arc<T>,
    traffic: Arc<Traffic>,
    next: Arc<AtomicUsize>,
    count: usize,
    begun: Instant,
    bar: ProgressBar,
) -> anyhow::Result<Vec<(usize, Sample)>> {
    let mut records = Vec::new();
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= count {
            return Ok(records);
        }
        let request = traffic.request(index);
        let started = Instant::now();
        let answered = target.ask(&request).await;
        let latency = started.elapsed();
        let Answered { outcome, queries } = answered.with_context(|| {
            format!(
                "request {} ({:?} by {}) failed",
                index + 1,
                request.message,
                request.user_id
            )
        })?;
        let sample = Sample {
            started: nanos(started.duration_since(begun)),
            latency: nanos(latency),
            outcome,
            queries,
        };
        records.push((index, sample));
        bar.inc(1);
    }
}

/// Nanoseconds in 64 bits, which hold 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
