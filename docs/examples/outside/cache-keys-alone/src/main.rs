//! `cache-keys` on its own: keys that a Python service computes, too.
//!
//! Each step asserts what it says, so a run that ends without a panic proves
//! this page. The keys written out here are CPython's.

use std::collections::HashMap;
use std::error::Error;

use cache_keys::{
    CacheKey, CanonicalJson, Digest, Field, KeyError, KeyParts, KeyScheme, Md5Scheme,
    canonical_text,
};

fn main() -> Result<(), Box<dyn Error>> {
    key_of_a_request()?;
    big_integers()?;
    errors_name_the_field();
    check_next_to_the_digest()?;
    println!("cache-keys alone: all held");
    Ok(())
}

/// The key is the MD5 of the text that `json.dumps(…, sort_keys=True)` writes.
fn key_of_a_request() -> Result<(), KeyError> {
    let parts = KeyParts {
        intent: "claim_status",
        user_id: Field::Str("BEN-000001"),
        // A member that the context does not have counts as "guest"; one that
        // is `null` would be `Field::Value(&Value::Null)`, and another key.
        user_role: Field::Absent,
        message: "Wo bleibt meine Zahlung? 🙂",
    };
    assert_eq!(
        canonical_text(&parts)?,
        r#"{"intent": "claim_status", "message_hash": "0ae9c146", "user_id": "BEN-000001", "user_role": "guest"}"#
    );
    let key = Md5Scheme::default().key(&parts)?;
    assert_eq!(key.to_string(), "16b1c12e18d76f6c312cd196b0f519ce");
    Ok(())
}

/// Values that come as JSON keep what they are: integers of any size, `1` and
/// `1.0` apart, members in the order of their names.
fn big_integers() -> Result<(), Box<dyn Error>> {
    let user_id = CanonicalJson::parse(r#"{"tenant": 1.0, "id": 123456789012345678901234567890}"#)?;
    assert_eq!(
        user_id.as_str(),
        r#"{"id": 123456789012345678901234567890, "tenant": 1.0}"#
    );
    let key = Md5Scheme::default().key(&KeyParts {
        intent: "payment_status",
        user_id: Field::Canonical(&user_id),
        user_role: Field::Str("employer"),
        message: "",
    })?;
    assert_eq!(key.to_string(), "1d341cff4af3c204391e8dd6a674ec72");
    Ok(())
}

/// What no JSON text can carry is refused, with the field and the place in it.
fn errors_name_the_field() {
    let error = CanonicalJson::parse(r#"{"scores": [0.5, NaN]}"#)
        // The parser does not know which field it reads; its caller does.
        .map_err(KeyError::UserId)
        .expect_err("NaN is no JSON");
    assert_eq!(
        error.to_string(),
        "user_id.scores[1] is NaN, which JSON cannot represent: send a finite number or null"
    );
}

/// Two keys are equal only if digest *and* check are: a digest may collide.
fn check_next_to_the_digest() -> Result<(), Box<dyn Error>> {
    // Their MD5 begins with the same eight digits, which is all of a message
    // that the digest covers.
    let [one, other] = [
        "What is the status of claim CLM-2025-028687?",
        "What is the status of claim CLM-2025-091407?",
    ];
    let key = |scheme: &Md5Scheme, message| {
        scheme.key(&KeyParts {
            intent: "claim_status",
            user_id: Field::Str("BEN-000001"),
            user_role: Field::Str("beneficiary"),
            message,
        })
    };
    let scheme = Md5Scheme::default();
    let (one, other) = (key(&scheme, one)?, key(&scheme, other)?);
    assert_eq!(one.digest(), other.digest());
    assert_ne!(one, other);

    // So a map by key never gives one's answer to the other.
    let mut answers = HashMap::from([(one, "two open claims")]);
    assert_eq!(answers.get(&other), None);
    assert_eq!(answers.remove(&one), Some("two open claims"));

    // Processes that share a store share a secret, and store the check with each
    // entry, next to the digest.
    let secret = *b"16 random bytes.";
    let [here, there] = [secret; 2].map(Md5Scheme::with_secret);
    let sent = key(&here, "hello")?;
    let digest: Digest = sent.to_string().parse()?;
    assert_eq!(CacheKey::new(digest, sent.check()), key(&there, "hello")?);
    Ok(())
}
