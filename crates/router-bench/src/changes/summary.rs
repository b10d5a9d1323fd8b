//! The result of a run, as a table and as JSON.

use serde::Serialize;

use crate::Provenance;
use crate::distribution::Distribution;
use crate::format::count;

/// The version of the JSON document; raised if a member changes its meaning or is
/// removed.
const SCHEMA: u32 = 1;

/// What was counted and measured.
#[derive(Clone, Debug, Default)]
pub struct ChangesRun {
    /// Changes that were committed.
    pub(super) trials: u32,
    /// Those that were committed while a fill was in flight.
    pub(super) during_fills: u32,
    /// Answers that did not show a change in time, or no longer showed it.
    pub(super) stale: u64,
    /// Answers from the cache, of two that each trial ends with.
    pub(super) hits: u64,
    /// Milliseconds from a commit to the end of the first answer that shows it.
    pub(super) visible: Vec<f64>,
    /// The same for a request that waits for the change.
    pub(super) read_after: Vec<f64>,
}

impl ChangesRun {
    pub(super) fn add(&mut self, other: Self) {
        self.trials += other.trials;
        self.during_fills += other.during_fills;
        self.stale += other.stale;
        self.hits += other.hits;
        self.visible.extend(other.visible);
        self.read_after.extend(other.read_after);
    }

    /// How many answers were stale.
    pub fn stale(&self) -> u64 {
        self.stale
    }
}

/// The figures of one way to see changes.
#[derive(Clone, Debug, Serialize)]
struct Figures {
    way: String,
    trials: u32,
    during_fills: u32,
    stale: u64,
    hits: u64,
    visible_ms: Option<Distribution>,
    read_after_ms: Option<Distribution>,
}

/// All figures of `router bench --changes`; its JSON form is the output of `--json`.
#[derive(Clone, Debug, Serialize)]
pub struct ChangesSummary {
    schema: u32,
    #[serde(flatten)]
    provenance: Provenance,
    ways: Vec<Figures>,
}

impl ChangesSummary {
    /// The figures of runs, each with the name of the way in which changes are seen.
    pub fn new(provenance: Provenance, runs: Vec<(String, ChangesRun)>) -> Self {
        let figures = |(way, run): (String, ChangesRun)| Figures {
            way,
            trials: run.trials,
            during_fills: run.during_fills,
            stale: run.stale,
            hits: run.hits,
            visible_ms: Distribution::of(run.visible),
            read_after_ms: Distribution::of(run.read_after),
        };
        Self {
            schema: SCHEMA,
            provenance,
            ways: runs.into_iter().map(figures).collect(),
        }
    }

    /// The figures as a plain text table.
    pub fn to_table(&self) -> String {
        let mut text = String::from(
            "From the commit of a change to the end of the first answer that shows it.\n\n",
        );
        let mut row = |name: &str, cell: &dyn Fn(&Figures) -> String| {
            text.push_str(&format!("{name:<32}"));
            for way in &self.ways {
                text.push_str(&format!("  {:>22}", cell(way)));
            }
            text.push('\n');
        };
        row("changes are seen by", &|way| way.way.clone());
        row("changes committed", &|way| count(u64::from(way.trials)));
        row("  while a fill was in flight", &|way| {
            count(u64::from(way.during_fills))
        });
        row("stale answers", &|way| count(way.stale));
        row("hits after the change", &|way| count(way.hits));
        let milliseconds =
            |shown: Option<f64>| shown.map_or("-".to_owned(), |ms| format!("{ms:.1} ms"));
        row("visible, p50", &|way| {
            milliseconds(way.visible_ms.map(|d| d.p50))
        });
        row("visible, p99", &|way| {
            milliseconds(way.visible_ms.map(|d| d.p99))
        });
        row("visible, max", &|way| {
            milliseconds(way.visible_ms.map(|d| d.max))
        });
        row("to X-Read-After, p50", &|way| {
            milliseconds(way.read_after_ms.map(|d| d.p50))
        });
        row("to X-Read-After, p99", &|way| {
            milliseconds(way.read_after_ms.map(|d| d.p99))
        });
        let provenance = &self.provenance;
        text.push_str(&format!(
            "\nrouter {}, {}; source: {}\n{}\n",
            provenance.version, provenance.date, provenance.source, provenance.command
        ));
        text
    }
}
