//! Labelled examples.

use std::io::BufRead;

use intent_model::Detection;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A message labelled with its intent, to train or to evaluate with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The message.
    pub text: String,
    /// The name of its intent; `oos` or `unknown` if it has none.
    pub intent: String,
}

impl Example {
    /// The usual name of "none of the intents" in data sets.
    pub const OUT_OF_SCOPE: &'static str = "oos";

    /// The longest line that [`read`](Self::read) accepts, in bytes.
    pub const MAX_LINE: usize = 1 << 20;

    /// An example of these two texts.
    pub fn new(text: impl Into<String>, intent: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            intent: intent.into(),
        }
    }

    /// Whether the message belongs to no intent, so that abstaining is right.
    /// Data sets label such messages `oos`, out of scope (Larson et al. 2019,
    /// "An Evaluation Dataset for Intent Classification and Out-of-Scope
    /// Prediction").
    pub fn is_out_of_scope(&self) -> bool {
        self.intent == Self::OUT_OF_SCOPE || self.intent == Detection::UNKNOWN
    }

    /// Reads JSON lines `{"text": …, "intent": …}`. Empty lines and other
    /// members are skipped.
    ///
    /// # Errors
    /// The first line that is not such an object, with its number.
    ///
    /// ```
    /// use intent_train::Example;
    ///
    /// let lines = "{\"text\": \"where is my card\", \"intent\": \"card_arrival\"}\n";
    /// let examples = Example::read(lines.as_bytes())?;
    /// assert_eq!(examples[0].intent, "card_arrival");
    ///
    /// let error = Example::read("\n{\"text\": \"hm\"}".as_bytes()).unwrap_err();
    /// assert_eq!(error.to_string(), "line 2: the member `intent` is missing");
    /// # Ok::<(), intent_train::ExampleError>(())
    /// ```
    pub fn read(lines: impl BufRead) -> Result<Vec<Self>, ExampleError> {
        let mut lines = lines;
        let mut examples = Vec::new();
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let mut bounded = std::io::Read::take(&mut lines, Self::MAX_LINE as u64 + 1);
            let reason = match bounded.read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(_) if line.len() > Self::MAX_LINE => LineError::TooLong,
                Ok(_) => match Self::parse(&line) {
                    Ok(example) => {
                        examples.extend(example);
                        continue;
                    }
                    Err(reason) => reason,
                },
                Err(error) => LineError::Io(error),
            };
            return Err(ExampleError {
                line: number,
                reason,
            });
        }
        Ok(examples)
    }

    /// The example on one line; `None` for an empty one.
    fn parse(line: &[u8]) -> Result<Option<Self>, LineError> {
        /// Members of any type, to distinguish a wrong one from a missing one.
        #[derive(Deserialize)]
        struct Line {
            text: Option<serde_json::Value>,
            intent: Option<serde_json::Value>,
        }

        let line = line.trim_ascii();
        // Some editors write a byte order mark before the first line.
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        if line.is_empty() {
            return Ok(None);
        }
        if !line.starts_with(b"{") {
            return Err(LineError::NoObject);
        }
        let Line { text, intent } = serde_json::from_slice(line).map_err(LineError::Json)?;
        Ok(Some(Self {
            text: member("text", text)?,
            intent: member("intent", intent)?,
        }))
    }
}

/// An example of a text with the name of its intent; without a name it is out
/// of scope.
impl From<(&str, Option<&str>)> for Example {
    fn from((text, intent): (&str, Option<&str>)) -> Self {
        Self::new(text, intent.unwrap_or(Self::OUT_OF_SCOPE))
    }
}

/// A member that must be a text and not blank.
fn member(name: &'static str, value: Option<serde_json::Value>) -> Result<String, LineError> {
    match value {
        None => Err(LineError::Missing(name)),
        Some(serde_json::Value::String(text)) if text.trim().is_empty() => {
            Err(LineError::Empty(name))
        }
        Some(serde_json::Value::String(text)) => Ok(text),
        Some(_) => Err(LineError::NoText(name)),
    }
}

/// A line of training or test data that is not an example.
#[derive(Debug, Error)]
#[error("line {line}: {reason}")]
pub struct ExampleError {
    line: usize,
    reason: LineError,
}

impl ExampleError {
    /// The number of the line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }
}

#[derive(Debug, Error)]
enum LineError {
    #[error("cannot be read: {0}")]
    Io(std::io::Error),
    #[error("longer than {} bytes", Example::MAX_LINE)]
    TooLong,
    #[error("expected a JSON object such as {{\"text\": \"…\", \"intent\": \"…\"}}")]
    NoObject,
    #[error("not valid JSON: {}", without_line(.0))]
    Json(serde_json::Error),
    #[error("the member `{0}` is missing")]
    Missing(&'static str),
    #[error("the member `{0}` is empty")]
    Empty(&'static str),
    #[error("the member `{0}` must be a string")]
    NoText(&'static str),
}

/// The parser's message with the column but not the line: it parsed a single
/// line, which it calls the first.
fn without_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.replace(" at line 1 column ", " at column ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &str, expect: Result<&[(&str, &str)], &str>) {
        match (Example::read(lines.as_bytes()), expect) {
            (Ok(found), Ok(expect)) => {
                let found: Vec<_> = found
                    .iter()
                    .map(|example| (example.text.as_str(), example.intent.as_str()))
                    .collect();
                assert_eq!(found, expect);
            }
            (Err(error), Err(expect)) => assert_eq!(error.to_string(), expect),
            (found, expect) => panic!("{found:?} instead of {expect:?}"),
        }
    }

    #[test]
    fn reads_lines_and_says_where_one_is_wrong() {
        check("", Ok(&[]));
        check(
            "\u{feff}{\"text\":\"a\",\"intent\":\"b\"}\r\n\n{\"intent\":\"d\",\"more\":[1],\"text\":\"ç\"}",
            Ok(&[("a", "b"), ("ç", "d")]),
        );
        let good = "{\"text\":\"a\",\"intent\":\"b\"}\n";
        let missing = format!("{good}\n{{\"intent\":\"b\"}}");
        check(&missing, Err("line 3: the member `text` is missing"));
        check(
            &format!("{good}{{\"text\":\" \",\"intent\":\"b\"}}"),
            Err("line 2: the member `text` is empty"),
        );
        check(
            "{\"text\":\"a\",\"intent\":7}",
            Err("line 1: the member `intent` must be a string"),
        );
        check(
            &format!("{good}where is my card"),
            Err("line 2: expected a JSON object such as {\"text\": \"…\", \"intent\": \"…\"}"),
        );
        check(
            &format!("{good}{{\"text\": oops}}"),
            Err("line 2: not valid JSON: expected value at column 10"),
        );
        let long = format!("{good}{}", "x".repeat(Example::MAX_LINE + 1));
        check(&long, Err("line 2: longer than 1048576 bytes"));
        let invalid = [good.as_bytes(), b"{\"text\":\"\xff\",\"intent\":\"b\"}"].concat();
        let error = Example::read(invalid.as_slice()).unwrap_err();
        assert_eq!(error.line(), 2);
    }

    #[test]
    fn knows_what_is_out_of_scope() {
        assert!(Example::new("a", "oos").is_out_of_scope());
        assert!(Example::new("a", "unknown").is_out_of_scope());
        assert!(!Example::new("a", "other").is_out_of_scope());
        assert!(Example::from(("a", None)).is_out_of_scope());
        assert_eq!(Example::from(("a", Some("b"))), Example::new("a", "b"));
    }
}
