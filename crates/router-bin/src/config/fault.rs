//! What is wrong with a file that the configuration names, and where.

use std::fmt;
use std::path::Path;

use intent_router::CatalogueProblem;
use serde::Serialize;

/// One thing that is wrong with a file, or with what it describes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    /// The file; absent where nothing of it is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// The line, from 1; absent for the file as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// The place in the document; empty for the document as a whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) path: String,
    /// What is wrong, and what to do.
    pub(crate) message: String,
}

impl Fault {
    /// Something that is wrong and stands in no file.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            file: None,
            line: None,
            path: String::new(),
            message: message.into(),
        }
    }

    /// Something that is wrong with a file as a whole.
    pub(crate) fn of_file(file: &Path, message: impl Into<String>) -> Self {
        Self {
            file: Some(file.display().to_string()),
            ..Self::new(message)
        }
    }

    /// A problem of the catalogue in `file`.
    pub(crate) fn of_catalogue(file: &Path, problem: &CatalogueProblem) -> Self {
        Self {
            line: Some(problem.line),
            path: problem.path.clone(),
            ..Self::of_file(file, &*problem.message)
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}: ")?,
            (Some(file), None) => write!(f, "{file} ")?,
            (None, _) => {}
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}
