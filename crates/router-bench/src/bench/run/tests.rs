use std::sync::{Arc, Mutex};

use indicatif::ProgressBar;

use super::{measure, steps};
use crate::bench::measurement::{Answered, Counts, OutcomeClass};
use crate::bench::options::Options;
use crate::bench::target::Target;
use crate::bench::test_support::{Ideal, traffic};
use crate::bench::traffic::Request;

fn options(concurrency: usize) -> Options {
    Options {
        requests: 3_000,
        concurrency,
        ..Options::default()
    }
}

#[tokio::test]
async fn an_ideal_cache_reaches_the_declared_ceiling() {
    let traffic = Arc::new(traffic(options(1)));
    let done = measure(
        &Arc::new(Ideal::default()),
        &traffic,
        &ProgressBar::hidden(),
    )
    .await
    .expect("nothing fails");
    let off = Counts::of(done.off.samples.iter().map(|sample| sample.outcome));
    let on = Counts::of(done.on.samples.iter().map(|sample| sample.outcome));
    assert_eq!((off.total, off.bypass), (3_000, 3_000));
    assert_eq!(on.hit_rate(), traffic.description().ceiling_percent);
    assert_eq!(on.hit + on.miss, 3_000);
    for sample in &done.on.samples {
        assert_eq!(sample.queries == 0, sample.outcome == OutcomeClass::Hit);
    }
}

#[tokio::test]
async fn warming_up_leaves_nothing_in_the_cache() {
    let traffic = Arc::new(traffic(options(1)));
    let done = measure(
        &Arc::new(Ideal::default()),
        &traffic,
        &ProgressBar::hidden(),
    )
    .await
    .expect("nothing fails");
    assert_eq!(done.on.samples[0].outcome, OutcomeClass::Miss);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_workers_make_every_request_once_and_keep_the_order() {
    let traffic = Arc::new(traffic(options(7)));
    let bar = ProgressBar::hidden();
    bar.set_length(steps(&traffic) as u64);
    let done = measure(&Arc::new(Ideal::default()), &traffic, &bar)
        .await
        .expect("nothing fails");
    assert_eq!(done.off.samples.len(), 3_000);
    let on = Counts::of(done.on.samples.iter().map(|sample| sample.outcome));
    assert_eq!(on.hit_rate(), traffic.description().ceiling_percent);
    assert_eq!(bar.position(), 2 * (2_000 + 3_000));
    assert_eq!(bar.length(), Some(bar.position()));
}

#[tokio::test]
async fn a_failing_request_ends_the_run_and_is_named() {
    let target = Ideal::broken_at("claim_status #1?");
    let traffic = Arc::new(traffic(options(1)));
    let error = measure(&Arc::new(target), &traffic, &ProgressBar::hidden())
        .await
        .expect_err("a message is broken");
    assert_eq!(
        format!("{error:#}"),
        "request 9 (\"claim_status #1?\" by BEN-000003) failed: the source is gone"
    );
}

/// Records each sequence of requests with the state of the cache that it was
/// made in. Answers with a hash of the request.
#[derive(Default)]
struct Recorder {
    stretches: Mutex<Vec<(bool, usize)>>,
}

fn mark(request: &Request<'_>) -> u32 {
    let text = format!("{} {}", request.user_id, request.message);
    text.bytes().fold(0, |mark: u32, byte| {
        mark.wrapping_mul(31).wrapping_add(byte.into())
    })
}

impl Target for Recorder {
    async fn prepare(&self, caching: bool) -> anyhow::Result<()> {
        self.stretches.lock().unwrap().push((caching, 0));
        Ok(())
    }

    async fn ask(&self, request: &Request<'_>) -> anyhow::Result<Answered> {
        if let Some((_, asked)) = self.stretches.lock().unwrap().last_mut() {
            *asked += 1;
        }
        // Lets the other workers in, so that answers come out of order.
        for _ in 0..request.message.len() % 5 {
            tokio::task::yield_now().await;
        }
        Ok(Answered {
            outcome: OutcomeClass::Miss,
            queries: mark(request),
        })
    }
}

#[tokio::test]
async fn each_phase_is_warmed_up_without_cache_and_recorded_in_order() {
    let traffic = Arc::new(traffic(options(7)));
    let recorder = Arc::new(Recorder::default());
    let done = measure(&recorder, &traffic, &ProgressBar::hidden())
        .await
        .expect("nothing fails");
    assert_eq!(
        *recorder.stretches.lock().unwrap(),
        [
            (false, 2_000),
            (false, 3_000),
            (false, 2_000),
            (true, 3_000)
        ]
    );
    let marks: Vec<u32> = (0..traffic.len())
        .map(|index| mark(&traffic.request(index)))
        .collect();
    for phase in [&done.off, &done.on] {
        let recorded: Vec<u32> = phase.samples.iter().map(|sample| sample.queries).collect();
        assert_eq!(recorded, marks);
    }
}
