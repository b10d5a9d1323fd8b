//! [`PostgresChangesOptions`], and what follows from them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::wire::Target;
use crate::error::OpenError;

/// How a PostgreSQL database is watched.
#[derive(Clone)]
pub struct PostgresChangesOptions {
    /// The time between two questions to the server how far it is. The lag is known
    /// this exactly while nothing changes.
    pub heartbeat: Duration,
    /// How TLS connections are made. Without, only servers on this machine can be
    /// reached, or those whose URL says `sslmode=disable`.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

impl Default for PostgresChangesOptions {
    /// A question every 250 ms, and no TLS.
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(250),
            tls: None,
        }
    }
}

impl fmt::Debug for PostgresChangesOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresChangesOptions")
            .field("heartbeat", &self.heartbeat)
            .field("tls", &self.tls.is_some())
            .finish()
    }
}

/// Reads a URL.
pub(super) fn target(url: &str, options: &PostgresChangesOptions) -> Result<Target, OpenError> {
    let config = url.parse().map_err(|error| OpenError::Database {
        // The URL may hold a password, so it is not shown.
        name: "of the Postgres URL".to_owned(),
        reason: format!("{error}"),
    })?;
    let tls = options.tls.clone();
    Ok(Target { config, tls })
}

/// A runtime for the connections, on the calling thread.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, OpenError> {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    built.map_err(|error| OpenError::Threads(error.to_string()))
}
