//! One change after another of a member's records, and what the answers show.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use intent_router::{
    CacheUse, OutcomeClass, Request, Reuse, RouteError, Routed, Router, UserContext,
};
use serde_json::Value;

use super::slow::Slow;
use super::summary::ChangesRun;
use super::writer::Writer;
use crate::bench::sampling::SplitMix64;

/// The intent whose answers hold the changed amounts.
const INTENT: &str = "payment_history";

/// The longest time that a fill is held back.
const LONGEST_FILL: Duration = Duration::from_millis(60);

/// The time between two looks for a change.
const PAUSE: Duration = Duration::from_millis(1);

/// How long the source may be too busy to be asked.
const LONGEST_BUSY: Duration = Duration::from_secs(10);

/// How many clients read while a change is committed.
const READERS: usize = 4;

/// What goes on while a change is committed.
#[derive(Clone, Copy, PartialEq)]
enum Scene {
    /// The answer is stored.
    Stored,
    /// A fill has read the records, and is not stored yet.
    Filling,
    /// Askers read the answer all the time.
    Reading,
}

/// A member whose records are changed.
pub(super) struct Lane {
    pub(super) router: Router,
    pub(super) slow: Arc<Slow>,
    pub(super) writer: Arc<dyn Writer>,
    pub(super) member: String,
    pub(super) random: SplitMix64,
    pub(super) limit: Duration,
}

impl Lane {
    pub(super) async fn run(mut self, trials: u32) -> anyhow::Result<ChangesRun> {
        let mut run = ChangesRun::default();
        for trial in 0..trials {
            let scene = match self.random.below(3) {
                0 => Scene::Stored,
                1 => Scene::Filling,
                _ => Scene::Reading,
            };
            // Amounts grow, so that an older one is told from a newer one.
            self.trial(scene, 1_000_000 + i64::from(trial), &mut run)
                .await?;
        }
        Ok(run)
    }

    async fn trial(
        &mut self,
        scene: Scene,
        amount: i64,
        run: &mut ChangesRun,
    ) -> anyhow::Result<()> {
        self.ask(CacheUse::default()).await?;
        let stop = Arc::new(AtomicBool::new(false));
        let mut clients = Vec::new();
        match scene {
            Scene::Stored => {}
            Scene::Filling => {
                let delay = LONGEST_FILL.mul_f64(self.random.unit());
                self.slow.delay_next(&self.member, delay);
                let lane = self.client();
                clients.push(tokio::spawn(async move {
                    lane.ask(CacheUse::Allowed(Reuse::Nothing)).await.map(|_| 0)
                }));
                tokio::time::sleep(delay.mul_f64(self.random.unit())).await;
            }
            Scene::Reading => {
                for _ in 0..READERS {
                    clients.push(tokio::spawn(self.client().read(Arc::clone(&stop))));
                }
            }
        }
        let position = self.writer.write(&self.member, amount).await?;
        let committed = Instant::now();
        run.trials += 1;
        run.during_fills += u32::from(scene == Scene::Filling);
        let asks_for_its_write = self.random.below(2) == 1;
        match position {
            Some(position) if asks_for_its_write => {
                let is_applied = self.writer.applied(&position).await;
                let answer = self
                    .ask(CacheUse::ReadAfter {
                        reuse: Reuse::Any,
                        is_applied,
                    })
                    .await?;
                run.stale += u64::from(answer.amount < amount);
                run.read_after.push(milliseconds(committed));
            }
            _ => loop {
                if self.ask(CacheUse::default()).await?.amount >= amount {
                    run.visible.push(milliseconds(committed));
                    break;
                }
                if committed.elapsed() > self.limit {
                    run.stale += 1;
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            },
        }
        stop.store(true, Ordering::Release);
        for client in clients {
            run.stale += client.await.context("a client panicked")??;
        }
        // What was in flight has ended; nothing of it may have been stored.
        for _ in 0..2 {
            let answer = self.ask(CacheUse::default()).await?;
            run.stale += u64::from(answer.amount < amount);
            run.hits += u64::from(answer.is_hit);
        }
        Ok(())
    }

    /// Another client that asks as the same member.
    fn client(&self) -> Asker {
        Asker {
            router: self.router.clone(),
            member: self.member.clone(),
        }
    }

    async fn ask(&self, cache_use: CacheUse) -> anyhow::Result<Shown> {
        self.client().ask(cache_use).await
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

/// What an answer shows.
struct Shown {
    amount: i64,
    is_hit: bool,
}

/// Asks as a member.
struct Asker {
    router: Router,
    member: String,
}

impl Asker {
    async fn ask(&self, cache_use: CacheUse) -> anyhow::Result<Shown> {
        let user = UserContext::new(&self.member, "beneficiary");
        let request = Request {
            forced_intent: Some(INTENT.to_owned()),
            cache_use,
            ..Request::new("show all my payments", user)
        };
        let routed = self.route(&request).await?;
        let answer = routed.answer.response()?;
        Ok(Shown {
            amount: amount(&answer.data)
                .with_context(|| format!("no amount in an answer to {}", self.member))?,
            is_hit: routed.cache.class() == OutcomeClass::Hit,
        })
    }

    /// Routes a request, and again while the source is too busy to be asked.
    async fn route(&self, request: &Request) -> Result<Routed, RouteError> {
        let began = Instant::now();
        loop {
            let routed = self.router.route(request).await;
            let pause = match &routed {
                Err(RouteError::Source(error)) => error.retry_after(),
                _ => None,
            };
            match pause {
                Some(pause) if began.elapsed() < LONGEST_BUSY => tokio::time::sleep(pause).await,
                _ => return routed,
            }
        }
    }

    /// Reads until it is stopped. Returns how many answers were older than the one
    /// before.
    async fn read(self, stop: Arc<AtomicBool>) -> anyhow::Result<u64> {
        let newest = AtomicU64::new(0);
        let mut stale = 0;
        while !stop.load(Ordering::Acquire) {
            let shown = self.ask(CacheUse::default()).await?.amount;
            let shown = u64::try_from(shown).unwrap_or_default();
            stale += u64::from(shown < newest.fetch_max(shown, Ordering::Relaxed));
            tokio::task::yield_now().await;
        }
        Ok(stale)
    }
}

/// The smallest amount in an answer.
fn amount(data: &Value) -> Option<i64> {
    match data {
        Value::Object(members) => {
            let own = members.get("amount_cents").and_then(Value::as_i64);
            members.values().filter_map(amount).chain(own).min()
        }
        Value::Array(items) => items.iter().filter_map(amount).min(),
        _ => None,
    }
}
