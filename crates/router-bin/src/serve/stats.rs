//! `GET /v1/stats`, and `GET /v1/stats/stream` with the same as server-sent events.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use cache_keys::CanonicalJson;
use futures_util::Stream;
use futures_util::stream;
use intent_router::{Capacity, OutcomeClass};
use serde::Serialize;
use tokio::time::MissedTickBehavior;

use super::app::App;
use super::cache_headers;
use super::identifiers::{Identifiers, Kind};
use super::metrics::{Percentiles, RecentRequest, Refreshes, Reloads};
use super::problem::Problem;
use super::stop::Phase;
use crate::changes::ChangeFigures;

/// The interval of a stream's events.
const PERIOD: Duration = Duration::from_secs(1);

/// The statistics document: the cache's own members, then the service's.
#[derive(Serialize)]
pub(crate) struct StatsDocument {
    #[serde(flatten)]
    cache: cache_core::Stats,
    /// The unit of `cache_weight` and `cache_capacity`.
    cache_unit: &'static str,
    /// Whether users are members.
    profiles: StoreCounts,
    detections: StoreCounts,
    caching_enabled: bool,
    uptime_seconds: f64,
    requests: BTreeMap<&'static str, u64>,
    refreshes: Refreshes,
    reloads: ReloadCounts,
    /// Only while changes of the database are followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<ChangesSeen>,
    database_queries: Queries,
    latency_us: BTreeMap<&'static str, Percentiles>,
    /// Whether `recent` shows users and roles as they are, not as keyed hashes.
    ids_shown: bool,
    recent: Vec<Recent>,
}

/// The counts of an auxiliary store, which the document's other members leave out.
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

/// Reloads by result.
#[derive(Serialize)]
struct ReloadCounts {
    reloaded: u64,
    failed: u64,
    failing: bool,
    loaded_at: String,
}

impl From<Reloads> for ReloadCounts {
    fn from(reloads: Reloads) -> Self {
        Self {
            reloaded: reloads.reloaded,
            failed: reloads.failed,
            failing: reloads.is_failing,
            loaded_at: humantime::format_rfc3339_millis(reloads.loaded_at).to_string(),
        }
    }
}

/// The changes of the database.
#[derive(Serialize)]
struct ChangesSeen {
    live: bool,
    lag_seconds: Option<f64>,
    seen: u64,
    gaps: u64,
}

impl From<ChangeFigures> for ChangesSeen {
    fn from(figures: ChangeFigures) -> Self {
        Self {
            live: figures.live,
            lag_seconds: figures.lag.map(|lag| lag.as_secs_f64()),
            seen: figures.changes.values().sum(),
            gaps: figures.gaps.values().sum(),
        }
    }
}

#[derive(Serialize)]
struct Queries {
    made: u64,
    saved: u64,
}

/// An answered request as JSON.
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

impl Recent {
    fn new(request: &RecentRequest, ids: &Identifiers) -> Self {
        let shown = |kind, json: Option<&CanonicalJson>| {
            json.map_or_else(|| "guest".to_owned(), |json| ids.text(kind, &json.text()))
        };
        // The key is a digest of the user and the message without a secret, so who
        // has it can find out both by trying.
        let key = request.key.filter(|_| ids.are_shown());
        Self {
            at: humantime::format_rfc3339_millis(request.at).to_string(),
            intent: request.intent(),
            user_id: shown(Kind::User, request.user_id()),
            user_role: shown(Kind::Role, request.user_role()),
            source: request.source.as_str(),
            cache_status: cache_headers::cache_status(request.cache, key),
            latency_us: request.latency_us,
        }
    }
}

fn document(app: &App) -> StatsDocument {
    let (cache, ids) = (app.cache(), app.identifiers());
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
        changes: app.changes().map(|changes| changes.figures().into()),
        database_queries: Queries {
            made: app.source().calls,
            saved: snapshot.queries_saved,
        },
        latency_us: OutcomeClass::ALL.map(latency).into(),
        ids_shown: ids.are_shown(),
        recent: snapshot
            .recent
            .iter()
            .map(|request| Recent::new(request, ids))
            .collect(),
    }
}

/// Responds with the current statistics.
pub(crate) async fn snapshot(State(app): State<App>) -> Json<StatsDocument> {
    Json(document(&app))
}

/// Streams the statistics now and every second, until the client disconnects or
/// the service drains. Nothing is queued for a slow client: an event is made when
/// the previous one has been taken.
pub(crate) async fn stream(
    State(app): State<App>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let Ok(place) = Arc::clone(app.streams()).try_acquire_owned() else {
        let most = app.limits().max_streams;
        return Err(Problem::unavailable(
            "too_many_streams",
            format!(
                "all {most} streams that [server] max_streams allows are open; \
                 GET /v1/stats has the same figures"
            ),
        ));
    };
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stop = app.stop().clone();
    let events = stream::unfold(
        (app, ticks, stop, place),
        |(app, mut ticks, mut stop, place)| async {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.reached(Phase::Draining) => return None,
            }
            // The document holds only strings and finite numbers.
            let event = Event::default()
                .json_data(document(&app))
                .unwrap_or_default();
            Some((Ok(event), (app, ticks, stop, place)))
        },
    );
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}
