//! Requests whose digests are equal still have keys that differ.

use cache_keys::{CacheKey, Digest, Field, KeyParts, KeyScheme, Md5Scheme, canonical_text};
use hashbrown::HashMap;
use md5::{Digest as _, Md5};
use serde::Deserialize;

#[derive(Deserialize)]
struct Pair {
    a: String,
    b: String,
    message_hash: Option<String>,
}

#[allow(clippy::unwrap_used, reason = "a test fails where its helpers do")]
fn pairs() -> Vec<Pair> {
    include_str!("data/message-hash-collisions.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn parts<'a>(user_id: &'a str, message: &'a str) -> KeyParts<'a> {
    KeyParts {
        intent: "claim_status",
        user_id: Field::Str(user_id),
        user_role: Field::Absent,
        message,
    }
}

#[test]
fn messages_of_one_hash_have_keys_of_their_own() {
    let schemes = [
        Md5Scheme::default(),
        Md5Scheme::with_secret([0; 16]),
        Md5Scheme::with_secret(*b"a shared secret!"),
    ];
    let mut whole = 0;
    for pair in pairs() {
        whole += usize::from(Md5::digest(&pair.a) == Md5::digest(&pair.b));
        let text = canonical_text(&parts("BEN-000001", &pair.a)).unwrap();
        if let Some(hash) = &pair.message_hash {
            assert!(text.contains(&format!("\"message_hash\": \"{hash}\"")));
        }
        for scheme in &schemes {
            let key = |message| scheme.key(&parts("BEN-000001", message)).unwrap();
            let (a, b) = (key(&pair.a), key(&pair.b));
            assert_eq!(a.digest(), b.digest());
            assert_ne!(a.check(), b.check());
            assert_ne!(a, b);
            assert_eq!(a, key(&pair.a));
        }
    }
    assert_eq!(whole, 1, "one pair collides in all of MD5");
}

/// The same where the text is too long for the stack.
#[test]
fn long_texts_have_checks_too() {
    let scheme = Md5Scheme::default();
    let user_id = "x".repeat(10_000);
    for pair in pairs() {
        let key = |message| scheme.key(&parts(&user_id, message)).unwrap();
        let (a, b) = (key(&pair.a), key(&pair.b));
        assert_eq!(a.digest(), b.digest());
        assert_ne!(a, b);
    }
}

#[test]
fn a_table_keeps_colliding_requests_apart_and_finds_them_by_digest() {
    let scheme = Md5Scheme::default();
    let pair = pairs().pop().unwrap();
    let keys: Vec<CacheKey> = [&pair.a, &pair.b]
        .map(|message| scheme.key(&parts("BEN-000001", message)).unwrap())
        .into();
    let mut table = HashMap::new();
    table.insert(keys[0], "a");
    assert_eq!(table.get(&keys[1]), None);
    table.insert(keys[1], "b");
    assert_eq!(table.get(&keys[0]), Some(&"a"));

    let digest: Digest = *keys[0].digest();
    let mut removed = Vec::new();
    while let Some(value) = table.remove(&digest) {
        removed.push(value);
    }
    removed.sort_unstable();
    assert_eq!(removed, ["a", "b"]);
}

#[test]
fn the_secret_is_one_for_the_process_and_decides_the_check() {
    let parts = parts("BEN-000001", "hello");
    let key = |scheme: Md5Scheme| scheme.key(&parts).unwrap();
    assert_eq!(key(Md5Scheme::default()), key(Md5Scheme::default()));
    assert_eq!(
        key(Md5Scheme::with_secret([1; 16])),
        key(Md5Scheme::with_secret([1; 16]))
    );
    assert_ne!(
        key(Md5Scheme::with_secret([1; 16])),
        key(Md5Scheme::with_secret([2; 16]))
    );
    assert_ne!(
        key(Md5Scheme::default()),
        key(Md5Scheme::with_secret([0; 16]))
    );
    assert_eq!(
        format!("{:?}", Md5Scheme::with_secret([1; 16])),
        "Md5Scheme { .. }"
    );
}
