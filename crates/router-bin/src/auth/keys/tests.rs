//! Which keys are taken, and for which algorithms.

use serde_json::json;

use super::*;

const RSA: &str = include_str!("../../../tests/keys/rsa.pub");
const PRIVATE_RSA: &str = include_str!("../../../tests/keys/rsa.pem");
const SMALL_RSA: &str = include_str!("../../../tests/keys/small.pub");
const P256: &str = include_str!("../../../tests/keys/p256.pub");
const P384: &str = include_str!("../../../tests/keys/p384.pub");
const ED: &str = include_str!("../../../tests/keys/ed.pub");
const PRIVATE_ED: &str = include_str!("../../../tests/keys/ed.pem");

const PUBLIC: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// The algorithms that a file's keys are for.
fn algorithms(text: &str) -> Result<Vec<Algorithm>, String> {
    let keys = KeySet::file(text, &PUBLIC).map_err(|error| error.to_string())?;
    let has = |algorithm: &Algorithm| keys.candidates(None, *algorithm).next().is_some();
    Ok(PUBLIC.into_iter().filter(has).collect())
}

#[test]
fn a_public_key_is_for_the_algorithm_of_its_kind() {
    assert_eq!(algorithms(RSA), Ok(vec![Algorithm::RS256]));
    assert_eq!(algorithms(P256), Ok(vec![Algorithm::ES256]));
    assert_eq!(algorithms(ED), Ok(vec![Algorithm::EdDSA]));
    let set = json!({ "keys": [
        { "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "v68SpmnTpNcydEcNc5JKhH0vIjYBiiYZJiZtdt3NkeQ" },
        { "kty": "OKP", "crv": "X25519", "x": "v68SpmnTpNcydEcNc5JKhH0vIjYBiiYZJiZtdt3NkeQ" },
        { "kty": "from the future", "x": 1 },
    ]});
    assert_eq!(algorithms(&set.to_string()), Ok(vec![Algorithm::EdDSA]));
}

/// A set with an RSA key of 1024 bits, whose modulus has as many zeros before it.
fn padded_rsa() -> String {
    let modulus = "A".repeat(171) + "B" + &"x".repeat(169) + "w";
    json!({ "keys": [{ "kty": "RSA", "n": modulus, "e": "AQAB" }] }).to_string()
}

#[test]
fn files_that_hold_no_usable_public_key_are_refused() {
    let jwk = |member: &str, value: &str| {
        let mut key = json!({
            "kty": "OKP", "crv": "Ed25519", "x": "v68SpmnTpNcydEcNc5JKhH0vIjYBiiYZJiZtdt3NkeQ"
        });
        key[member] = json!(value);
        json!({ "keys": [key] }).to_string()
    };
    for (text, says) in [
        (PRIVATE_RSA.to_owned(), "private key"),
        (PRIVATE_ED.to_owned(), "private key"),
        (SMALL_RSA.to_owned(), "less than 2048 bits"),
        (padded_rsa(), "no key for any"),
        (P384.to_owned(), "another curve"),
        (format!("{RSA}{ED}"), "2 PEM blocks"),
        (RSA.replace("PUBLIC KEY", "CERTIFICATE"), "no public key"),
        (RSA.replace("MII", "MIJ"), "no public key"),
        (String::new(), "0 PEM blocks"),
        ("{}".to_owned(), "no JWKS"),
        ("{\"keys\": []}".to_owned(), "no key for any"),
        (jwk("use", "enc"), "no key for any"),
        (jwk("alg", "ES256"), "no key for any"),
        (jwk("x", "AAAA"), "no key for any"),
        (jwk("kty", "oct"), "no key for any"),
        (
            json!({ "keys": vec![json!({}); 33] }).to_string(),
            "33 keys",
        ),
    ] {
        match algorithms(&text) {
            Err(error) => assert!(error.contains(says), "{error}"),
            Ok(found) => panic!("{says}: {found:?}"),
        }
    }
    let wrong = KeySet::file(RSA, &[Algorithm::ES256]);
    assert!(wrong.is_err(), "the key is for none of the algorithms");
}

#[test]
fn a_secret_is_as_long_as_its_longest_hash() {
    let secret = |bytes, accepted: &[Algorithm]| {
        KeySet::secret(&"s".repeat(bytes), accepted)
            .map(|_| ())
            .is_ok()
    };
    assert!(secret(32, &[Algorithm::HS256]));
    assert!(!secret(31, &[Algorithm::HS256]));
    assert!(!secret(32, &[Algorithm::HS256, Algorithm::HS384]));
    assert!(secret(48, &[Algorithm::HS384]));
    assert!(!secret(63, &[Algorithm::HS512]));
    assert!(
        KeySet::secret(RSA, &[Algorithm::HS256]).is_err(),
        "everybody knows it"
    );
}

#[test]
fn a_name_picks_the_key_and_a_key_without_a_name_fits_all() {
    let x = "v68SpmnTpNcydEcNc5JKhH0vIjYBiiYZJiZtdt3NkeQ";
    let key = |name: Option<&str>| json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": name });
    let count = |names: &[Option<&str>], id| {
        let set = json!({ "keys": names.iter().map(|name| key(*name)).collect::<Vec<_>>() });
        let keys = KeySet::jwks(set.to_string().as_bytes(), &PUBLIC).expect("keys");
        keys.candidates(id, Algorithm::EdDSA).count()
    };
    let named = [Some("a"), Some("b"), Some("b")];
    assert_eq!(count(&named, Some("a")), 1);
    assert_eq!(count(&named, Some("b")), 2);
    assert_eq!(count(&named, Some("c")), 0);
    assert_eq!(count(&named, None), 3);
    assert_eq!(count(&[None], Some("c")), 1);
}
