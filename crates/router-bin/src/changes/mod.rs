//! Follows the changes of the database while the service runs.

mod figures;

use std::sync::Arc;
use std::time::{Duration, Instant};

use intent_router::{Catalogue, ChangeGate, Router};
use live_data::{ChangeEvent, ChangeFeed, Follower, Gap, OpenError};
use live_data::{SqliteChanges, SqliteChangesOptions};
use parking_lot::Mutex;

use self::figures::ChangeCounts;
pub(crate) use self::figures::{ChangeFigures, LAG_BOUNDS_MS};
use crate::config::{Config, SourceUrl, WhenBehind};

/// The least time between two lines of the log about gaps.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// The feed of the configured database, and what it has done.
pub(crate) struct Changes {
    gate: Arc<ChangeGate>,
    when_behind: WhenBehind,
    max_lag: Duration,
    follower: Mutex<Follower>,
    /// Taken by the task that follows it.
    feed: Mutex<Option<Box<dyn ChangeFeed>>>,
    counts: ChangeCounts,
}

impl Changes {
    /// The feed that the configuration names; `None` without one.
    ///
    /// # Errors
    /// The feed cannot be started.
    pub(crate) fn open(
        config: &Config,
        catalogue: &Arc<Catalogue>,
    ) -> Result<Option<Arc<Self>>, OpenError> {
        let settings = &config.changes;
        let feed: Box<dyn ChangeFeed> = match &config.source.url {
            Some(SourceUrl::Sqlite(path)) if settings.enabled => {
                let poll = settings.poll.get();
                let options = SqliteChangesOptions { poll };
                Box::new(SqliteChanges::open(path, Arc::clone(catalogue), &options)?)
            }
            // Validation refuses the setting without a database.
            _ => return Ok(None),
        };
        let gate = Arc::new(ChangeGate::new(feed.coverage()));
        let max_lag = settings.max_lag.get();
        let follower = Follower::new(catalogue, Arc::clone(&gate), max_lag);
        Ok(Some(Arc::new(Self {
            gate,
            when_behind: settings.when_behind,
            max_lag,
            follower: Mutex::new(follower),
            feed: Mutex::new(Some(feed)),
            counts: ChangeCounts::default(),
        })))
    }

    /// The router, with the gate if answers that nobody keeps fresh are not cached.
    pub(crate) fn gated(&self, router: Router) -> Router {
        match self.when_behind {
            WhenBehind::Bypass => router.with_change_gate(Arc::clone(&self.gate)),
            WhenBehind::Ttl => router,
        }
    }

    /// Removes what was stored before the feed began, such as a restored snapshot.
    pub(crate) fn forget_before(&self, router: &Router) {
        let selectors = self.follower.lock().mapping().everything();
        router.cache().invalidate_all_of(&selectors);
    }

    /// What was done so far.
    pub(crate) fn figures(&self) -> ChangeFigures {
        let lag = self.follower.lock().lag(Instant::now());
        self.counts.figures(self.gate.is_open(), lag)
    }

    /// Follows the feed. `router` returns the current router, whose catalogue
    /// decides what a change invalidates.
    pub(crate) async fn follow(self: Arc<Self>, router: impl Fn() -> Arc<Router>) {
        let Some(mut feed) = self.feed.lock().take() else {
            return;
        };
        let mut catalogue = Arc::clone(router().catalogue());
        let mut told = None;
        let mut ticks = tokio::time::interval((self.max_lag / 4).min(Duration::from_millis(250)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                event = feed.next() => event,
                _ = ticks.tick() => {
                    self.follower.lock().tick(Instant::now());
                    continue;
                }
            };
            let router = router();
            if !Arc::ptr_eq(&catalogue, router.catalogue()) {
                catalogue = Arc::clone(router.catalogue());
                feed.set_catalogue(Arc::clone(&catalogue));
                self.follower.lock().set_catalogue(&catalogue);
                self.counts.gap(Gap::Catalogue);
            }
            self.note(&event, &mut told);
            let Some(invalidation) = self.follower.lock().take(event) else {
                continue;
            };
            if !invalidation.selectors.is_empty() {
                let selectors = invalidation.selectors.clone();
                let cache = Arc::clone(router.cache());
                // Off the threads that answer requests, as some look at every entry.
                let work = move || cache.invalidate_all_of(&selectors);
                if tokio::task::spawn_blocking(work).await.is_err() {
                    // The runtime stops, or it panicked: the gate closes by itself.
                    tracing::error!("an invalidation panicked, which is a bug of this program");
                    return self.follower.lock().tick(Instant::now() + self.max_lag * 2);
                }
            }
            let now = Instant::now();
            if !invalidation.selectors.is_empty() && !invalidation.ends_gap {
                self.counts
                    .lag(now.saturating_duration_since(invalidation.as_of));
            }
            if invalidation.ends_gap {
                tracing::info!("changes of the database are followed");
            }
            self.follower.lock().applied(invalidation, now);
        }
    }

    /// Counts an event, and logs a gap.
    fn note(&self, event: &ChangeEvent, told: &mut Option<Instant>) {
        match event {
            ChangeEvent::Row(change) => {
                let follower = self.follower.lock();
                self.counts
                    .change(follower.mapping().declared(&change.table));
            }
            ChangeEvent::Table(table) => {
                let follower = self.follower.lock();
                let declared = table
                    .as_deref()
                    .and_then(|t| follower.mapping().declared(t));
                self.counts.change(declared);
            }
            ChangeEvent::Gap { reason, detail } => {
                self.counts.gap(*reason);
                if told.is_none_or(|at: Instant| at.elapsed() >= BETWEEN_LINES) {
                    *told = Some(Instant::now());
                    let reason = reason.as_str();
                    tracing::warn!(reason, detail, "changes of the database may be missed");
                }
            }
            _ => {}
        }
    }
}
