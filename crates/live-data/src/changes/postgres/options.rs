//! [`PostgresChangesOptions`], and the runtime of the connections.

use std::time::Duration;

use crate::error::OpenError;

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

/// A runtime for the connections, on the calling thread.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, OpenError> {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    built.map_err(|error| OpenError::Threads(error.to_string()))
}
