//! `[changes]`: invalidation by the changes that the database reports.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::Timeout;

/// Invalidation by the changes that the database reports.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChangesSettings {
    /// Whether the database is watched for changes by others. It needs a database:
    /// embedded demo data does not change.
    pub(crate) enabled: bool,
    /// How often a SQLite database is looked at.
    pub(crate) poll: Timeout,
    /// How old the changes may be that are not applied yet, before `when_behind`
    /// applies.
    pub(crate) max_lag: Timeout,
    /// How answers are cached while changes are not seen in time.
    pub(crate) when_behind: WhenBehind,
}

impl Default for ChangesSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            poll: Timeout::milliseconds::<25>(),
            max_lag: Timeout::seconds::<2>(),
            when_behind: WhenBehind::default(),
        }
    }
}

/// How answers are cached while changes are not seen in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhenBehind {
    /// Not at all: every question is asked of the database.
    #[default]
    Bypass,
    /// By their TTL alone, as without changes.
    Ttl,
}
