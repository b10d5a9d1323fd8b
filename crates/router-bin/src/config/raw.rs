//! Settings as they were written, in the file or in the environment.

use toml::Value;

use super::diagnostics::Origin;

/// Tables that are reserved for later versions.
pub(super) const LATER: [&str; 1] = ["shared"];

/// A setting as it was written, before it is checked.
pub(super) struct Setting {
    pub(super) path: Vec<String>,
    pub(super) value: Value,
    pub(super) origin: Origin,
}
