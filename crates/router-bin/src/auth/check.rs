//! Collects everything that is wrong with the settings of `[auth]`.

use intent_router::Diagnostic;

use crate::config::{Config, ConfigError};

/// The errors found so far.
pub(super) struct Check<'a> {
    config: &'a Config,
    errors: Vec<Diagnostic>,
}

impl<'a> Check<'a> {
    pub(super) fn new(config: &'a Config) -> Self {
        Self {
            config,
            errors: Vec::new(),
        }
    }

    /// Adds an error about a setting.
    pub(super) fn found(&mut self, path: &str, error: Diagnostic) {
        self.errors.push(self.config.place(path, error));
    }

    /// The value, unless it is an error about a setting, which is added.
    pub(super) fn take<T>(&mut self, path: &str, value: Result<T, Diagnostic>) -> Option<T> {
        value.map_err(|error| self.found(path, error)).ok()
    }

    /// The value, unless an error was found.
    pub(super) fn end<T>(self, value: T) -> Result<T, ConfigError> {
        if self.errors.is_empty() {
            Ok(value)
        } else {
            Err(self.config.refused(self.errors))
        }
    }
}
