//! Errors, and their position in the input.

use std::fmt;

use thiserror::Error;

/// Why a request has no key: the invalid member, the path inside it, and the
/// reason.
///
/// ```
/// use cache_keys::{CanonicalJson, KeyError};
///
/// let error = CanonicalJson::parse(r#"{"scores": [1, 2, 1e999]}"#)
///     .map_err(KeyError::UserId)
///     .unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "user_id.scores[2] is Infinity, which JSON cannot represent: send a finite number or null",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The user's identity cannot be written.
    #[error("user_id{} {}", .0.path(), .0.problem())]
    UserId(JsonError),
    /// The user's role cannot be written.
    #[error("user_role{} {}", .0.path(), .0.problem())]
    UserRole(JsonError),
}

/// A JSON value without a canonical form: the reason and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    path: String,
    problem: JsonProblem,
}

/// Paths are for people: beyond this many bytes the inner end is cut, as are member
/// names beyond [`NAME_CHARS`] characters.
const PATH_BYTES: usize = 200;
const NAME_CHARS: usize = 40;

impl JsonError {
    /// The path from the value to the offending part, such as `.scores[2]`;
    /// empty when it is the value itself. At most a few hundred bytes: long
    /// names and deep paths are cut, with `…` in place of the rest.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The reason.
    pub fn problem(&self) -> &JsonProblem {
        &self.problem
    }

    pub(crate) fn in_item(self, index: usize) -> Self {
        self.under(format!("[{index}]"))
    }

    pub(crate) fn in_member(self, name: &str) -> Self {
        let plain = !name.is_empty()
            && name.len() <= NAME_CHARS
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if plain {
            return self.under(format!(".{name}"));
        }
        let cut = name.char_indices().nth(NAME_CHARS).map(|(at, _)| at);
        let mut quoted = Vec::new();
        crate::json_string::write_string(&mut quoted, &name[..cut.unwrap_or(name.len())]);
        let quoted = String::from_utf8_lossy(&quoted);
        let rest = if cut.is_some() { "…" } else { "" };
        self.under(format!("[{quoted}{rest}]"))
    }

    fn under(mut self, mut step: String) -> Self {
        step.push_str(&self.path);
        if step.len() > PATH_BYTES {
            let mut end = PATH_BYTES;
            while !step.is_char_boundary(end) {
                end -= 1;
            }
            step.truncate(end);
            step.push('…');
        }
        self.path = step;
        self
    }
}

impl From<JsonProblem> for JsonError {
    fn from(problem: JsonProblem) -> Self {
        Self {
            path: String::new(),
            problem,
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${} {}", self.path, self.problem)
    }
}

impl std::error::Error for JsonError {}

/// The reasons why a JSON text or value has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JsonProblem {
    /// The text is not JSON (RFC 8259).
    #[error("is not valid JSON: expected {expected} at byte {offset}")]
    Syntax {
        /// Offset in bytes in the text given to the parser.
        offset: usize,
        /// What was expected there.
        expected: &'static str,
    },
    /// A number that is not finite: one of the names that Python writes for
    /// such numbers, or digits beyond the range of a 64-bit float.
    #[error("is {0}, which JSON cannot represent: send a finite number or null")]
    NotFinite(
        /// `NaN`, `Infinity` or `-Infinity`.
        &'static str,
    ),
    /// An integer of more digits than CPython reads by default.
    #[error("is an integer with more than {} digits", crate::limits::MAX_DIGITS)]
    TooManyDigits,
    /// Half of a surrogate pair, which is not a character.
    #[error("contains an unpaired surrogate (\\u{0:04x}): send whole characters")]
    LoneSurrogate(
        /// The surrogate, 0xd800 to 0xdfff.
        u16,
    ),
    /// Arrays and objects nested beyond the limit.
    #[error("is nested more than {} levels deep", crate::limits::MAX_DEPTH)]
    TooDeep,
}

/// Why a text is not the hex form of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseDigestError {
    /// Not 32 bytes long.
    #[error("a digest has 32 hex digits, but this text has {0} bytes")]
    Length(
        /// The text's length in bytes.
        usize,
    ),
    /// A byte that is not one of `0-9a-fA-F`.
    #[error("byte {0} of the digest is not a hex digit")]
    Digit(
        /// Offset in bytes.
        usize,
    ),
}
