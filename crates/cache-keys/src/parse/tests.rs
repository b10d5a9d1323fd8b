use super::*;

fn written(text: &str) -> Result<String, JsonError> {
    let mut out = Vec::new();
    parse(text)?.write(&mut out);
    Ok(String::from_utf8(out).unwrap())
}

fn check(text: &str, expect: &str) {
    assert_eq!(written(text).as_deref(), Ok(expect), "{text:?}");
}

fn check_error(text: &str, expect: &str) {
    assert_eq!(written(text).unwrap_err().to_string(), expect, "{text:?}");
}

#[test]
fn values_are_written_in_the_one_form() {
    check(" \t\r\n null \n", "null");
    check("[]", "[]");
    check("{ }", "{}");
    check("[ ]", "[]");
    check("[1,\n2 ,[ ] , {}]", "[1, 2, [], {}]");
    check(
        r#"{"b":1,"a":{"d":true,"c":false}}"#,
        r#"{"a": {"c": false, "d": true}, "b": 1}"#,
    );
    check(
        r#""\/\"\\\b\f\n\r\t\u0000\u0041""#,
        r#""/\"\\\b\f\n\r\t\u0000A""#,
    );
    check(r#""\uD83D\uDC69 \u00E9""#, r#""\ud83d\udc69 \u00e9""#);
    check(
        "123456789012345678901234567890",
        "123456789012345678901234567890",
    );
    check("[-0,-0.0,1E2]", "[0, -0.0, 100.0]");
}

#[test]
fn members_are_sorted_by_code_point_and_the_last_of_a_name_counts() {
    check(r#"{"a":1,"B":2,"":3,"a":4}"#, r#"{"": 3, "B": 2, "a": 4}"#);
    // By UTF-16 units the first of these would be the last.
    check(
        "{\"\u{10000}\":1,\"\u{ffff}\":2}",
        r#"{"\uffff": 2, "\ud800\udc00": 1}"#,
    );
    check(r#"{"\u0061":1,"a":2}"#, r#"{"a": 2}"#);
}

#[test]
fn errors_say_what_and_where() {
    check_error("", "$ is not valid JSON: expected a value at byte 0");
    check_error("nul", "$ is not valid JSON: expected a value at byte 0");
    check_error(
        "1 2",
        "$ is not valid JSON: expected the end of the text at byte 2",
    );
    check_error("[1,]", "$[1] is not valid JSON: expected a value at byte 3");
    check_error("[1", "$ is not valid JSON: expected `,` or `]` at byte 2");
    check_error(
        "{1:2}",
        "$ is not valid JSON: expected a member's name in quotes at byte 1",
    );
    check_error(r#"{"a" 1}"#, "$ is not valid JSON: expected `:` at byte 5");
    check_error(
        r#"{"a":1 "#,
        "$ is not valid JSON: expected `,` or `}` at byte 7",
    );
    check_error(
        r#"{"a":[1,01]}"#,
        "$.a[1] is not valid JSON: expected the end of the number at byte 9",
    );
    check_error(
        "\"a",
        "$ is not valid JSON: expected a closing quote at byte 2",
    );
    check_error(
        "\"a\nb\"",
        "$ is not valid JSON: expected a `\\u` escape at byte 2",
    );
    check_error(
        r#""\x""#,
        "$ is not valid JSON: expected one of `\"\\/bfnrtu` at byte 2",
    );
    check_error(
        r#""\u12"#,
        "$ is not valid JSON: expected a hex digit at byte 5",
    );
    check_error(
        "\u{feff}1",
        "$ is not valid JSON: expected a value at byte 0",
    );
    let not_finite = "which JSON cannot represent: send a finite number or null";
    check_error("NaN", &format!("$ is NaN, {not_finite}"));
    check_error(
        r#"{"scores":[0,1,Infinity]}"#,
        &format!("$.scores[2] is Infinity, {not_finite}"),
    );
    check_error(
        r#"{"a b":-Infinity}"#,
        &format!("$[\"a b\"] is -Infinity, {not_finite}"),
    );
}

#[test]
fn half_a_surrogate_pair_is_no_text() {
    for (text, unit) in [
        (r#""\ud800""#, 0xd800),
        (r#""\udfffx""#, 0xdfff),
        (r#""\ud800A""#, 0xd800),
        (r#""\ud800\u0041""#, 0xd800),
        (r#""\ud800\ud800\udc00""#, 0xd800),
        (r#""\udc00\ud800""#, 0xdc00),
    ] {
        let error = written(text).unwrap_err();
        assert_eq!(error.problem(), &JsonProblem::LoneSurrogate(unit), "{text}");
    }
    check_error(
        r#"{"name":"\udcff"}"#,
        "$.name contains an unpaired surrogate (\\udcff): send whole characters",
    );
}

#[test]
fn depth_is_bounded_without_the_stack_overflowing() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    check(&nested(MAX_DEPTH), &nested(MAX_DEPTH));
    for text in [
        nested(MAX_DEPTH + 1),
        nested(100_000),
        "[".repeat(100_000),
        r#"{"a":"#.repeat(100_000),
        r#"[{"a":"#.repeat(100_000),
    ] {
        let error = written(&text).unwrap_err();
        assert_eq!(error.problem(), &JsonProblem::TooDeep);
        assert!(error.path().len() < 300);
    }
}

#[test]
fn width_is_not_depth() {
    let text = format!("[{}{{}}]", "[], {}, ".repeat(1_000));
    check(&text, &text);
}

#[test]
fn control_characters_stand_in_no_string() {
    for c in '\0'..' ' {
        check_error(
            &format!("\"a{c}\""),
            "$ is not valid JSON: expected a `\\u` escape at byte 2",
        );
    }
    check("\"\u{7f}\"", "\"\\u007f\"");
}

#[test]
fn paths_stay_short() {
    let name = "é\"".repeat(1000);
    let text = format!("{{{}: 1e999}}", serde_json::to_string(&name).unwrap());
    let error = written(&text).unwrap_err();
    assert!(error.path().starts_with("[\"\\u00e9"), "{error}");
    assert!(error.path().ends_with("…]"), "{error}");
    assert!(error.path().len() < 300, "{error}");
}
