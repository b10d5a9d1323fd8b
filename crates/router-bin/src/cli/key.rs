//! `router key`: computes the cache key of each request on standard input.

use std::fmt::Write;

use cache_keys::{CanonicalJson, Field, KeyParts, KeyScheme, Md5Scheme};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::lines;
use crate::exit::Failure;

/// Prints the key of each line.
pub(super) fn run() -> Result<(), Failure> {
    let scheme = Md5Scheme::default();
    lines::translate(|line, answer| {
        let request = KeyRequest::parse(line)?;
        let key = scheme
            .key(&request.parts())
            .map_err(|error| error.to_string())?;
        // Writing to a `String` cannot fail.
        let _ = write!(answer, "{key}");
        Ok(())
    })
}

/// The parts of the key in one line of the input.
#[derive(Debug)]
struct KeyRequest {
    intent: String,
    user_id: Option<CanonicalJson>,
    user_role: Option<CanonicalJson>,
    message: String,
}

/// The members of a line as raw JSON. Each is parsed alone, so an error names its
/// member and numbers keep their digits.
#[derive(Deserialize)]
struct RawRequest<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    intent: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    user_context: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    message: Option<&'a RawValue>,
}

/// The members of a user context that are part of the key, as raw JSON.
#[derive(Deserialize)]
struct RawContext<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    user_id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    user_role: Option<&'a RawValue>,
}

/// Reads a member that may be `null`, which an `Option` alone would read as
/// absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl KeyRequest {
    fn parse(line: &str) -> Result<Self, String> {
        if kind(line) != "an object" {
            return Err(if line.trim().is_empty() {
                r#"the line is empty; write an object {"intent", "user_context", "message"}"#
                    .to_owned()
            } else {
                // A line that is not JSON has a syntax error first.
                serde_json::from_str::<&RawValue>(line).map_err(|error| syntax(line, &error))?;
                format!(
                    r#"found {}; write an object {{"intent", "user_context", "message"}}"#,
                    kind(line)
                )
            });
        }
        let members: RawRequest<'_> =
            serde_json::from_str(line).map_err(|error| syntax(line, &error))?;
        let intent = string("intent", members.intent)?.ok_or("`intent` is missing")?;
        let context = members
            .user_context
            .ok_or("`user_context` is missing; write {} for a guest")?
            .get();
        if kind(context) != "an object" {
            return Err(format!(
                "`user_context` must be an object, not {}",
                kind(context)
            ));
        }
        let context: RawContext<'_> = serde_json::from_str(context)
            .map_err(|error| format!("`user_context` {}", syntax(context, &error)))?;
        Ok(Self {
            intent,
            user_id: canonical("user_context.user_id", context.user_id)?,
            user_role: canonical("user_context.user_role", context.user_role)?,
            message: string("message", members.message)?.unwrap_or_default(),
        })
    }

    fn parts(&self) -> KeyParts<'_> {
        fn field(value: Option<&CanonicalJson>) -> Field<'_> {
            value.map_or(Field::Absent, Field::Canonical)
        }
        KeyParts {
            intent: &self.intent,
            user_id: field(self.user_id.as_ref()),
            user_role: field(self.user_role.as_ref()),
            message: &self.message,
        }
    }
}

fn string(member: &str, value: Option<&RawValue>) -> Result<Option<String>, String> {
    let Some(value) = value else { return Ok(None) };
    let kind = kind(value.get());
    if kind != "a string" {
        return Err(format!("`{member}` must be a string, not {kind}"));
    }
    serde_json::from_str(value.get())
        .map(Some)
        .map_err(|error| format!("`{member}` {}", syntax(value.get(), &error)))
}

fn canonical(member: &str, value: Option<&RawValue>) -> Result<Option<CanonicalJson>, String> {
    value
        .map(|value| CanonicalJson::parse(value.get()))
        .transpose()
        .map_err(|error| format!("`{member}{}` {}", error.path(), error.problem()))
}

/// The type of a JSON value, from its first character.
fn kind(json: &str) -> &'static str {
    match json.trim_start().bytes().next() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// Describes a syntax error. The parser of canonical values knows more about some
/// errors than serde_json, such as which member is `NaN`.
fn syntax(json: &str, error: &serde_json::Error) -> String {
    if let Err(error) = CanonicalJson::parse(json) {
        let path = error.path().trim_start_matches('.');
        let gap = if path.is_empty() { "" } else { " " };
        return format!("{path}{gap}{}", error.problem());
    }
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or(&text);
    format!("is not valid at column {}: {reason}", error.column())
}
