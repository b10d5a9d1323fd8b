//! The run itself: the same requests without the cache, then with it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinSet;

use super::measure::{Answered, Phase, Sample};
use super::traffic::{Request, Traffic};

/// What is measured: a router with its cache and its source.
pub(crate) trait Subject: Send + Sync + 'static {
    /// Turns caching on or off, and empties the cache.
    fn prepare(&self, caching: bool) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Asks one question. What is timed is the whole of this call.
    fn ask(&self, request: &Request<'_>) -> impl Future<Output = anyhow::Result<Answered>> + Send;
}

/// The records of both phases.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// The phase with caching off.
    pub(crate) off: Phase,
    /// The phase with caching on, begun with an empty cache.
    pub(crate) on: Phase,
}

/// A progress bar over a whole run, warm-ups included. It shows itself on
/// standard error, and only where that is a terminal.
pub(crate) fn progress_bar(traffic: &Traffic) -> ProgressBar {
    bar_of(2 * (warm_up_len(traffic) + traffic.len()))
}

/// A progress bar over so many steps.
pub(crate) fn bar_of(steps: usize) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64);
    // The template is a constant; should it ever be wrong, the plain bar will do.
    if let Ok(style) =
        ProgressStyle::with_template("{msg:10} [{wide_bar}] {human_pos}/{human_len}, {eta} left")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

/// Makes the traffic's requests twice: with caching off, then on.
///
/// `concurrency` workers take the requests in order, each the next when its
/// last is answered. Before each phase the first requests of the same traffic
/// are made with caching off and not recorded, so that both phases find the
/// source's caches (pages, statements, connections) equally warm.
///
/// # Errors
/// Whatever the subject fails with first, naming the request: a run with
/// failed requests would measure nothing.
pub(crate) async fn run<S: Subject>(
    subject: &Arc<S>,
    traffic: &Arc<Traffic>,
    bar: &ProgressBar,
) -> anyhow::Result<Run> {
    let off = phase(subject, traffic, false, bar).await?;
    let on = phase(subject, traffic, true, bar).await?;
    bar.finish_and_clear();
    Ok(Run { off, on })
}

async fn phase<S: Subject>(
    subject: &Arc<S>,
    traffic: &Arc<Traffic>,
    caching: bool,
    bar: &ProgressBar,
) -> anyhow::Result<Phase> {
    bar.set_message("warm-up");
    prepare(subject, false).await?;
    ask_all(subject, traffic, warm_up_len(traffic), bar).await?;
    bar.set_message(if caching { "cache on" } else { "cache off" });
    prepare(subject, caching).await?;
    ask_all(subject, traffic, traffic.len(), bar).await
}

async fn prepare<S: Subject>(subject: &Arc<S>, caching: bool) -> anyhow::Result<()> {
    subject.prepare(caching).await.with_context(|| {
        let state = if caching { "on" } else { "off" };
        format!("cannot empty the cache and turn it {state}")
    })
}

fn warm_up_len(traffic: &Traffic) -> usize {
    traffic.options().warm_up.min(traffic.len())
}

/// Makes the first `count` requests and records them in their order.
async fn ask_all<S: Subject>(
    subject: &Arc<S>,
    traffic: &Arc<Traffic>,
    count: usize,
    bar: &ProgressBar,
) -> anyhow::Result<Phase> {
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    // Dropping the set, on an error, ends the other workers too.
    let mut workers = JoinSet::new();
    for _ in 0..traffic.options().concurrency.min(count) {
        workers.spawn(worker(
            Arc::clone(subject),
            Arc::clone(traffic),
            Arc::clone(&next),
            count,
            begun,
            bar.clone(),
        ));
    }
    let mut records = Vec::with_capacity(count);
    while let Some(done) = workers.join_next().await {
        records.extend(done.context("a worker of the bench broke off")??);
    }
    let elapsed = begun.elapsed();
    records.sort_unstable_by_key(|&(index, _)| index);
    Ok(Phase {
        samples: records.into_iter().map(|(_, sample)| sample).collect(),
        elapsed,
    })
}

async fn worker<S: Subject>(
    subject: Arc<S>,
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
        let answered = subject.ask(&request).await;
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
