//! The same requests, keyed here and by CPython.
//!
//! Skipped with a notice if there is no `python3`. `PROPTEST_CASES` sets how
//! many requests are compared.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test says what it skipped, and fails where its helpers do"
)]

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use cache_keys::{
    CanonicalJson, Field, JsonProblem, KeyParts, KeyScheme, Md5Scheme, canonical_text,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// One interpreter, asked line by line.
struct Python {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Python {
    fn start() -> Option<RefCell<Self>> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/reference.py");
        let spawned = Command::new("python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        match spawned {
            Ok(mut child) => Some(RefCell::new(Self {
                input: child.stdin.take().unwrap(),
                output: BufReader::new(child.stdout.take().unwrap()),
                child,
            })),
            Err(error) => {
                eprintln!("SKIPPED: nothing was compared with CPython: python3: {error}");
                None
            }
        }
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.input, "{request}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?} for {request}"))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It may be gone already, which is all that is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn runner() -> TestRunner {
    TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })
}

/// JSON texts in every layout: numbers in all forms, strings with and without
/// escapes, members in any order and repeated.
fn json_text() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        "-?(0|[1-9][0-9]{0,60})",
        "-?(0|[1-9][0-9]{0,20})\\.[0-9]{1,25}",
        "-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,20})?[eE][+-]?[0-9]{1,3}",
        any::<u64>()
            .prop_map(f64::from_bits)
            .prop_filter_map("finite", |x| x.is_finite().then(|| format!("{x:e}"))),
        (0..40i32, any::<u32>()).prop_map(|(e, m)| format!("{m}e-{e}")),
    ];
    let character = prop_oneof![
        4 => "[ -!#-\\[\\]-~]",
        1 => any::<char>().prop_filter_map("raw", |c| (c >= ' ' && c != '"' && c != '\\').then(|| c.to_string())),
        1 => "\\\\[\"\\\\/bfnrt]",
        1 => "\\\\u[0-9a-fA-F]{4}",
        1 => any::<char>().prop_map(|c| c
            .encode_utf16(&mut [0; 2])
            .iter()
            .map(|unit| format!("\\u{unit:04X}"))
            .collect()),
        1 => Just("\u{7f}".to_owned()),
    ];
    let string = prop::collection::vec(character, 0..12)
        .prop_map(|characters| format!("\"{}\"", characters.concat()));
    let literal = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "NaN",
        "Infinity",
        "-Infinity",
    ]);
    let leaf = prop_oneof![
        2 => number,
        2 => string.clone(),
        1 => literal.prop_map(str::to_owned),
        1 => Just("\"guest\"".to_owned()),
    ];
    let space = "[ \t\r\n]{0,2}";
    let name = prop_oneof![string, "\"[a-c\u{ffff}\u{10000}]{0,2}\""];
    leaf.prop_recursive(5, 24, 5, move |inner| {
        let item = (space, inner.clone(), space).prop_map(|(a, v, b)| a + &v + &b);
        let member = (space, name.clone(), space, inner, space)
            .prop_map(|(a, n, b, v, c)| format!("{a}{n}{b}:{v}{c}"));
        prop_oneof![
            (space, prop::collection::vec(item, 0..5))
                .prop_map(|(s, items)| format!("[{}{s}]", items.join(","))),
            (space, prop::collection::vec(member, 0..5))
                .prop_map(|(s, members)| format!("{{{}{s}}}", members.join(","))),
        ]
    })
}

#[test]
fn requests_have_the_same_keys() {
    let Some(python) = Python::start() else {
        return;
    };
    let field = || prop::option::weighted(0.9, json_text());
    let message = prop_oneof![any::<String>(), "[ -~]{0,130}"];
    let requests = (any::<String>(), field(), field(), message, any::<u128>());
    let compare = |(intent, user_id, user_role, message, secret): (
        String,
        Option<String>,
        Option<String>,
        String,
        u128,
    )| {
        let answer = python.borrow_mut().ask(&json!({
            "intent": intent, "user_id": user_id, "user_role": user_role, "message": message,
            "secret": format!("{secret:032x}"),
        }));
        let parsed = |text: &Option<String>| text.as_deref().map(CanonicalJson::parse).transpose();
        let (Ok(user_id), Ok(user_role)) = (parsed(&user_id), parsed(&user_role)) else {
            prop_assert!(answer["error"].is_string(), "{}", answer);
            return Ok(());
        };
        let parts = KeyParts {
            intent: &intent,
            user_id: user_id.as_ref().into(),
            user_role: user_role.as_ref().into(),
            message: &message,
        };
        prop_assert_eq!(
            &canonical_text(&parts).unwrap(),
            answer["canonical"].as_str().unwrap_or_default()
        );
        let key = Md5Scheme::with_secret(secret.to_be_bytes())
            .key(&parts)
            .unwrap();
        prop_assert_eq!(&json!(key.to_string()), &answer["key"]);
        prop_assert_eq!(&json!(format!("{:032x}", key.check())), &answer["check"]);
        Ok(())
    };
    runner().run(&requests, compare).unwrap();
}

/// Texts with parts removed or inserted; most are no longer JSON.
#[test]
fn the_same_texts_are_refused() {
    let Some(python) = Python::start() else {
        return;
    };
    let edit = (
        any::<prop::sample::Index>(),
        prop::option::of("[\\[\\]{}\",:0-9eE+.\\\\u\u{0}\t é-]"),
    );
    let texts = (json_text(), prop::collection::vec(edit, 0..3)).prop_map(|(text, edits)| {
        let mut text: Vec<char> = text.chars().collect();
        for (place, put) in edits {
            let at = place.index(text.len() + 1);
            match put {
                Some(put) => drop(text.splice(at..at, put.chars())),
                None => drop(text.drain(at..(at + 1).min(text.len()))),
            }
        }
        text.into_iter().collect::<String>()
    });
    let compare = |text: String| {
        let answer = python.borrow_mut().ask(&json!({ "json": text }));
        match CanonicalJson::parse(&text) {
            Ok(canonical) => {
                prop_assert_eq!(answer["canonical"].as_str(), Some(canonical.as_str()))
            }
            Err(error) => prop_assert!(answer["error"].is_string(), "{}: {}", error, answer),
        }
        Ok(())
    };
    runner().run(&texts, compare).unwrap();
}

#[test]
fn floats_are_written_alike() {
    let Some(python) = Python::start() else {
        return;
    };
    let near = |exponents: std::ops::Range<i32>| {
        // Powers of ten and their neighbours, where the number of digits turns.
        (exponents, -3..=3i64).prop_map(|(exponent, step)| {
            let power: f64 = format!("1e{exponent}").parse().unwrap();
            power.to_bits().saturating_add_signed(step)
        })
    };
    let bits = prop_oneof![
        8 => any::<u64>(),
        4 => (any::<i64>(), 0..20i32).prop_map(|(m, e)| (m as f64 / 10f64.powi(e)).to_bits()),
        2 => near(-330..309),
        2 => near(-8..20),
        1 => any::<u32>().prop_map(u64::from),
    ];
    let compare = |batch: Vec<u64>| {
        let finite = |bits: &u64| f64::from_bits(*bits).is_finite();
        let batch: Vec<u64> = batch.into_iter().filter(finite).collect();
        let hex: Vec<String> = batch.iter().map(|bits| format!("{bits:016x}")).collect();
        let answer = python.borrow_mut().ask(&json!({ "floats": hex }));
        for (bits, repr) in batch.iter().zip(answer["reprs"].as_array().unwrap()) {
            let value = f64::from_bits(*bits);
            let repr = repr.as_str().unwrap();
            for text in [
                format!("{value:e}"),
                format!("{value:.1100}"),
                repr.to_owned(),
            ] {
                let canonical = CanonicalJson::parse(&text).unwrap();
                prop_assert_eq!(canonical.as_str(), repr, "{:016x}", bits);
            }
            let canonical = CanonicalJson::from_value(&json!(value)).unwrap();
            prop_assert_eq!(canonical.as_str(), repr, "{:016x}", bits);
        }
        Ok(())
    };
    let powers_of_two = (0..2048).map(|exponent| exponent << 52);
    compare(powers_of_two.collect()).unwrap();
    runner()
        .run(&prop::collection::vec(bits, 100), compare)
        .unwrap();
}

/// Where Python writes a key and this crate refuses to: the whole list.
#[test]
fn differences_are_the_documented_ones() {
    let Some(python) = Python::start() else {
        return;
    };
    let deep = "[".repeat(129) + &"]".repeat(129);
    let answer = python.borrow_mut().ask(&json!({ "json": deep }));
    assert_eq!(answer["canonical"], json!(deep));
    assert_eq!(
        CanonicalJson::parse(&deep).unwrap_err().problem(),
        &JsonProblem::TooDeep
    );

    let ask = |user_id: &str| {
        let request = json!({
            "intent": "", "user_id": user_id, "user_role": null, "message": "",
            "secret": "0".repeat(32),
        });
        python.borrow_mut().ask(&request)
    };
    for text in ["NaN", "-Infinity", "1e999", r#""\ud800""#] {
        assert!(
            ask(text)["error"].is_string(),
            "the reference refuses {text} too"
        );
        assert!(CanonicalJson::parse(text).is_err(), "{text}");
    }
    let digits = "1".repeat(4301);
    if ask(&digits)["error"].is_null() {
        eprintln!("this python3 has no limit on the digits of integers");
    }
    assert_eq!(
        CanonicalJson::parse(&digits).unwrap_err().problem(),
        &JsonProblem::TooManyDigits
    );
    let user_id = CanonicalJson::parse(&digits[1..]).unwrap();
    let parts = KeyParts {
        intent: "",
        user_id: Field::Canonical(&user_id),
        user_role: Field::Absent,
        message: "",
    };
    let key = Md5Scheme::default().key(&parts).unwrap();
    assert_eq!(ask(&digits[1..])["key"], json!(key.to_string()));
}
