//! `GET /v1/stats` and the same as server-sent events.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream;
use intent_router::{Capacity, OutcomeClass};
use serde::Serialize;
use tokio::time::MissedTickBehavior;

use super::app::App;
use super::cache_headers;
use super::metrics::{Percentiles, Refreshes, Reloads, Seen};

/// How often a stream tells the statistics.
const PERIOD: Duration = Duration::from_secs(1);

/// The statistics document: the cache's own members, then the service's.
#[derive(Serialize)]
pub(crate) struct StatsDocument {
    #[serde(flatten)]
    cache: cache_core::Stats,
    /// What `cache_weight` and `cache_capacity` count.
    cache_unit: &'static str,
    /// Whether users are members.
    profiles: StoreCounts,
    detections: StoreCounts,
    caching_enabled: bool,
    uptime_seconds: f64,
    requests: BTreeMap<&'static str, u64>,
    refreshes: Refreshes,
    reloads: Reloading,
    database_queries: Queries,
    latency_us: BTreeMap<&'static str, Percentiles>,
    recent: Vec<Recent>,
}

/// A store that aids the one of answers; the document's other members do not
/// count it.
#[derive(Serialize)]
struct StoreCounts {
    entries: usize,
    hits: u64,
    misses: u64,
    stale: u64,
    negative: u64,
}

impl From<cache_core::Stats> for StoreCounts {
    fn from(stats: cache_core::Stats) -> Self {
        Self {
            entries: stats.entries,
            hits: stats.hits,
            misses: stats.misses,
            stale: stats.stale,
            negative: stats.negative,
        }
    }
}

/// What became of reloads.
#[derive(Serialize)]
struct Reloading {
    reloaded: u64,
    failed: u64,
    failing: bool,
    loaded_at: String,
}

impl From<Reloads> for Reloading {
    fn from(reloads: Reloads) -> Self {
        Self {
            reloaded: reloads.reloaded,
            failed: reloads.failed,
            failing: reloads.is_failing,
            loaded_at: humantime::format_rfc3339_millis(reloads.loaded_at).to_string(),
        }
    }
}

#[derive(Serialize)]
struct Queries {
    made: u64,
    saved: u64,
}

/// One answered request, as it is shown.
#[derive(Serialize)]
struct Recent {
    at: String,
    intent: String,
    user_id: String,
    user_role: String,
    source: &'static str,
    cache_status: String,
    latency_us: u64,
}

impl From<&Seen> for Recent {
    fn from(seen: &Seen) -> Self {
        Self {
            at: humantime::format_rfc3339_millis(seen.at).to_string(),
            intent: seen.intent(),
            user_id: seen.user_id(),
            user_role: seen.user_role(),
            source: seen.source.as_str(),
            cache_status: cache_headers::cache_status(seen.cache, seen.key),
            latency_us: seen.latency_us,
        }
    }
}

fn document(app: &App) -> StatsDocument {
    let cache = app.cache();
    let snapshot = app.metrics().snapshot();
    let count = |class: OutcomeClass| (class.as_str(), snapshot.requests(class));
    let mut requests: BTreeMap<_, _> = OutcomeClass::ALL.map(count).into();
    let answered: u64 = requests.values().sum();
    requests.insert("failed", snapshot.failed);
    requests.insert("total", answered + snapshot.failed);
    let latency = |class: OutcomeClass| (class.as_str(), snapshot.latency(class));
    StatsDocument {
        cache: cache.stats(),
        cache_unit: match cache.capacity() {
            Capacity::Bytes(_) => "bytes",
            Capacity::Entries(_) => "entries",
        },
        profiles: cache.member_stats().into(),
        detections: cache.detection_stats().into(),
        caching_enabled: cache.is_enabled(),
        uptime_seconds: snapshot.uptime.as_secs_f64(),
        requests,
        refreshes: snapshot.refreshes,
        reloads: snapshot.reloads.into(),
        database_queries: Queries {
            made: snapshot.queries_made,
            saved: snapshot.queries_saved,
        },
        latency_us: OutcomeClass::ALL.map(latency).into(),
        recent: snapshot.recent.iter().map(Recent::from).collect(),
    }
}

/// The statistics now.
pub(crate) async fn snapshot(State(app): State<App>) -> Json<StatsDocument> {
    Json(document(&app))
}

/// The statistics now and every second, until the client leaves or the
/// service stops. Nothing is queued for a client that reads slowly: each event
/// is made when the one before it was taken.
pub(crate) async fn stream(
    State(app): State<App>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stopping = app.stopping();
    let events = stream::unfold(
        (app, ticks, stopping),
        |(app, mut ticks, mut stopping)| async {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stopping.wait_for(|stop| *stop) => return None,
            }
            // The document holds only strings and finite numbers.
            let event = Event::default()
                .json_data(document(&app))
                .unwrap_or_default();
            Some((Ok(event), (app, ticks, stopping)))
        },
    );
    Sse::new(events).keep_alive(KeepAlive::default())
}
