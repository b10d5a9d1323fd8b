//! What holds for every request.

use std::hash::Hasher;

use cache_keys::{
    CacheKey, CanonicalJson, Digest, Field, KeyError, KeyParts, KeyScheme, Md5Scheme,
    canonical_text,
};
use md5::{Digest as _, Md5};
use proptest::prelude::*;
use serde_json::{Value, json};
use siphasher::sip128::{Hasher128, SipHasher13};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-cé\u{ffff}\u{10000}\"]{0,3}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Some text, with lengths on both sides of every block and buffer.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ -~]{0,60}", "[ -~é]{0,600}"]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn canonical_text_reads_back_as_the_same_value(value in value()) {
        let canonical = CanonicalJson::from_value(&value).unwrap();
        prop_assert!(canonical.as_str().bytes().all(|b| matches!(b, b' '..=b'~')));
        prop_assert_eq!(&serde_json::from_str::<Value>(canonical.as_str()).unwrap(), &value);
        // And from any layout of it to the one form.
        for layout in [value.to_string(), format!(" {value:#}\n"), canonical.to_string()] {
            prop_assert_eq!(&CanonicalJson::parse(&layout).unwrap(), &canonical);
        }
        let through_serde: CanonicalJson =
            serde_json::from_str(&serde_json::to_string(&canonical).unwrap()).unwrap();
        prop_assert_eq!(&through_serde, &canonical);
    }

    #[test]
    fn strings_keep_their_text(text in text()) {
        let canonical = CanonicalJson::string(&text);
        prop_assert_eq!(canonical.text(), text.as_str());
        prop_assert_eq!(canonical.is_truthy(), !text.is_empty());
        prop_assert_eq!(&CanonicalJson::from_value(&json!(text)).unwrap(), &canonical);
    }

    #[test]
    fn digest_and_check_are_those_of_the_whole_text(
        intent in text(), id in text(), role in value(), message in text(), secret: [u8; 16],
    ) {
        let parts = KeyParts {
            intent: &intent,
            user_id: Field::Str(&id),
            user_role: Field::Value(&role),
            message: &message,
        };
        let text = canonical_text(&parts).unwrap();
        let mut check = SipHasher13::new_with_key(&secret);
        check.write(&(message.len() as u64).to_le_bytes());
        check.write(message.as_bytes());
        check.write(text.as_bytes());
        let digest = Digest::from_bytes(Md5::digest(&text).into());
        let expect = CacheKey::new(digest, check.finish128().as_u128());
        let scheme = Md5Scheme::with_secret(secret);
        prop_assert_eq!(scheme.key(&parts).unwrap(), expect);
        prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);

        // However the fields are handed over.
        let (id, role) = (CanonicalJson::string(&id), CanonicalJson::from_value(&role).unwrap());
        let parts = KeyParts {
            user_id: Field::Canonical(&id),
            user_role: Field::Canonical(&role),
            ..parts
        };
        prop_assert_eq!(scheme.key(&parts).unwrap(), expect);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[\\[\\]{}\",:0-9eE+.\\\\uaflstrn \u{0}-\u{20}é-]{0,60}") {
        if let Ok(canonical) = CanonicalJson::parse(&text) {
            prop_assert_eq!(&CanonicalJson::parse(canonical.as_str()).unwrap(), &canonical);
        }
        prop_assert_eq!(
            serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok(),
            match CanonicalJson::parse(&text) {
                Ok(_) => true,
                // A text that is not JSON is distinguished from one without a canonical form.
                Err(error) => {
                    let problem = error.problem();
                    !matches!(problem, cache_keys::JsonProblem::Syntax { .. })
                }
            }
        );
    }
}

#[test]
fn absent_counts_as_guest_and_null_does_not() {
    let text = |user_id| {
        canonical_text(&KeyParts {
            intent: "greeting",
            user_id,
            user_role: Field::Absent,
            message: "",
        })
        .unwrap()
    };
    let expect = |user_id: &str| {
        format!(
            r#"{{"intent": "greeting", "message_hash": "", "user_id": {user_id}, "user_role": "guest"}}"#
        )
    };
    assert_eq!(text(Field::Absent), expect("\"guest\""));
    assert_eq!(text(Field::Str("guest")), expect("\"guest\""));
    assert_eq!(text(Field::from(None)), expect("\"guest\""));
    assert_eq!(text(Field::Value(&Value::Null)), expect("null"));
}

#[test]
fn errors_name_the_field_and_the_place() {
    let mut deep = json!(1);
    for _ in 0..1_000 {
        deep = json!([deep]);
    }
    let shallow = json!("x");
    let key = |user_id, user_role| {
        Md5Scheme::default()
            .key(&KeyParts {
                intent: "greeting",
                user_id: Field::Value(user_id),
                user_role: Field::Value(user_role),
                message: "hello",
            })
            .map_err(|error| error.to_string())
    };
    let in_a = json!({ "a": deep });
    let error = key(&in_a, &shallow).unwrap_err();
    assert!(error.starts_with("user_id.a[0][0]"), "{error}");
    assert!(
        error.ends_with("… is nested more than 128 levels deep"),
        "{error}"
    );
    let error = key(&shallow, &deep).unwrap_err();
    assert!(error.starts_with("user_role[0][0]"), "{error}");
    let error = KeyError::UserRole(CanonicalJson::parse("[NaN]").unwrap_err()).to_string();
    assert!(error.starts_with("user_role[0] is NaN, "), "{error}");
}

/// A value as deep as may be is written; one level more is refused.
#[test]
fn values_may_be_as_deep_as_texts() {
    for leaf in [json!(1), json!([])] {
        let mut value = leaf.clone();
        let mut depth = usize::from(leaf.is_array());
        while depth < cache_keys::MAX_DEPTH {
            value = json!({ "a": value });
            depth += 1;
        }
        let canonical = CanonicalJson::from_value(&value).unwrap();
        assert_eq!(CanonicalJson::parse(&value.to_string()).unwrap(), canonical);
        let value = json!([value]);
        assert!(CanonicalJson::from_value(&value).is_err());
        assert!(CanonicalJson::parse(&value.to_string()).is_err());
    }
}

#[test]
fn schemes_can_be_shared_behind_pointers() {
    fn key(scheme: impl KeyScheme) -> CacheKey {
        let parts = KeyParts {
            intent: "greeting",
            user_id: Field::Absent,
            user_role: Field::Absent,
            message: "",
        };
        scheme.key(&parts).unwrap()
    }
    let scheme = Md5Scheme::default();
    let shared: std::sync::Arc<dyn KeyScheme> = std::sync::Arc::new(scheme.clone());
    let boxed: Box<dyn KeyScheme> = Box::new(shared.clone());
    assert_eq!(key(&scheme), key(&*shared));
    assert_eq!(key(shared), key(boxed));
}

#[test]
fn a_digest_is_read_from_its_hex_form_only() {
    use cache_keys::ParseDigestError::{Digit, Length};
    let parse = |text: &str| text.parse::<Digest>();
    let hex = "bd086473266af9626406ca991aca6753";
    assert_eq!(parse(hex).unwrap().to_string(), hex);
    assert_eq!(format!("{:x}", parse(hex).unwrap()), hex);
    assert_eq!(parse(&hex.to_uppercase()), parse(hex));
    assert_eq!(parse(""), Err(Length(0)));
    assert_eq!(parse(&hex[1..]), Err(Length(31)));
    assert_eq!(parse(&hex.replace('f', "g")), Err(Digit(12)));
    assert_eq!(parse(&format!("+{}", &hex[1..])), Err(Digit(0)));
    assert_eq!(parse(&"é".repeat(16)), Err(Digit(0)));
}
