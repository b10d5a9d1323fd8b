//! `[privacy]` and `[audit]`: what is told about people, and about those who
//! administer the service.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fields::file_path;

/// What logs and statistics show of people.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Privacy {
    /// Whether logs and statistics show user identifiers and roles as they are;
    /// otherwise they show keyed hashes.
    pub(crate) show_ids: bool,
    /// A file with the key of the hashes, 16 to 4,096 random bytes, so that a user
    /// has the same hash after a restart; absent: a random key for each process.
    #[serde(
        deserialize_with = "file_path",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) key_file: Option<PathBuf>,
}

/// The record of administrative acts.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuditLog {
    /// The file to which a line of JSON is added for each administrative act;
    /// absent: the log, with the target `audit`.
    #[serde(
        deserialize_with = "file_path",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) file: Option<PathBuf>,
}
