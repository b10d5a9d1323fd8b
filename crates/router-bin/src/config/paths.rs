//! Paths of files.

use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Reads the path of a file, which must not be empty.
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
