//! When, how and against what a run was made.

use std::time::SystemTime;

use serde::Serialize;

/// What a reader needs to repeat a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// The program's version.
    pub(crate) version: String,
    /// When the run ended, RFC 3339 in UTC.
    pub(crate) date: String,
    /// The command that repeats the run.
    pub(crate) command: String,
    /// The source of records, such as `embedded SQLite, demo data`.
    pub(crate) source: String,
}

impl Provenance {
    /// The provenance of a run that ends now. `source` is shown to people and
    /// must hold no password.
    pub fn now(command: impl Into<String>, source: impl Into<String>) -> Self {
        Self {
            // The workspace has one version.
            version: env!("CARGO_PKG_VERSION").into(),
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            command: command.into(),
            source: source.into(),
        }
    }
}
