//! Reading the model's files, with errors that name them.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::OpenError;

/// The whole file.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, OpenError> {
    fs::read(file).map_err(|reason| unreadable(file, reason))
}

/// The parsed JSON text of a file.
pub(crate) fn json<T: DeserializeOwned>(file: &Path, bytes: &[u8]) -> Result<T, OpenError> {
    serde_json::from_slice(bytes).map_err(|error| damaged(file, error.to_string()))
}

pub(crate) fn unreadable(file: &Path, reason: std::io::Error) -> OpenError {
    OpenError::Read {
        file: file.to_owned(),
        reason,
    }
}

pub(crate) fn damaged(file: &Path, reason: impl Into<String>) -> OpenError {
    OpenError::Damaged {
        file: file.to_owned(),
        reason: reason.into(),
    }
}

pub(crate) fn unsupported(file: &Path, reason: impl Into<String>) -> OpenError {
    OpenError::Unsupported {
        file: file.to_owned(),
        reason: reason.into(),
    }
}
