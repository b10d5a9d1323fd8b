//! Follows the changes of the database while the service runs.

mod figures;

use std::sync::Arc;
use std::time::{Duration, Instant};

use intent_router::{Catalogue, ChangeGate, Router};
use live_data::{ChangeEvent, ChangeFeed, Follower, Gap, OpenError, Position, PositionParser};
use live_data::{PostgresChanges, PostgresChangesOptions, SqliteChanges, SqliteChangesOptions};
use parking_lot::Mutex;
use tokio::sync::watch;

use self::figures::ChangeCounts;
pub(crate) use self::figures::{ChangeFigures, LAG_BOUNDS_MS};
use crate::config::{Config, SourceUrl, WhenBehind};
use crate::source;

/// The least time between two lines of the log about gaps.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// The feed of the configured database, and what it has done.
pub(crate) struct Changes {
    gate: Arc<ChangeGate>,
    max_lag: Duration,
    follower: Mutex<Follower>,
    /// Reads the positions of the feed, if it has any.
    positions: Option<PositionParser>,
    applied: watch::Sender<Applied>,
    /// Taken by the task that follows it.
    feed: Mutex<Option<Box<dyn ChangeFeed>>>,
    counts: ChangeCounts,
}

/// Up to where the changes are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Applied {
    /// Nothing is known: the feed is not connected yet, or in a gap.
    Unknown,
    /// Up to now, in a feed that has no positions at present.
    WithoutPosition,
    /// Up to this position.
    UpTo(Position),
}

/// A position that the feed cannot read.
#[derive(Debug)]
pub(crate) struct Malformed;

/// A feed of changes.
pub(crate) struct Feed {
    feed: Box<dyn ChangeFeed>,
    /// What it does not see, for people.
    pub(crate) lacks: Vec<String>,
}

/// The feed that the configuration names; `None` without one.
///
/// # Errors
/// The feed cannot be started.
pub(crate) fn feed(config: &Config, catalogue: &Arc<Catalogue>) -> Result<Option<Feed>, OpenError> {
    let settings = &config.changes;
    let catalogue = Arc::clone(catalogue);
    match &config.source.url {
        Some(SourceUrl::Sqlite(path)) if settings.enabled => {
            let poll = settings.poll.get();
            let options = SqliteChangesOptions { poll };
            let feed = SqliteChanges::open(path, catalogue, &options)?;
            Ok(Some(Feed {
                feed: Box::new(feed),
                lacks: Vec::new(),
            }))
        }
        Some(SourceUrl::Postgres(url)) if settings.enabled => {
            let address = source::postgres(config, url)?;
            let options = PostgresChangesOptions::default();
            let feed = PostgresChanges::open(&address, catalogue, &options)?;
            let uncovered = feed.uncovered().iter().map(|table| {
                format!(
                    "changes of the table `{table}` are not reported, so its answers are cached \
                     by their TTL alone; `router changes setup --print` says why"
                )
            });
            let lacks = uncovered.chain(feed.lacks().iter().cloned()).collect();
            Ok(Some(Feed {
                feed: Box::new(feed),
                lacks,
            }))
        }
        // Validation refuses the setting without a database.
        _ => Ok(None),
    }
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
        let Some(Feed { feed, lacks }) = feed(config, catalogue)? else {
            return Ok(None);
        };
        for lack in lacks {
            tracing::warn!("{lack}");
        }
        let gate = ChangeGate::new(feed.coverage());
        let gate = Arc::new(match settings.when_behind {
            WhenBehind::Bypass => gate,
            WhenBehind::Ttl => gate.usable_while_closed(),
        });
        let max_lag = settings.max_lag.get();
        let follower = Follower::new(catalogue, Arc::clone(&gate), max_lag);
        Ok(Some(Arc::new(Self {
            gate,
            max_lag,
            follower: Mutex::new(follower),
            positions: feed.positions(),
            applied: watch::Sender::new(Applied::Unknown),
            feed: Mutex::new(Some(feed)),
            counts: ChangeCounts::default(),
        })))
    }

    /// The router, with the gate of the feed.
    pub(crate) fn gated(&self, router: Router) -> Router {
        router.with_change_gate(Arc::clone(&self.gate))
    }

    /// Waits until the changes up to a position are applied; false if they are not
    /// within `max_lag` or the `limit`, or if the feed has no positions.
    ///
    /// # Errors
    /// The text is no position of the feed.
    pub(crate) async fn wait_for(&self, text: &[u8], limit: Duration) -> Result<bool, Malformed> {
        let Some(read) = self.positions else {
            return Ok(false);
        };
        let text = std::str::from_utf8(text).map_err(|_| Malformed)?;
        let wanted = read(text).ok_or(Malformed)?;
        let mut applied = self.applied.subscribe();
        let is_known = applied.wait_for(|applied| match *applied {
            Applied::Unknown => false,
            Applied::WithoutPosition => true,
            Applied::UpTo(position) => position >= wanted,
        });
        let waited = tokio::time::timeout(self.max_lag.min(limit), is_known).await;
        Ok(matches!(waited, Ok(Ok(applied)) if *applied != Applied::WithoutPosition))
    }

    /// Tells those who wait for a position.
    fn tell_applied(&self, applied: Applied) {
        self.applied
            .send_if_modified(|known| std::mem::replace(known, applied) != applied);
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
                self.tell_applied(Applied::Unknown);
            }
            self.note(&event, &mut told);
            if let ChangeEvent::Gap { .. } = event {
                self.tell_applied(Applied::Unknown);
            }
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
            let position = {
                let mut follower = self.follower.lock();
                follower.applied(invalidation, now);
                follower.position()
            };
            self.tell_applied(position.map_or(Applied::WithoutPosition, Applied::UpTo));
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
