//! The command line as its users meet it: output, messages, exit codes.

mod program;

use program::{file, router, router_with};

const VECTORS: &str = include_str!("../../cache-keys/tests/data/vectors.jsonl");

const GOOD: &str = r#"{"intent":"claim_status","user_context":{"user_id":"BEN-000001","user_role":"beneficiary"},"message":"hello"}"#;

/// Checks that `lines` end with exit code 65, and that the message holds
/// everything that `told` names; returns the output.
fn bad_lines(command: &str, lines: &[u8], told: &[&str]) -> String {
    let run = router(&[command], lines);
    assert_eq!(run.code, 65, "{run:?}");
    assert!(run.stderr.starts_with("error: line "), "{}", run.stderr);
    for part in told {
        assert!(run.stderr.contains(part), "no `{part}` in {}", run.stderr);
    }
    assert!(run.stderr.len() < 1000, "a message for people is short");
    run.stdout
}

#[test]
fn keys_are_those_that_python_computed() {
    let expected: Vec<String> = VECTORS
        .lines()
        .map(|line| {
            let vector: serde_json::Value = serde_json::from_str(line).unwrap();
            vector["key"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(expected.len(), 2000);
    let run = router(&["key"], VECTORS);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.stderr, "");
    let keys: Vec<_> = run.stdout.lines().collect();
    assert_eq!(keys.len(), expected.len());
    for (line, (key, expected)) in keys.iter().zip(&expected).enumerate() {
        assert_eq!(key, expected, "line {}", line + 1);
    }
}

/// Digits, order and nesting that a reader of JSON values would not keep. The
/// keys were computed by CPython.
#[test]
fn keys_keep_what_a_number_type_would_lose() {
    let user = |id: &str| {
        format!(
            "{{\"intent\":\"claim_status\",\"user_context\":{{\"user_id\":{id}}},\"message\":\"\"}}\n"
        )
    };
    let ids = [
        "123456789012345678901234567890",
        "-0",
        "-0.0",
        "1e16",
        r#"{"b":[1,{"z":0,"a":null}],"a":1e-05}"#,
    ];
    let input: String = ids.iter().map(|id| user(id)).collect();
    let run = router(&["key"], input);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let keys: Vec<_> = run.stdout.lines().collect();
    assert_eq!(
        keys,
        [
            "928a33ef2f324c7f335f003b8807739f",
            "229f005220b54f4141e77007f5fa4f4a",
            "1ed0153fd3bcf49c0f17cf25a9d752e4",
            "1bb28eb8e5a6e4b2234622b5f9f5c511",
            "0e7f99c5a8a075b83914eb1283cb31d5",
        ]
    );
}

#[test]
fn absent_and_null_members_differ_as_they_do_in_python() {
    let input = [
        r#"{"intent":"a","user_context":{}}"#,
        r#"{"intent":"a","user_context":{"user_id":"guest","user_role":"guest"},"message":""}"#,
        r#"{"intent":"a","user_context":{"user_id":null}}"#,
        r#"  {"extra":[1,2],"user_context":{"full_name":{}},"message":"","intent":"a"}  "#,
    ];
    let run = router(&["key"], input.join("\r\n"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    let keys: Vec<_> = run.stdout.lines().collect();
    assert_eq!(keys[0], keys[1]);
    assert_ne!(keys[0], keys[2]);
    assert_eq!(keys[0], keys[3]);
}

#[test]
fn a_bad_line_ends_the_keys_after_those_before_it() {
    let lines = format!("{GOOD}\n{GOOD}\n{{\n{GOOD}\n");
    let output = bad_lines("key", lines.as_bytes(), &["line 3: "]);
    assert_eq!(output.lines().count(), 2);
}

#[test]
fn bad_lines_are_told_what_is_wrong_and_where() {
    let context = |context: &str| format!(r#"{{"intent":"a","user_context":{context}}}"#);
    for (line, told) in [
        (String::new(), "the line is empty; write an object"),
        ("NaN".into(), "NaN"),
        ("[1]".into(), "found an array; write an object"),
        (r#""text""#.into(), "found a string; write an object"),
        (r#"["a",{},"m"]"#.into(), "found an array; write an object"),
        (
            format!("{GOOD} x"),
            "is not valid JSON: expected the end of the text at byte",
        ),
        (GOOD.replace("claim_status\"", "claim_status"), "JSON"),
        (r#"{"user_context":{}}"#.into(), "`intent` is missing"),
        (
            r#"{"intent":5,"user_context":{}}"#.into(),
            "`intent` must be a string, not a number",
        ),
        (
            r#"{"intent":null,"user_context":{}}"#.into(),
            "`intent` must be a string, not null",
        ),
        (
            r#"{"intent":"a"}"#.into(),
            "`user_context` is missing; write {} for a guest",
        ),
        (
            context("null"),
            "`user_context` must be an object, not null",
        ),
        (
            context(r#"["BEN-000001","beneficiary"]"#),
            "`user_context` must be an object, not an array",
        ),
        (
            r#"{"intent":"a","user_context":{},"message":["hi"]}"#.into(),
            "`message` must be a string, not an array",
        ),
        (
            r#"{"intent":"a","intent":"b","user_context":{}}"#.into(),
            "duplicate field `intent`",
        ),
        (
            context(r#"{"user_id":1,"user_id":2}"#),
            "duplicate field `user_id`",
        ),
        (context(r#"{"user_id":NaN}"#), "user_context.user_id is NaN"),
        (
            context(r#"{"user_id":{"scores":[1,2,-Infinity]}}"#),
            "user_context.user_id.scores[2] is -Infinity",
        ),
        (context(r#"{"user_role":1e999}"#), "user_context.user_role"),
        (context(r#"{"user_id":"\ud800"}"#), "user_context.user_id"),
        (
            r#"{"intent":"a","user_context":{},"message":"\udc00 x"}"#.into(),
            "message",
        ),
        (r#"{"intent":"\ud800","user_context":{}}"#.into(), "intent"),
    ] {
        let lines = format!("{GOOD}\n{line}\n{GOOD}\n");
        let output = bad_lines("key", lines.as_bytes(), &["line 2: ", told]);
        assert_eq!(output.lines().count(), 1, "{line}");
    }
}

#[test]
fn deep_nesting_is_refused_or_ignored_and_overflows_nothing() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let id = format!(r#"{{"intent":"a","user_context":{{"user_id":{deep}}}}}"#);
    bad_lines(
        "key",
        id.as_bytes(),
        &["line 1: ", "user_context.user_id", "nested"],
    );
    for place in [
        deep.clone(),
        format!(r#"{{"intent":{deep},"user_context":{{}}}}"#),
        format!(r#"{{"intent":"a","user_context":{deep}}}"#),
        "[".repeat(100_000),
        format!(
            r#"{{"intent":"a","user_context":{{"user_id":{}"#,
            "{\"a\":".repeat(100_000)
        ),
    ] {
        bad_lines("key", place.as_bytes(), &["line 1: "]);
    }
    let ignored = format!(r#"{{"intent":"a","user_context":{{}},"extra":{deep}}}"#);
    assert_eq!(router(&["key"], ignored).code, 0);
}

#[test]
fn lines_of_five_megabytes_have_a_key_and_larger_than_sixteen_do_not() {
    let line = |bytes: usize| GOOD.replace("hello", &"x".repeat(bytes));
    let run = router(&["key"], line(5 << 20));
    assert_eq!((run.code, run.stdout.len()), (0, 33), "{}", run.stderr);
    bad_lines(
        "key",
        line(16 << 20).as_bytes(),
        &["line 1: longer than 16 MiB"],
    );
}

#[test]
fn invalid_utf8_is_told_its_line() {
    let mut input = format!("{GOOD}\n").into_bytes();
    input.extend(b"{\"intent\":\"\xff\"}\n");
    bad_lines("key", &input, &["line 2: not valid UTF-8 from byte 12 on"]);
    bad_lines(
        "detect",
        b"one\ntwo\n\xc3(\n",
        &["line 3: not valid UTF-8 from byte 1 on"],
    );
}

#[test]
fn every_message_has_an_intent_and_a_confidence() {
    let messages = "what is my claim status?\n\nzzz qqq\nwhen is my next payment\r\n";
    let run = router(&["detect"], messages);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let lines: Vec<_> = run
        .stdout
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .collect();
    let intents: Vec<_> = lines.iter().map(|(intent, _)| *intent).collect();
    assert_eq!(
        intents,
        ["claim_status", "unknown", "unknown", "payment_status"]
    );
    for (intent, confidence) in lines {
        assert_eq!(confidence.len(), "0.0000".len());
        let confidence: f64 = confidence.parse().unwrap();
        assert!((0.0..=1.0).contains(&confidence));
        assert_eq!(confidence == 0.0, intent == "unknown");
    }
}

#[test]
fn detection_uses_the_configured_catalogue() {
    let catalogue = "[[intent]]\nname = 'opening_hours'\nkind = 'knowledge_base'\nphrases = ['opening hours']\n";
    file("detect", "intents.toml", catalogue);
    let config = file(
        "detect",
        "router.toml",
        "[catalogue]\nfile = 'intents.toml'\n",
    );
    let config = config.to_str().unwrap();
    let input = b"your opening hours, please\nwhat is my claim status?\n";
    // The path in the file is relative to the file, whatever the working directory.
    for run in [
        router(&["detect", "--config", config], input),
        router_with(&["detect"], &[("ROUTER_CONFIG", config)], input),
    ] {
        let intents: Vec<_> = run
            .stdout
            .lines()
            .filter_map(|line| line.split('\t').next())
            .collect();
        assert_eq!(intents, ["opening_hours", "unknown"], "{}", run.stderr);
    }
}

#[test]
fn a_demo_database_is_written_once() {
    let path = file("demo", "crm.db", "");
    std::fs::remove_file(&path).unwrap();
    let arguments = [
        "demo-db",
        path.to_str().unwrap(),
        "--users",
        "20",
        "--seed",
        "7",
    ];
    let run = router(&arguments, "");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("20 members") && run.stdout.contains("crm.db"));
    let written = std::fs::read(&path).unwrap();
    let again = router(&arguments, "");
    assert_eq!((again.code, again.stdout.as_str()), (74, ""));
    assert!(again.stderr.contains("exists"), "{}", again.stderr);
    assert!(
        std::fs::read(&path).unwrap() == written,
        "it is left as it was"
    );
}

#[test]
fn a_database_is_made_by_a_script_whole_or_not_at_all() {
    let script = file("script", "library.sql", "CREATE TABLE loans (title TEXT);");
    let path = script.with_file_name("library.db");
    let _ = std::fs::remove_file(&path);
    let write = |script: &std::path::Path| {
        let arguments = ["demo-db", path.to_str().unwrap(), "--script"];
        router(&[&arguments[..], &[script.to_str().unwrap()]].concat(), "")
    };
    let missing = write(&script.with_file_name("no.sql"));
    assert_eq!(missing.code, 74, "{missing:?}");
    assert!(missing.stderr.contains("no.sql"), "{}", missing.stderr);
    let wrong = file(
        "script",
        "wrong.sql",
        "CREATE TABLE loans (title TEXT); oops",
    );
    let refused = write(&wrong);
    assert_eq!(refused.code, 65, "{refused:?}");
    assert!(refused.stderr.contains("oops"), "{}", refused.stderr);
    assert!(!path.exists());
    let written = write(&script);
    assert_eq!(written.code, 0, "{}", written.stderr);
    assert!(path.exists() && written.stdout.contains("library.db"));
}

#[test]
fn usage_errors_leave_with_64_and_help_with_0() {
    for arguments in [
        &["no-such-command"][..],
        &["key", "--no-such-flag"],
        &["config"],
        &["config", "no-such-command"],
        &["key", "surplus"],
        &["--listen", "127.0.0.1:0", "key"],
        &["--listen", "nowhere"],
        &["serve", "--listen", "localhost"],
        &["demo-db", "crm.db", "--users", "0"],
        &["demo-db"],
        &["demo-db", "crm.db", "--script", "crm.sql", "--users", "3"],
        &["--config"],
    ] {
        let run = router(arguments, "");
        assert_eq!(run.code, 64, "{arguments:?}: {run:?}");
        assert_eq!(run.stdout, "");
        let told = run.stderr.contains("--help") || run.stderr.contains("--listen");
        assert!(told, "{}", run.stderr);
    }
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["key", "--help"],
        &["help", "config"],
    ] {
        let run = router(arguments, "");
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{arguments:?}");
        assert!(!run.stdout.contains('\x1b'), "plain when piped");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_ends_the_command_quietly() {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};

    let mut child = Command::new(env!("CARGO_BIN_EXE_router"))
        .arg("key")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    writeln!(stdin, "{GOOD}").unwrap();
    let mut key = String::new();
    // The answer comes before the end of the input.
    stdout.read_line(&mut key).unwrap();
    assert_eq!(key.len(), 33);
    drop(stdout);
    // The pipe is broken from here on; the program notices when it writes.
    let _ = writeln!(stdin, "{GOOD}");
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[cfg(unix)]
#[test]
fn unreadable_input_leaves_with_74() {
    let directory = std::fs::File::open(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_router"))
        .arg("key")
        .stdin(directory)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(74));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot read standard input"));
}
