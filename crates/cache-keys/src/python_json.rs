//! The writer that matches CPython's `json.dumps(sort_keys=True)` byte for byte.

use std::borrow::Cow;

use serde_json::Value;

use crate::MAX_DEPTH;
use crate::error::{JsonError, JsonProblem};
use crate::key::hex;
use crate::number::{Number, Repr};

/// Takes JSON text piece by piece. Every piece is ASCII.
pub(crate) trait Sink {
    /// Appends `ascii`.
    fn put(&mut self, ascii: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, ascii: &[u8]) {
        self.extend_from_slice(ascii);
    }
}

/// A JSON value in the order in which it is written.
pub(crate) enum Node<'a> {
    /// `null`, `true` or `false`.
    Literal(&'static str),
    Number(Number<'a>),
    Text(Cow<'a, str>),
    Array(Vec<Node<'a>>),
    /// Members by ascending name, each name once: made by [`Node::object`].
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// An object with these members. As in Python, the last of several members
    /// of one name counts, and names are ordered by code point: the order of
    /// their bytes in UTF-8.
    pub(crate) fn object(mut members: Vec<(Cow<'a, str>, Node<'a>)>) -> Self {
        members.sort_by(|(one, _), (other, _)| one.cmp(other));
        members.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        Self::Object(members)
    }

    /// The node of a value that `depth` arrays and objects surround.
    pub(crate) fn of(value: &'a Value, depth: usize) -> Result<Self, JsonError> {
        if depth > MAX_DEPTH || (depth == MAX_DEPTH && (value.is_array() || value.is_object())) {
            return Err(JsonProblem::TooDeep.into());
        }
        Ok(match value {
            Value::Null => Self::Literal("null"),
            Value::Bool(true) => Self::Literal("true"),
            Value::Bool(false) => Self::Literal("false"),
            // A number is read from its text, which is all that is left of it
            // when a dependent turned on `arbitrary_precision`.
            Value::Number(number) => Self::Number(Number::read(&number.to_string())?.into_owned()),
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(items) => Self::Array(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| Self::of(item, depth + 1).map_err(|e| e.in_item(index)))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(members) => Self::object(
                members
                    .iter()
                    .map(|(name, value)| match Self::of(value, depth + 1) {
                        Ok(node) => Ok((Cow::Borrowed(name.as_str()), node)),
                        Err(error) => Err(error.in_member(name)),
                    })
                    .collect::<Result<_, _>>()?,
            ),
        })
    }

    /// Appends the value's text. The recursion is as deep as the value, which
    /// the reader bounds by [`MAX_DEPTH`](crate::MAX_DEPTH).
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Literal(text) => out.put(text.as_bytes()),
            Self::Number(Number::Int(digits)) => out.put(digits.as_bytes()),
            Self::Number(Number::Float(value)) => out.put(Repr(*value).to_string().as_bytes()),
            Self::Text(text) => write_string(out, text),
            Self::Array(items) => {
                out.put(b"[");
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.put(b", ");
                    }
                    item.write(out);
                }
                out.put(b"]");
            }
            Self::Object(members) => {
                out.put(b"{");
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.put(b", ");
                    }
                    write_string(out, name);
                    out.put(b": ");
                    value.write(out);
                }
                out.put(b"}");
            }
        }
    }
}

/// Appends `text` as a JSON string.
#[inline]
pub(crate) fn write_string(out: &mut impl Sink, text: &str) {
    out.put(b"\"");
    let mut rest = text;
    loop {
        let (plain, escaped) = rest.split_at(plain_prefix(rest.as_bytes()));
        out.put(plain.as_bytes());
        let mut chars = escaped.chars();
        let Some(c) = chars.next() else { break };
        write_escape(out, c);
        rest = chars.as_str();
    }
    out.put(b"\"");
}

/// Whether a byte stands for itself in a JSON string that is ASCII.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// How many bytes at the start need no escape.
#[inline]
fn plain_prefix(bytes: &[u8]) -> usize {
    let words = bytes.chunks_exact(8);
    let plain_words = words
        .take_while(|word| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(word);
            all_plain(u64::from_le_bytes(bytes))
        })
        .count();
    let sure = plain_words * 8;
    let more = bytes[sure..].iter().take_while(|&&byte| is_plain(byte));
    sure + more.count()
}

/// Whether all eight bytes are plain.
#[inline]
const fn all_plain(word: u64) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
    /// High bits where a byte is zero, or above one that is.
    const fn zero(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word
    }
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let delete = zero(word ^ (ONES * 0x7f));
    let quote = zero(word ^ (ONES * b'"' as u64));
    let backslash = zero(word ^ (ONES * b'\\' as u64));
    (word | control | delete | quote | backslash) & HIGHS == 0
}

/// Appends the escape of a character that is not plain.
fn write_escape(out: &mut impl Sink, c: char) {
    let short = match c {
        '"' => br#"\""#,
        '\\' => br"\\",
        '\n' => br"\n",
        '\r' => br"\r",
        '\t' => br"\t",
        '\u{8}' => br"\b",
        '\u{c}' => br"\f",
        _ => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let [a, b, c, d] = hex(&unit.to_be_bytes());
                out.put(&[b'\\', b'u', a, b, c, d]);
            }
            return;
        }
    };
    out.put(short);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let mut written = Vec::new();
        write_string(&mut written, text);
        assert_eq!(String::from_utf8(written).unwrap(), expect, "{text:?}");
    }

    #[test]
    fn strings_are_escaped_as_python_escapes_them() {
        check("", r#""""#);
        check("a/b ~ it's", r#""a/b ~ it's""#);
        check("\"\\", r#""\"\\""#);
        check(
            "\u{8}\t\n\u{b}\u{c}\r\0\u{1f}",
            r#""\b\t\n\u000b\f\r\u0000\u001f""#,
        );
        check("\u{7f}\u{80}é", r#""\u007f\u0080\u00e9""#);
        check("\u{2028}\u{ffff}", r#""\u2028\uffff""#);
        check("a👩z", r#""a\ud83d\udc69z""#);
    }

    /// The scan by words agrees with the definition, wherever in a word the
    /// byte stands and whatever stands beside it.
    #[test]
    fn plain_bytes_are_found_at_every_place() {
        for byte in 0..=u8::MAX {
            for beside in [b' ', b'a', b'~', b'"' + 1, b'\\' - 1, 0x80] {
                for at in 0..20 {
                    let mut bytes = [beside; 20];
                    bytes[at] = byte;
                    let expect = bytes.iter().take_while(|&&b| is_plain(b)).count();
                    assert_eq!(plain_prefix(&bytes), expect, "{byte:#x} at {at}");
                }
            }
        }
    }

    #[test]
    fn the_last_member_of_a_name_counts() {
        let number = |digits| Node::Number(Number::Int(Cow::Borrowed(digits)));
        let members = vec![
            (Cow::Borrowed("b"), number("1")),
            (Cow::Borrowed("a"), number("2")),
            (Cow::Borrowed("b"), number("3")),
            (Cow::Borrowed("b"), number("4")),
        ];
        let mut text = Vec::new();
        Node::object(members).write(&mut text);
        assert_eq!(text, br#"{"a": 2, "b": 4}"#);
    }
}
