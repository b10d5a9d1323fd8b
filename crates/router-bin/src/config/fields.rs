//! Reads values whose type alone does not say what may be written.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Reads an IP address with a port, for a setting that may be absent.
pub(super) fn some_address<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<SocketAddr>, D::Error> {
    listen_address(from).map(Some)
}

/// Reads an IP address with a port.
pub(super) fn listen_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        D::Error::custom(format_args!(
            "`{}` is not an IP address with a port; write it as \"127.0.0.1:8080\" or \"[::1]:8080\"",
            text.escape_debug()
        ))
    })
}

/// Reads the path of a file, which is not empty.
pub(super) fn file_path<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<PathBuf>, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    if path.as_os_str().is_empty() {
        return Err(D::Error::custom(
            "the path is empty; name a file, or leave the key out",
        ));
    }
    Ok(Some(path))
}
