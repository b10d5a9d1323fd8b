//! What is wrong with a configuration: every error at once, each with its place.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a setting was made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// In the file, on this line.
    File(usize),
    /// In the environment variable of this name.
    Environment(String),
}

/// One thing that is wrong.
#[derive(Debug)]
pub(crate) struct ConfigError {
    /// Where it is; `None` for the file as a whole.
    pub(super) origin: Option<Origin>,
    /// The dotted path of the setting; empty where no setting is meant.
    pub(super) path: String,
    /// What is wrong, and what to do.
    pub(super) reason: String,
}

/// Everything that is wrong with a configuration. Its text has a line for each
/// error: the place, the path of the setting, the reason.
#[derive(Debug)]
pub(crate) struct ConfigErrors {
    pub(super) file: Option<PathBuf>,
    pub(super) errors: Vec<ConfigError>,
}

impl ConfigErrors {
    /// An error about the file as a whole.
    pub(super) fn unreadable(file: &Path, reason: String) -> Self {
        Self {
            file: Some(file.to_owned()),
            errors: vec![ConfigError {
                origin: None,
                path: String::new(),
                reason,
            }],
        }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.errors.len();
        let plural = if count == 1 { "error" } else { "errors" };
        write!(f, "the configuration has {count} {plural}")?;
        for error in &self.errors {
            f.write_str("\n  ")?;
            match (&error.origin, &self.file) {
                (Some(Origin::Environment(name)), _) => write!(f, "{name} (environment): ")?,
                (Some(Origin::File(line)), Some(file)) => write!(f, "{}:{line}: ", file.display())?,
                (_, Some(file)) => write!(f, "{}: ", file.display())?,
                (_, None) => {}
            }
            if !error.path.is_empty() {
                write!(f, "{}: ", error.path)?;
            }
            f.write_str(&error.reason)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
