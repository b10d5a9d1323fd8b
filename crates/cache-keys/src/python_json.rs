//! The writer that matches CPython's `json.dumps(sort_keys=True)` byte for byte.

use std::borrow::Cow;

use serde_json::Value;

use crate::error::{JsonError, JsonProblem};
use crate::json_string::{Sink as _, write_string};
use crate::limits::MAX_DEPTH;
use crate::number::{Number, Repr};

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
    /// An object with these members. As in Python, the last of several members with
    /// one name counts, and names are ordered by code point, which is the order of
    /// their UTF-8 bytes.
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

    /// The node of a value inside `depth` arrays and objects.
    pub(crate) fn of(value: &'a Value, depth: usize) -> Result<Self, JsonError> {
        if depth > MAX_DEPTH || (depth == MAX_DEPTH && (value.is_array() || value.is_object())) {
            return Err(JsonProblem::TooDeep.into());
        }
        Ok(match value {
            Value::Null => Self::Literal("null"),
            Value::Bool(true) => Self::Literal("true"),
            Value::Bool(false) => Self::Literal("false"),
            // A number is read from its text, because with `arbitrary_precision`,
            // which a dependent may enable, it has nothing else.
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

#[cfg(test)]
mod tests {
    use super::*;

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
