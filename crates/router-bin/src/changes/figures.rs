//! What was counted of the changes.

use std::collections::BTreeMap;
use std::time::Duration;

use live_data::Gap;
use parking_lot::Mutex;

/// The upper bounds of the buckets of the lag, in milliseconds; one more holds the rest.
pub(crate) const LAG_BOUNDS_MS: [u64; 10] = [1, 2, 5, 10, 25, 50, 100, 250, 1_000, 5_000];

/// The label of tables that the catalogue does not declare.
const UNDECLARED: &str = "other";

/// What was counted, and how things stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChangeFigures {
    /// Whether changes are applied in time.
    pub(crate) live: bool,
    /// How old the changes may be that are not applied; `None` in a gap.
    pub(crate) lag: Option<Duration>,
    /// Changes by declared table, and those of other tables together.
    pub(crate) changes: BTreeMap<String, u64>,
    /// Gaps by reason.
    pub(crate) gaps: BTreeMap<&'static str, u64>,
    /// Invalidations by their lag: in each bucket, all together, and their sum.
    pub(crate) lags: [u64; LAG_BOUNDS_MS.len() + 1],
    pub(crate) lag_sum: Duration,
}

/// The counts, shared with those who read them.
#[derive(Default)]
pub(super) struct ChangeCounts(Mutex<ChangeFigures>);

impl ChangeCounts {
    /// Counts a change of a declared table, or of another one.
    pub(super) fn change(&self, declared: Option<&str>) {
        let mut figures = self.0.lock();
        let table = declared.unwrap_or(UNDECLARED);
        match figures.changes.get_mut(table) {
            Some(count) => *count += 1,
            None => drop(figures.changes.insert(table.to_owned(), 1)),
        }
    }

    pub(super) fn gap(&self, reason: Gap) {
        *self.0.lock().gaps.entry(reason.as_str()).or_default() += 1;
    }

    /// Counts an invalidation, and the time from the commit or its notice to it.
    pub(super) fn lag(&self, lag: Duration) {
        let mut figures = self.0.lock();
        let is_within = |bound: &u64| lag <= Duration::from_millis(*bound);
        let bucket = LAG_BOUNDS_MS.iter().position(is_within);
        figures.lags[bucket.unwrap_or(LAG_BOUNDS_MS.len())] += 1;
        figures.lag_sum += lag;
    }

    pub(super) fn figures(&self, live: bool, lag: Option<Duration>) -> ChangeFigures {
        ChangeFigures {
            live,
            lag,
            ..self.0.lock().clone()
        }
    }
}
