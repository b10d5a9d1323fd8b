//! Every vector again, in a program that turned on the features of serde_json
//! which change what a `Value` is.

use cache_keys::{CanonicalJson, Field, KeyParts, KeyScheme, Md5Scheme};
use serde_json::{Value, json};

fn main() {
    let order: Value = serde_json::from_str(r#"{"b": 1, "a": 2}"#).unwrap();
    assert_eq!(
        order.to_string(),
        r#"{"b":1,"a":2}"#,
        "preserve_order is on"
    );
    let precise: Value = serde_json::from_str("1.10").unwrap();
    assert_eq!(precise.to_string(), "1.10", "arbitrary_precision is on");

    let path = std::env::args().nth(1).expect("the path of the vectors");
    let scheme = Md5Scheme::default();
    let mut count = 0;
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let context = &vector["user_context"];
        let field = |name: &str| context.get(name).map_or(Field::Absent, Field::Value);
        let parts = KeyParts {
            intent: vector["intent"].as_str().unwrap(),
            user_id: field("user_id"),
            user_role: field("user_role"),
            message: vector["message"].as_str().unwrap(),
        };
        let key = scheme.key(&parts).unwrap();
        assert_eq!(key.to_string(), vector["key"].as_str().unwrap(), "{line}");

        // The same by way of serde, from the text and from the value.
        let raw: std::collections::HashMap<String, CanonicalJson> =
            serde_json::from_value(context.clone()).unwrap();
        let parts = KeyParts {
            user_id: raw.get("user_id").into(),
            user_role: raw.get("user_role").into(),
            ..parts
        };
        assert_eq!(scheme.key(&parts).unwrap(), key);
        count += 1;
    }
    assert_eq!(count, 2_000);

    for (text, expect) in [
        ("-0", "0"),
        ("-0.0", "-0.0"),
        ("1E5", "100000.0"),
        ("1.50", "1.5"),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        (
            r#"{"b":1,"a":{"d":1e-5,"c":[]},"b":2}"#,
            r#"{"a": {"c": [], "d": 1e-05}, "b": 2}"#,
        ),
    ] {
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(CanonicalJson::from_value(&value).unwrap().as_str(), expect);
        let canonical: CanonicalJson = serde_json::from_str(text).unwrap();
        assert_eq!(canonical.as_str(), expect);
        assert_eq!(serde_json::to_string(&canonical).unwrap(), expect);
    }

    let mut value = json!({ "scores": [1, 2] });
    value["scores"][1] = serde_json::from_str("-1e400").unwrap();
    let error = CanonicalJson::from_value(&value).unwrap_err();
    assert!(
        error.to_string().starts_with("$.scores[1] is -Infinity"),
        "{error}"
    );
    for text in ["NaN", "Infinity", "-Infinity", "no number", ""] {
        let number = serde_json::Number::from_string_unchecked(text.to_owned());
        let value = Value::Array(vec![Value::Number(number)]);
        let error = CanonicalJson::from_value(&value).unwrap_err();
        assert_eq!(error.path(), "[0]", "{text:?}: {error}");
    }
}
