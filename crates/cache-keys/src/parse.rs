//! The reader: JSON text to a value that can be written.

use std::borrow::Cow;

use crate::error::{JsonError, JsonProblem};
use crate::limits::MAX_DEPTH;
use crate::number::Number;
use crate::python_json::Node;

/// Reads a text that is one JSON value with white space around it.
///
/// `serde_json` would lose large integers and the text of numbers, except with a
/// feature that changes it for the whole program. Time is linear in the text, except
/// for sorting members; the recursion is bounded by [`MAX_DEPTH`].
pub(crate) fn parse(text: &str) -> Result<Node<'_>, JsonError> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: 0,
    };
    let value = reader.value()?;
    reader.skip_space();
    if reader.at < text.len() {
        return Err(reader.expected("the end of the text"));
    }
    Ok(value)
}

/// The content of the JSON string whose text between the quotes is `inner`.
pub(crate) fn unescape(inner: &str) -> Result<Cow<'_, str>, JsonError> {
    let mut reader = Reader {
        text: inner,
        at: 0,
        depth: 0,
    };
    reader.string_until(None)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Whether `byte` comes next; if so, skips it.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expected(&self, expected: &'static str) -> JsonError {
        let offset = self.at;
        JsonProblem::Syntax { offset, expected }.into()
    }

    fn value(&mut self) -> Result<Node<'a>, JsonError> {
        self.skip_space();
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                Ok(Node::Text(self.string_until(Some(b'"'))?))
            }
            Some(b'[') => self.nested(Self::array),
            Some(b'{') => self.nested(Self::object),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.literal(),
        }
    }

    fn literal(&mut self) -> Result<Node<'a>, JsonError> {
        let rest = self.rest();
        for name in ["NaN", "Infinity"] {
            if rest.starts_with(name) {
                return Err(JsonProblem::NotFinite(name).into());
            }
        }
        for name in ["null", "true", "false"] {
            if rest.starts_with(name) {
                self.at += name.len();
                return Ok(Node::Literal(name));
            }
        }
        Err(self.expected("a value"))
    }

    fn number(&mut self) -> Result<Node<'a>, JsonError> {
        let rest = self.rest();
        if rest.starts_with("-Infinity") {
            return Err(JsonProblem::NotFinite("-Infinity").into());
        }
        let part = |b: &u8| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let len = rest.bytes().take_while(part).count();
        let number = Number::read(&rest[..len]).map_err(|problem| match problem {
            JsonProblem::Syntax { offset, expected } => JsonProblem::Syntax {
                offset: self.at + offset,
                expected,
            },
            other => other,
        })?;
        self.at += len;
        Ok(Node::Number(number))
    }

    /// Reads an array or object after its opening bracket.
    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Node<'a>, JsonError>,
    ) -> Result<Node<'a>, JsonError> {
        if self.depth == MAX_DEPTH {
            return Err(JsonProblem::TooDeep.into());
        }
        self.depth += 1;
        self.at += 1;
        self.skip_space();
        let node = read(self)?;
        self.depth -= 1;
        Ok(node)
    }

    fn array(&mut self) -> Result<Node<'a>, JsonError> {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Node::Array(items));
        }
        loop {
            let item = self.value().map_err(|e| e.in_item(items.len()))?;
            items.push(item);
            self.skip_space();
            if self.take(b']') {
                return Ok(Node::Array(items));
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    fn object(&mut self) -> Result<Node<'a>, JsonError> {
        let mut members = Vec::new();
        if self.take(b'}') {
            return Ok(Node::object(members));
        }
        loop {
            self.skip_space();
            if !self.take(b'"') {
                return Err(self.expected("a member's name in quotes"));
            }
            let name = self.string_until(Some(b'"'))?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.expected("`:`"));
            }
            let value = self.value().map_err(|e| e.in_member(&name))?;
            members.push((name, value));
            self.skip_space();
            if self.take(b'}') {
                return Ok(Node::object(members));
            }
            if !self.take(b',') {
                return Err(self.expected("`,` or `}`"));
            }
        }
    }

    /// Reads a string through its closing quote, or to the end of the text if `quote`
    /// is `None`. It is borrowed unless it has escapes.
    fn string_until(&mut self, quote: Option<u8>) -> Result<Cow<'a, str>, JsonError> {
        let mut decoded: Option<String> = None;
        loop {
            let rest = self.rest();
            let stop = |b: u8| Some(b) == quote || b == b'\\' || b < b' ';
            let len = rest.bytes().position(stop).unwrap_or(rest.len());
            // A run ends at an ASCII byte, and so between characters.
            let run = &rest[..len];
            self.at += len;
            match self.peek() {
                Some(b'\\') => {
                    let decoded = decoded.get_or_insert_default();
                    decoded.push_str(run);
                    decoded.push(self.escape()?);
                }
                Some(b) if b < b' ' => return Err(self.expected("a `\\u` escape")),
                next if next == quote => {
                    self.at += usize::from(quote.is_some());
                    return Ok(match decoded {
                        None => Cow::Borrowed(run),
                        Some(decoded) => Cow::Owned(decoded + run),
                    });
                }
                _ => return Err(self.expected("a closing quote")),
            }
        }
    }

    /// Reads the escape at the backslash that comes next.
    fn escape(&mut self) -> Result<char, JsonError> {
        self.at += 1;
        let c = match self.peek() {
            Some(b'u') => return self.unicode_escape(),
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.expected("one of `\"\\/bfnrtu`")),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let first = self.code_unit()?;
        let mut units = [first, 0];
        let mut len = 1;
        if matches!(first, 0xd800..0xdc00) && self.rest().starts_with("\\u") {
            self.at += 1;
            units[1] = self.code_unit()?;
            len = 2;
        }
        match char::decode_utf16(units.into_iter().take(len)).next() {
            Some(Ok(c)) => Ok(c),
            _ => Err(JsonProblem::LoneSurrogate(first).into()),
        }
    }

    /// Reads the `u` that comes next and its four hex digits.
    fn code_unit(&mut self) -> Result<u16, JsonError> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.expected("a hex digit"));
            };
            // A hex digit's value is below 16, so nothing is cut off.
            unit = unit << 4 | digit as u16;
            self.at += 1;
        }
        Ok(unit)
    }
}

#[cfg(test)]
mod tests;
