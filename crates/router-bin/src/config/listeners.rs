//! The sections of `[server]`: TLS, and the listener for administration.

use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fields::{file_path, some_address};
use super::units::Count;

/// TLS, on every listener. Both files or none.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TlsFiles {
    /// A PEM file with the certificate of the service, followed by those that lead to
    /// its root; absent: connections are not encrypted.
    #[serde(
        deserialize_with = "file_path",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) certificate: Option<PathBuf>,
    /// A PEM file with the private key of the certificate.
    #[serde(
        deserialize_with = "file_path",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) key: Option<PathBuf>,
}

/// A listener of its own for administration, metrics and the dashboard.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AdminListener {
    /// The address and port to listen on; absent: the one listener has all endpoints.
    #[serde(
        deserialize_with = "some_address",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "String")]
    pub(crate) listen: Option<SocketAddr>,
    /// How many of its connections are open at once.
    pub(crate) max_connections: Count<1, 1_000_000>,
}

impl Default for AdminListener {
    fn default() -> Self {
        Self {
            listen: None,
            max_connections: Count::of::<64>(),
        }
    }
}
