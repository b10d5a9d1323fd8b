//! The options of every section.

use std::path::{Path, PathBuf};

/// The options from the command line.
pub(crate) struct Run<'a> {
    pub(crate) quick: bool,
    pub(crate) only: Vec<String>,
    pub(crate) traces: Vec<PathBuf>,
    pub(crate) budget: usize,
    /// The program that counts its allocations.
    pub(crate) counted: &'a Path,
}

impl Run<'_> {
    /// Whether a cache of this name was selected.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty()
            || name.starts_with("cache-core")
            || self.only.iter().any(|text| name.contains(text.as_str()))
    }
}
