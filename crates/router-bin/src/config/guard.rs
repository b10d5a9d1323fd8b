//! How the source of records is guarded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::{Count, Timeout};

/// When calls stop, because the source fails.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Breaker {
    /// After how many failures in a row no call is made for a while.
    pub(crate) failures: Count<1, 1000>,
    /// For how long no call is made the first time. It doubles while the source goes
    /// on failing.
    pub(crate) open_for: Timeout,
    /// The longest time without a call.
    pub(crate) longest_open: Timeout,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            failures: Count::of::<5>(),
            open_for: Timeout::seconds::<1>(),
            longest_open: Timeout::seconds::<10>(),
        }
    }
}

/// How many calls are made at a time, which adapts to the source's speed. At most one
/// for each connection.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limit {
    /// How few calls at a time the limit may fall to.
    pub(crate) least: Count<1, 256>,
    /// How many times its usual latency an intent's calls may take before the source
    /// counts as slow and the limit falls.
    pub(crate) tolerance: Count<2, 1000>,
}

impl Default for Limit {
    fn default() -> Self {
        Self {
            least: Count::of::<1>(),
            tolerance: Count::of::<2>(),
        }
    }
}
