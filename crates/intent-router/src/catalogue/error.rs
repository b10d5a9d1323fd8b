//! What is wrong with a catalogue file.

use std::fmt;

use thiserror::Error;

/// One problem of a catalogue file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Where in the document: `intent[3] "claim_status" phrases[0].weight`.
    /// Positions in arrays count from 0. Empty for the document as a whole.
    pub path: String,
    /// The line in the file, from 1.
    pub line: usize,
    /// What is wrong, and what is expected.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{} (line {})", self.message, self.line)
    }
}

/// Everything that is wrong with a catalogue file; displayed one problem a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct CatalogueError {
    problems: Vec<Problem>,
}

impl CatalogueError {
    /// The problems, sorted by line; never empty.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(super) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.line);
        Self { problems }
    }
}

impl fmt::Display for CatalogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}
