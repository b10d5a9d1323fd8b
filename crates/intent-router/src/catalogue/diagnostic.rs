//! Diagnostics: what is wrong with a text, where, and what to do about it.

use std::fmt;

use thiserror::Error;

/// How serious a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The text cannot be used.
    Error,
    /// The text can be used, but probably does not do what it is meant to.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// A position in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in bytes of UTF-8.
    pub column: u32,
}

/// The part of a source text that a [`Diagnostic`] is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceSpan {
    /// The name of the text, such as a file's path; `None` for a text without a
    /// name.
    pub source: Option<String>,
    /// Where the part starts; `None` for the text as a whole.
    pub start: Option<LineColumn>,
}

impl fmt::Display for SourceSpan {
    /// `intents.toml:3:7`, `intents.toml` or `line 3, column 7`; nothing if
    /// neither is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.source, self.start) {
            (Some(source), Some(LineColumn { line, column })) => {
                write!(f, "{source}:{line}:{column}")
            }
            (Some(source), None) => f.write_str(source),
            (None, Some(LineColumn { line, column })) => write!(f, "line {line}, column {column}"),
            (None, None) => Ok(()),
        }
    }
}

/// One problem of a catalogue or of another text.
///
/// ```
/// use intent_router::{Diagnostic, LineColumn};
///
/// let problem = Diagnostic::error("`kind` is missing")
///     .with_remedy("write live_data or knowledge_base")
///     .with_path("intent[0]")
///     .with_start(LineColumn { line: 3, column: 1 })
///     .with_source("intents.toml");
/// assert_eq!(
///     problem.to_string(),
///     "intents.toml:3:1: intent[0]: `kind` is missing; write live_data or knowledge_base"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// How serious it is.
    pub severity: Severity,
    /// Where it is in the text.
    pub span: SourceSpan,
    /// Where it is in the document: `intent[3] "claim_status" phrases[0].weight`.
    /// Positions in arrays count from 0. Empty for the document as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where the message does not say so itself.
    pub remedy: Option<String>,
}

impl Diagnostic {
    /// An error without a position.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            span: SourceSpan::default(),
            path: String::new(),
            message: message.into(),
            remedy: None,
        }
    }

    /// A warning without a position.
    pub fn warning(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(message)
        }
    }

    /// The same with a remedy.
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The same with this path in the document.
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The same at this position in the text.
    pub fn with_start(mut self, start: LineColumn) -> Self {
        self.span.start = Some(start);
        self
    }

    /// The same in the text of this name.
    pub fn with_source(mut self, source: impl Into<String>) -> Self {
        self.span.source = Some(source.into());
        self
    }

    /// The line that it starts on, from 1; `None` for the text as a whole.
    pub fn line(&self) -> Option<u32> {
        self.span.start.map(|start| start.line)
    }

    /// The message and the remedy, without the position.
    pub fn text(&self) -> String {
        match &self.remedy {
            Some(remedy) => format!("{}; {remedy}", self.message),
            None => self.message.clone(),
        }
    }
}

impl fmt::Display for Diagnostic {
    /// Span, path, message and remedy, as far as they are known; not the
    /// severity.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.span != SourceSpan::default() {
            write!(f, "{}: ", self.span)?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

/// Finds the line and column of a byte offset. Building it costs a pass over the
/// text, a look-up a binary search over its lines.
///
/// ```
/// use intent_router::{LineColumn, LineIndex};
///
/// let lines = LineIndex::new("a = 1\nbc = 2\n");
/// assert_eq!(lines.position(9), LineColumn { line: 2, column: 4 });
/// ```
#[derive(Clone, Debug)]
pub struct LineIndex {
    /// The offset after each line end.
    starts: Vec<usize>,
}

impl LineIndex {
    /// Indexes the lines of a text.
    pub fn new(text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            starts: newlines.map(|(i, _)| i + 1).collect(),
        }
    }

    /// The position of a byte offset. An offset after the end of the text counts
    /// as one on the last line. Numbers beyond 32 bits are [`u32::MAX`].
    pub fn position(&self, offset: usize) -> LineColumn {
        let before = self.starts.partition_point(|start| *start <= offset);
        let start = before.checked_sub(1).map_or(0, |last| self.starts[last]);
        LineColumn {
            line: u32::try_from(before + 1).unwrap_or(u32::MAX),
            column: u32::try_from(offset - start + 1).unwrap_or(u32::MAX),
        }
    }
}

/// All problems of a catalogue file, displayed one per line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct CatalogueError {
    diagnostics: Vec<Diagnostic>,
}

impl CatalogueError {
    /// The problems in the order of the text; never empty.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// `diagnostics` must not be empty.
    pub(super) fn new(mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics.sort_by_key(Diagnostic::line);
        Self { diagnostics }
    }
}

impl fmt::Display for CatalogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.diagnostics.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_shows_what_is_known_of_its_place() {
        let check = |diagnostic: Diagnostic, expect: &str| {
            assert_eq!(diagnostic.to_string(), expect);
        };
        let start = LineColumn { line: 2, column: 5 };
        let bad = || Diagnostic::error("bad");
        check(bad(), "bad");
        check(bad().with_path("a.b"), "a.b: bad");
        check(bad().with_source("f"), "f: bad");
        check(bad().with_start(start), "line 2, column 5: bad");
        check(bad().with_source("f").with_start(start), "f:2:5: bad");
        check(bad().with_remedy("mend it"), "bad; mend it");
        assert_eq!(bad().with_path("a").with_remedy("mend").text(), "bad; mend");
        assert_eq!(Diagnostic::warning("odd").severity.to_string(), "warning");
    }

    #[test]
    fn positions_are_lines_and_columns_in_bytes() {
        let check = |text: &str, offset: usize, line: u32, column: u32| {
            let found = LineIndex::new(text).position(offset);
            assert_eq!(found, LineColumn { line, column }, "{offset} of {text:?}");
        };
        check("", 0, 1, 1);
        check("ab", 1, 1, 2);
        check("a\nb", 1, 1, 2);
        check("a\nb", 2, 2, 1);
        check("a\n", 2, 2, 1);
        check("a\n", 9, 2, 8);
        check("é = 1", 3, 1, 4);
    }
}
