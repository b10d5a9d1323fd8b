//! [`PostgresChangesOptions`].

use std::time::Duration;

/// How a PostgreSQL database is watched.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PostgresChangesOptions {
    /// The time between two questions to the server how far it is, which is how exactly
    /// the lag is known while nothing changes. Default: 250 ms.
    pub heartbeat: Duration,
}

impl Default for PostgresChangesOptions {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(250),
        }
    }
}
