//! Tokens with every fault, and with each algorithm.

use std::time::{SystemTime, UNIX_EPOCH};

use cache_keys::CanonicalJson;
use intent_router::UserContext;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::*;
use crate::auth::caller::ClaimedUser;

const RSA: &str = include_str!("../../../tests/keys/rsa.pem");
const RSA_PUBLIC: &str = include_str!("../../../tests/keys/rsa.pub");
const P256: &str = include_str!("../../../tests/keys/p256.pem");
const P256_PUBLIC: &str = include_str!("../../../tests/keys/p256.pub");
const ED: &str = include_str!("../../../tests/keys/ed.pem");
const ED_PUBLIC: &str = include_str!("../../../tests/keys/ed.pub");
const OTHER_ED: &str = include_str!("../../../tests/keys/other-ed.pem");
const SECRET: &str = "a secret of the tests that is long enough for HS512, 64 bytes or more";

fn seconds(from_now: i64) -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    now.as_secs().saturating_add_signed(from_now)
}

/// Claims that are valid for `jwt`.
fn claims() -> Value {
    json!({
        "sub": "anna", "role": "member", "exp": seconds(600), "nbf": seconds(-600),
        "iss": "https://id.example.org", "aud": ["other", "router"],
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().expect("an object").remove(name);
    claims
}

fn ed(pem: &str) -> EncodingKey {
    EncodingKey::from_ed_pem(pem.as_bytes()).expect("a key")
}

fn signed(claims: &Value, algorithm: Algorithm, key: &EncodingKey) -> String {
    encode(&Header::new(algorithm), claims, key).expect("a token")
}

fn settings() -> JwtSettings {
    JwtSettings {
        issuer: Some("https://id.example.org".to_owned()),
        audience: vec!["router".to_owned()],
        role_claim: Some("role".to_owned()),
        ..JwtSettings::default()
    }
}

/// A checker of tokens that are signed with `keys`.
fn jwt(keys: KeySet, algorithms: &[Algorithm], settings: &JwtSettings) -> Jwt {
    Jwt {
        keys: KeySource::Fixed(Arc::new(keys)),
        validation: validation(settings, algorithms.to_vec()).expect("an algorithm"),
        claims: Claims::of(settings),
    }
}

fn with_ed(settings: &JwtSettings) -> Jwt {
    let keys = KeySet::file(ED_PUBLIC, &[Algorithm::EdDSA]).expect("a key");
    jwt(keys, &[Algorithm::EdDSA], settings)
}

fn caller(jwt: &Jwt, token: &str) -> Result<Caller, Refusal> {
    // Keys that are known are not waited for.
    futures_util::FutureExt::now_or_never(jwt.caller(token)).expect("no waiting")
}

/// The user that a token without a fault names.
fn user(caller: &Caller) -> UserContext {
    let nobody: ClaimedUser = serde_json::from_str("{}").expect("a body");
    caller.user(nobody).expect("a user")
}

#[track_caller]
fn is_refused(outcome: Result<Caller, Refusal>, says: &str) {
    match outcome {
        Err(Refusal::Invalid(detail)) => assert!(detail.contains(says), "{detail}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_valid_token_names_its_user_with_each_algorithm() {
    let secret = EncodingKey::from_secret(SECRET.as_bytes()).expect("a key");
    let rsa = EncodingKey::from_rsa_pem(RSA.as_bytes()).expect("a key");
    let p256 = EncodingKey::from_ec_pem(P256.as_bytes()).expect("a key");
    for (algorithm, private, public) in [
        (Algorithm::HS256, &secret, None),
        (Algorithm::HS384, &secret, None),
        (Algorithm::HS512, &secret, None),
        (Algorithm::RS256, &rsa, Some(RSA_PUBLIC)),
        (Algorithm::ES256, &p256, Some(P256_PUBLIC)),
        (Algorithm::EdDSA, &ed(ED), Some(ED_PUBLIC)),
    ] {
        let keys = match public {
            Some(pem) => KeySet::file(pem, &[algorithm]),
            None => KeySet::secret(SECRET, &[algorithm]),
        };
        let jwt = jwt(keys.expect("keys"), &[algorithm], &settings());
        let caller = caller(&jwt, &signed(&claims(), algorithm, private)).expect("a caller");
        assert_eq!(
            user(&caller),
            UserContext::new("anna", "member"),
            "{algorithm:?}"
        );
        assert_eq!(caller.scopes().names(), ["ask"]);
    }
}

#[test]
fn a_token_with_one_fault_is_refused() {
    let jwt = with_ed(&settings());
    for (claims, says) in [
        (with("exp", json!(seconds(-40))), "has expired"),
        (with("exp", json!("tomorrow")), "no claim `exp`"),
        (without("exp"), "no claim `exp`"),
        (with("nbf", json!(seconds(40))), "not valid yet"),
        (with("nbf", json!("yesterday")), "`nbf` is of another type"),
        (
            with("iss", json!("https://id.example.com")),
            "another issuer",
        ),
        (with("iss", json!(7)), "no claim `iss`"),
        (without("iss"), "no claim `iss`"),
        (with("aud", json!("routers")), "another audience"),
        (with("aud", json!([])), "another audience"),
        (without("aud"), "no claim `aud`"),
        (without("sub"), "no claim `sub`"),
        (with("sub", json!(42)), "`sub` is not text"),
        (with("sub", json!(null)), "`sub` is not text"),
        (with("sub", json!(["anna"])), "cannot be read"),
        (with("sub", json!("")), "`sub` is empty"),
        (without("role"), "no claim `role`"),
        (with("role", json!(["member"])), "`role` is not text"),
    ] {
        let token = signed(&claims, Algorithm::EdDSA, &ed(ED));
        is_refused(caller(&jwt, &token), says);
    }
    // Within the leeway.
    for claims in [
        with("exp", json!(seconds(-20))),
        with("nbf", json!(seconds(20))),
    ] {
        let token = signed(&claims, Algorithm::EdDSA, &ed(ED));
        assert!(caller(&jwt, &token).is_ok(), "{claims}");
    }
}

#[test]
fn a_token_that_the_issuer_did_not_sign_is_refused() {
    let jwt = with_ed(&settings());
    let token = signed(&claims(), Algorithm::EdDSA, &ed(ED));
    let parts: Vec<&str> = token.split('.').collect();
    let other = signed(&with("sub", json!("bert")), Algorithm::EdDSA, &ed(ED));
    let payload = other.split('.').nth(1).expect("a payload");
    let tampered = [parts[0], payload, parts[2]].join(".");
    is_refused(caller(&jwt, &tampered), "signature");
    let by_another = signed(&claims(), Algorithm::EdDSA, &ed(OTHER_ED));
    is_refused(caller(&jwt, &by_another), "signature");
    for broken in [
        "",
        "..",
        "a.b.c",
        &token[1..],
        parts[0],
        &format!("{token}.x"),
    ] {
        assert!(caller(&jwt, broken).is_err(), "{broken}");
    }
    let unsigned = [parts[0], parts[1], ""].join(".");
    assert!(caller(&jwt, &unsigned).is_err());
    is_refused(caller(&jwt, &"a".repeat(MOST + 1)), "more than");
}

/// The first part of a token whose header is this JSON, with the given other parts.
fn with_header(header: &str, rest: &str) -> String {
    // Only the library writes base64 here: of a key with this name, an HMAC token.
    let key = EncodingKey::from_secret(SECRET.as_bytes()).expect("a key");
    let encoded = encode(&Header::default(), &RawJson(header), &key).expect("a token");
    let header = encoded.split('.').nth(1).expect("a part");
    format!("{header}.{rest}")
}

/// JSON text as it is.
struct RawJson<'a>(&'a str);

impl serde::Serialize for RawJson<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let value: Value = serde_json::from_str(self.0).expect("JSON");
        value.serialize(to)
    }
}

#[test]
fn a_token_cannot_choose_how_it_is_checked() {
    let jwt = with_ed(&settings());
    let token = signed(&claims(), Algorithm::EdDSA, &ed(ED));
    let (_, rest) = token.split_once('.').expect("a header");
    let (payload, _) = rest.split_once('.').expect("a payload");
    for alg in ["none", "None", "NONE", ""] {
        let header = format!("{{\"alg\": \"{alg}\"}}");
        for rest in [rest, &format!("{payload}.")] {
            assert!(caller(&jwt, &with_header(&header, rest)).is_err(), "{alg}");
        }
    }
    is_refused(
        caller(&jwt, &with_header("{\"alg\": \"ES256\"}", rest)),
        "algorithm",
    );
    is_refused(
        caller(&jwt, &with_header("{\"alg\": \"RS256\"}", rest)),
        "algorithm",
    );
    // The public key, which everybody knows, as the secret of HS256.
    for public in [ED_PUBLIC, ED_PUBLIC.trim_end(), RSA_PUBLIC] {
        let known = EncodingKey::from_secret(public.as_bytes()).expect("a key");
        let forged = signed(&claims(), Algorithm::HS256, &known);
        is_refused(caller(&jwt, &forged), "algorithm");
        // Even if the operator accepts HS256, the key is not for it.
        let mut confused = with_ed(&settings());
        confused.validation.algorithms.push(Algorithm::HS256);
        is_refused(caller(&confused, &forged), "unknown key");
    }
    let critical = "{\"alg\": \"EdDSA\", \"crit\": [\"x\"], \"x\": 1}";
    assert!(caller(&jwt, &with_header(critical, rest)).is_err());
}

#[test]
fn an_audience_counts_only_where_one_is_configured() {
    let jwt = with_ed(&JwtSettings {
        audience: Vec::new(),
        ..settings()
    });
    let token = |claims| signed(&claims, Algorithm::EdDSA, &ed(ED));
    assert!(caller(&jwt, &token(without("aud"))).is_ok());
    // It was made for someone else.
    is_refused(caller(&jwt, &token(claims())), "another audience");
}

#[test]
fn claims_are_mapped_as_configured() {
    let jwt = with_ed(&JwtSettings {
        user_claim: "https://example.org/member".to_owned(),
        default_role: Some("guest of the house".to_owned()),
        scope_claim: Some("scope".to_owned()),
        ..settings()
    });
    let mut claims = without("role");
    claims["https://example.org/member"] = json!("BEN-1");
    let named = |claims: &Value| caller(&jwt, &signed(claims, Algorithm::EdDSA, &ed(ED)));
    let found = named(&claims).expect("a caller");
    assert_eq!(
        user(&found),
        UserContext::new("BEN-1", "guest of the house")
    );
    assert!(found.scopes().names().is_empty());
    for scopes in [
        json!("openid ask metrics askew"),
        json!(["metrics", "ask", 7]),
    ] {
        claims["scope"] = scopes;
        let found = named(&claims).expect("a caller");
        assert_eq!(found.scopes().names(), ["ask", "metrics"]);
    }
    claims["scope"] = json!({ "ask": true });
    is_refused(named(&claims), "neither text nor an array");
    let id = user(&found).user_id;
    assert_eq!(id, Some(CanonicalJson::string("BEN-1")));
}
