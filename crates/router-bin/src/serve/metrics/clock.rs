//! The time of day.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time of day, at least the Unix epoch: an earlier one could not be written,
/// and a clock that was never set may show one.
pub(super) fn now() -> SystemTime {
    SystemTime::now().max(UNIX_EPOCH)
}
