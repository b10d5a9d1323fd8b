//! A JSON value kept in its canonical form.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::JsonError;
use crate::json_string::write_string;
use crate::parse::{parse, unescape};
use crate::python_json::Node;

/// A JSON value in the form that Python's `json.dumps(sort_keys=True)` writes
/// after `json.loads` read it.
///
/// Values are different if Python writes them differently, whatever the layout of
/// their texts: `1` and `1.0` differ, `{"a":1,"b":2}` and
/// `{ "b": 2, "a": 1 }` do not. Order and hash are those of the canonical text.
/// A clone shares the text.
///
/// It deserialises from JSON text only, not through formats or `serde`
/// features that buffer values (`flatten`, untagged enums): a buffered number
/// has lost its text.
///
/// ```
/// use cache_keys::CanonicalJson;
///
/// let value = CanonicalJson::parse(r#"{ "scores": [1E-5, 12345678901234567890123], "id": "é" }"#)?;
/// assert_eq!(
///     value.as_str(),
///     r#"{"id": "\u00e9", "scores": [1e-05, 12345678901234567890123]}"#
/// );
/// # Ok::<(), cache_keys::JsonError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalJson(Arc<str>);

impl CanonicalJson {
    /// Reads a JSON text (RFC 8259), exact for integers of up to
    /// [`MAX_DIGITS`](crate::MAX_DIGITS) digits. Of several members with one
    /// name the last counts, as in Python.
    ///
    /// Takes time linear in the text, except for sorting the members of objects.
    ///
    /// # Errors
    /// A text that is not one JSON value, or a value without a canonical form:
    /// see [`JsonProblem`](crate::JsonProblem). The error names `NaN` and
    /// infinities, which Python reads.
    pub fn parse(json_text: &str) -> Result<Self, JsonError> {
        parse(json_text).map(|node| Self::of(&node))
    }

    /// The canonical form of `value`. A [`Value`] may have lost parts of its text:
    /// unless `serde_json` was built with
    /// `arbitrary_precision`, integers beyond 64 bits have become floats and
    /// `-0` has become `-0.0`. [`parse`](Self::parse) loses nothing.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), except for syntax.
    pub fn from_value(value: &Value) -> Result<Self, JsonError> {
        Node::of(value, 0).map(|node| Self::of(&node))
    }

    /// The JSON string that holds `text`.
    pub fn string(text: &str) -> Self {
        let mut json = Vec::with_capacity(text.len() + 2);
        write_string(&mut json, text);
        Self::of_ascii(json)
    }

    fn of(node: &Node<'_>) -> Self {
        let mut json = Vec::new();
        node.write(&mut json);
        Self::of_ascii(json)
    }

    fn of_ascii(json: Vec<u8>) -> Self {
        Self(ascii_text(json).into())
    }

    /// The canonical text: ASCII, without line breaks.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The content of a JSON string; for any other value its canonical text. Borrowed unless the string has escapes.
    pub fn text(&self) -> Cow<'_, str> {
        let quoted = self.0.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
        match quoted.map(unescape) {
            Some(Ok(text)) => text,
            // Every canonical string can be unescaped, so this is not a string.
            Some(Err(_)) | None => Cow::Borrowed(&self.0),
        }
    }

    /// Whether the value is true in Python: all but `null`, `false`, zero, and the
    /// empty string, array and object.
    pub fn is_truthy(&self) -> bool {
        let falsy = ["null", "false", "0", "0.0", "-0.0", "\"\"", "[]", "{}"];
        !falsy.contains(&&*self.0)
    }
}

/// The canonical writer's output as text.
pub(crate) fn ascii_text(json: Vec<u8>) -> String {
    // Proof: the writer escapes every character outside ASCII, so the bytes are
    // UTF-8. The tests of `json_string` check this.
    String::from_utf8(json).expect("canonical JSON is ASCII")
}

impl fmt::Display for CanonicalJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for CanonicalJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CanonicalJson({})", self.0)
    }
}

impl Serialize for CanonicalJson {
    /// Writes the value itself, in its canonical text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CanonicalJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> CanonicalJson {
        CanonicalJson::parse(text).unwrap()
    }

    #[test]
    fn truth_is_as_python_means_it() {
        for falsy in [
            "null", "false", "0", "-0", "0.0", "-0.0", "0e9", "1e-999", "\"\"", "[ ]", "{ }",
        ] {
            assert!(!parsed(falsy).is_truthy(), "{falsy}");
        }
        for truthy in [
            "true",
            "1",
            "-1",
            "0.1",
            "5e-324",
            "\" \"",
            "\"0\"",
            "[0]",
            "[[]]",
            r#"{"":0}"#,
        ] {
            assert!(parsed(truthy).is_truthy(), "{truthy}");
        }
    }

    #[test]
    fn text_is_what_a_string_holds() {
        assert!(matches!(parsed("\"BEN-1\"").text(), Cow::Borrowed("BEN-1")));
        assert_eq!(parsed(r#""\"a\\\u00e9\ud83d\udc69""#).text(), "\"a\\é👩");
        assert_eq!(parsed("\"\"").text(), "");
        assert_eq!(parsed(r#"["a"]"#).text(), r#"["a"]"#);
        assert_eq!(parsed("12").text(), "12");
        assert_eq!(CanonicalJson::string("a\"é"), parsed(r#""a\"é""#));
    }

    #[test]
    fn serde_carries_the_value_itself() {
        #[derive(Serialize, Deserialize, PartialEq, Debug)]
        struct Context {
            user_id: CanonicalJson,
            user_role: Option<CanonicalJson>,
        }
        let text = r#"{"user_id":{"b": 123456789012345678901234567890,"a":-0},"user_role":null}"#;
        let context: Context = serde_json::from_str(text).unwrap();
        assert_eq!(
            context.user_id.as_str(),
            r#"{"a": 0, "b": 123456789012345678901234567890}"#
        );
        let written = serde_json::to_string(&context).unwrap();
        assert_eq!(
            written,
            r#"{"user_id":{"a": 0, "b": 123456789012345678901234567890},"user_role":null}"#
        );
        assert_eq!(
            serde_json::from_reader::<_, Context>(written.as_bytes()).unwrap(),
            context
        );
        let value: Value = serde_json::to_value(parsed(r#"{"a": [1]}"#)).unwrap();
        assert_eq!(value, serde_json::json!({"a": [1]}));
        assert_eq!(
            serde_json::from_value::<CanonicalJson>(value).unwrap(),
            parsed(r#"{"a": [1]}"#)
        );
    }

    #[test]
    fn errors_keep_their_words_through_serde() {
        let error = serde_json::from_str::<CanonicalJson>("[1e999]").unwrap_err();
        assert!(error.to_string().starts_with("$[0] is Infinity"), "{error}");
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let error = serde_json::from_str::<CanonicalJson>(&deep).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("is nested more than 128 levels deep"),
            "{error}"
        );
    }
}
