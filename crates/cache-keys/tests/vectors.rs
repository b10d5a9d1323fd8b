//! Keys, texts and checks that CPython computed.

use std::collections::HashMap;

use cache_keys::{CanonicalJson, Field, KeyParts, KeyScheme, Md5Scheme, canonical_text};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    intent: String,
    user_context: HashMap<String, CanonicalJson>,
    message: String,
    canonical: String,
    key: String,
}

#[test]
fn keys_are_those_of_python() {
    let scheme = Md5Scheme::default();
    let mut count = 0;
    for line in include_str!("data/vectors.jsonl").lines() {
        let vector: Vector = serde_json::from_str(line).unwrap();
        let member = |name| Field::from(vector.user_context.get(name));
        let parts = KeyParts {
            intent: &vector.intent,
            user_id: member("user_id"),
            user_role: member("user_role"),
            message: &vector.message,
        };
        assert_eq!(canonical_text(&parts).unwrap(), vector.canonical);
        assert_eq!(
            scheme.key(&parts).unwrap().to_string(),
            vector.key,
            "{line}"
        );
        count += 1;
    }
    assert_eq!(count, 2_000);
}

#[derive(Deserialize)]
struct CheckVector {
    intent: String,
    user_id: CanonicalJson,
    user_role: CanonicalJson,
    message: String,
    secret: String,
    key: String,
    check: String,
}

#[test]
fn checks_are_those_of_an_independent_implementation() {
    let mut count = 0;
    for line in include_str!("data/check-vectors.jsonl").lines() {
        let vector: CheckVector = serde_json::from_str(line).unwrap();
        let secret: cache_keys::Digest = vector.secret.parse().unwrap();
        let key = Md5Scheme::with_secret(*secret.as_bytes())
            .key(&KeyParts {
                intent: &vector.intent,
                user_id: Field::Canonical(&vector.user_id),
                user_role: Field::Str(&vector.user_role.text()),
                message: &vector.message,
            })
            .unwrap();
        assert_eq!(key.to_string(), vector.key, "{line}");
        assert_eq!(format!("{:032x}", key.check()), vector.check, "{line}");
        count += 1;
    }
    assert_eq!(count, 42);
}
