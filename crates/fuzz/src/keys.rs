//! Compares the canonical text with another reader and another MD5.

use arbitrary::{Arbitrary, Unstructured};
use cache_keys::{
    CanonicalJson, Digest, Field, JsonProblem, KeyParts, KeyScheme, Md5Scheme, canonical_text,
};
use md5::{Digest as _, Md5};
use serde_json::Value;

/// An integer with at least this many digits may exceed 64 bits.
const TOO_WIDE: usize = 19;

/// Reads bytes as JSON text: the result is ASCII, canonical, and for another reader
/// the same value as the input.
///
/// # Panics
/// If it is not.
pub fn json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let other = serde_json::from_str::<Value>(text);
    let canonical = match CanonicalJson::parse(text) {
        Ok(canonical) => canonical,
        Err(error) => {
            let _ = error.to_string();
            let is_syntax = matches!(error.problem(), JsonProblem::Syntax { .. });
            assert!(other.is_err() || !is_syntax, "{error}: {text:?}");
            return;
        }
    };
    let written = canonical.as_str();
    let is_plain = written.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    assert!(is_plain, "not plain ASCII: {written:?}");
    assert_eq!(CanonicalJson::parse(written).as_ref(), Ok(&canonical));
    match other {
        Ok(value) => {
            let read = serde_json::from_str(written);
            let same = read.as_ref().is_ok_and(|read| is_same(&value, read));
            assert!(same, "{text:?} became {written:?}");
            check_value(&value, &canonical);
        }
        Err(error) => {
            // Its limit of depth is one level lower, and it reads integers
            // that no float can hold as such.
            let is_deep = error.to_string().contains("recursion limit");
            let is_huge = longest_digits(written) > f64::MAX_10_EXP as usize;
            assert!(is_deep || is_huge, "{error}: {text:?}");
        }
    }
    let _ = (canonical.text(), canonical.is_truthy());
}

/// The same text through a `Value`, which loses only wide integers.
fn check_value(value: &Value, canonical: &CanonicalJson) {
    match CanonicalJson::from_value(value) {
        Ok(through) if through == *canonical => {}
        // Wide integers became floats, and `-0` is one to this reader.
        Ok(through) => {
            let has_wide = longest_digits(canonical.as_str()) >= TOO_WIDE;
            let has_zero = through.as_str().contains("-0.0");
            assert!(has_wide || has_zero, "{canonical} became {through}");
        }
        Err(error) => panic!("{error}: {canonical}"),
    }
}

fn longest_digits(text: &str) -> usize {
    let runs = text.split(|c: char| !c.is_ascii_digit());
    runs.map(str::len).max().unwrap_or(0)
}

/// Whether two values are the same in Python, where `-0` is an integer.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || (one.as_f64() == Some(0.0) && other.as_f64() == Some(0.0))
        }
        (Value::Array(one), Value::Array(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let mut members = one.iter();
            let same = |(name, one): (&String, &Value)| {
                let other = other.get(name);
                other.is_some_and(|other| is_same(one, other))
            };
            one.len() == other.len() && members.all(same)
        }
        (one, other) => one == other,
    }
}

/// A request whose role may be any JSON text.
#[derive(Arbitrary, Debug)]
struct Request<'a> {
    secret: [u8; 16],
    has_role: bool,
    role: &'a str,
    intent: &'a str,
    id: &'a str,
    message: &'a str,
}

/// Makes the key of any request: its text is one JSON object of four members
/// that hold the parts, its digest that text's MD5, however the parts are
/// handed over.
///
/// # Panics
/// If it is not.
pub fn key(data: &[u8]) {
    let Ok(request) = Request::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let role = CanonicalJson::parse(request.role);
    let role = role.unwrap_or_else(|_| CanonicalJson::string(request.role));
    let role = request.has_role.then_some(&role);
    let parts = KeyParts {
        intent: request.intent,
        user_id: Field::Str(request.id),
        user_role: role.into(),
        message: request.message,
    };
    let scheme = Md5Scheme::with_secret(request.secret);
    let (Ok(text), Ok(key)) = (canonical_text(&parts), scheme.key(&parts)) else {
        panic!("parts that all can be written have no key: {request:?}");
    };
    assert!(text.is_ascii());
    assert_eq!(*key.digest(), Digest::from_bytes(Md5::digest(&text).into()));

    let hash = match request.message {
        "" => String::new(),
        message => Digest::from_bytes(Md5::digest(message).into()).to_string()[..8].to_owned(),
    };
    let quoted = |text| CanonicalJson::string(text).to_string();
    let expected = format!(
        r#"{{"intent": {}, "message_hash": "{hash}", "user_id": {}, "user_role": {}}}"#,
        quoted(request.intent),
        quoted(request.id),
        role.map_or(r#""guest""#, CanonicalJson::as_str),
    );
    assert_eq!(text, expected);

    let id = CanonicalJson::string(request.id);
    let same = KeyParts {
        user_id: Field::Canonical(&id),
        ..parts
    };
    assert_eq!(scheme.key(&same), Ok(key));
}
