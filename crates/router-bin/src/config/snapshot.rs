//! `[cache.snapshot]`: the stored answers over a restart.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fields::file_path;
use super::units::{Downtime, Period};

/// The snapshot of the stored answers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SnapshotSettings {
    /// The file that the stored answers are written to, and loaded from at the start;
    /// absent: a start is cold. It holds personal data.
    #[serde(
        deserialize_with = "file_path",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) file: Option<PathBuf>,
    /// How often the file is written while the service runs; 0s: only when it stops.
    pub(crate) every: Period,
    /// How long no process may have run for the file to be loaded. It bounds the time
    /// in which invalidations found nobody.
    pub(crate) max_down: Downtime,
}

impl Default for SnapshotSettings {
    fn default() -> Self {
        Self {
            file: None,
            every: Period::seconds::<300>(),
            max_down: Downtime::seconds::<60>(),
        }
    }
}
