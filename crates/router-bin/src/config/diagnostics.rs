//! Where a setting comes from, and the error with everything that is wrong.

use std::fmt;
use std::path::Path;

use intent_router::{Diagnostic, LineColumn};

/// Where a setting was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// In the configuration file, at this position.
    File(LineColumn),
    /// In the environment variable of this name.
    Environment(String),
    /// By this option of the command line.
    Option(&'static str),
}

impl Origin {
    /// Places a diagnostic at a setting; `path` is empty if no setting is meant.
    /// The name of the file is added by [`ConfigError::new`].
    pub(super) fn place(&self, path: &str, diagnostic: Diagnostic) -> Diagnostic {
        let diagnostic = diagnostic.with_path(path);
        match self {
            Self::File(start) => diagnostic.with_start(*start),
            Self::Environment(name) => diagnostic.with_source(format!("{name} (environment)")),
            Self::Option(name) => diagnostic.with_source((*name).to_owned()),
        }
    }
}

/// Everything that is wrong with a configuration. Its text has a line for each
/// problem.
#[derive(Debug)]
pub(crate) struct ConfigError {
    diagnostics: Vec<Diagnostic>,
}

impl ConfigError {
    /// Sorts the diagnostics: those of the file in its order, then those of the
    /// environment. Those without a source are the file's.
    pub(super) fn new(file: Option<&Path>, mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics.sort_by(|a, b| {
            let key = |of: &'_ Diagnostic| (of.span.source.clone(), of.span.start);
            (key(a), &a.path).cmp(&(key(b), &b.path))
        });
        // Keys below an unsupported or unknown table share one error.
        let text = |of: &Diagnostic| (of.path.clone(), of.text());
        diagnostics.dedup_by(|b, a| !a.path.is_empty() && text(a) == text(b));
        if let Some(file) = file {
            let name = file.display().to_string();
            for diagnostic in &mut diagnostics {
                diagnostic.span.source.get_or_insert_with(|| name.clone());
            }
        }
        Self { diagnostics }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.diagnostics.len();
        let plural = if count == 1 { "error" } else { "errors" };
        write!(f, "the configuration has {count} {plural}")?;
        for diagnostic in &self.diagnostics {
            write!(f, "\n  {diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
