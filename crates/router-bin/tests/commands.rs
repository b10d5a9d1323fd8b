//! `router ask` and `router bench` as their users meet them.

mod program;

use program::{Run, argument, file, router_with};
use serde_json::Value;

const FEW: [(&str, &str); 1] = [("ROUTER_SOURCE__DEMO_USERS", "50")];

fn bench(arguments: &[&str]) -> Run {
    let all = [&["bench", "--requests", "300", "--users", "50"], arguments].concat();
    router_with(&all, &FEW, b"")
}

fn ask(arguments: &[&str]) -> Vec<String> {
    let all = [&["ask", "what is my claim status?"], arguments].concat();
    let run = router_with(&all, &FEW, b"");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    run.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn an_answer_is_shown_once_and_how_it_came_about_each_time() {
    let lines = ask(&["--user-id", "BEN-000001", "--repeat", "3"]);
    assert_eq!(lines.len(), 4, "{lines:?}");
    let answer: Value = serde_json::from_str(&lines[0]).expect("JSON when piped");
    assert_eq!(answer["source"], "live_data");
    assert!(lines[1].contains("miss, stored"), "{}", lines[1]);
    for line in &lines[2..] {
        assert!(line.contains("hit, 0.") && line.contains("0 database calls"));
    }
}

#[test]
fn no_answer_is_stored_for_guests_or_without_the_cache() {
    let uncached = ["--user-id", "BEN-000001", "--repeat", "2", "--no-cache"];
    for (arguments, told) in [
        (&uncached[..], "bypass, no-store"),
        (&["--repeat", "2"], "bypass, unidentified"),
        (&["--user-id", "", "--repeat", "2"], "bypass, unidentified"),
        (
            &["--user-id", "BEN-999999", "--repeat", "2"],
            "miss, not stored",
        ),
    ] {
        let lines = ask(arguments);
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines[1].contains(told) && lines[3].contains(told));
    }
}

#[test]
fn every_example_of_the_built_in_intents_can_be_asked() {
    let run = bench(&["--phrasings", "1000", "--json"]);
    assert_eq!(run.stderr, "");
    let summary = run.json();
    assert_eq!(summary["cache_on"]["requests"]["total"], 300);
    assert_eq!(
        summary["traffic"]["intents"].as_array().map(Vec::len),
        Some(12)
    );
}

#[test]
fn key_modes_are_compared_on_many_wordings() {
    let run = bench(&["--wordings", "--json"]);
    assert_eq!(run.stderr, "");
    let summary = run.json();
    let rate = |key: &str| {
        let column = &summary["keys"][key];
        assert_eq!(column["requests"]["total"], 300, "{key}");
        assert_eq!(column["wrong"], 0, "{key}");
        column["hit_rate"].as_f64().expect("a number")
    };
    let (message, normalised, slots) = (rate("message"), rate("normalised"), rate("slots"));
    assert!(message < normalised && normalised < slots, "{summary}");
    assert!(summary["fallbacks"]["by_guard"].is_object());
    assert!(
        summary["command"]
            .as_str()
            .expect("a text")
            .ends_with(" --wordings")
    );

    let table = bench(&["--wordings"]).stdout;
    assert!(table.contains("wrong answers") && table.contains("300 requests of 50 users"));
    for other in [["--report", "bench.html"], ["--concurrency", "2"]] {
        assert_eq!(bench(&[&["--wordings"], &other[..]].concat()).code, 64);
    }
}

#[test]
fn odd_numbers_are_refused_with_their_range() {
    for (arguments, told) in [
        (["--skew", "-1"], "skew must be from 0 to 10"),
        (["--skew", "nan"], "skew must be from 0 to 10"),
        (["--requests", "0"], "requests must be from 1"),
        (["--users", "0"], "users must be from 1"),
        (["--phrasings", "0"], "phrasings must be from 1"),
        (["--concurrency", "0"], "concurrency must be from 1"),
    ] {
        let all = [&["bench"], &arguments[..]].concat();
        let run = router_with(&all, &FEW, b"");
        run.fails(64, told);
    }
}

#[test]
fn the_bench_measures_whatever_the_cache_is_told_to_be() {
    for (name, value) in [
        ("ROUTER_CACHE__ENABLED", "false"),
        ("ROUTER_CACHE__ENTRIES", "10"),
        ("ROUTER_CACHE__CLASSES__LIVE_DATA__TTL", "1ms"),
    ] {
        let arguments = ["bench", "--requests", "100", "--users", "5", "--json"];
        let run = router_with(&arguments, &[FEW[0], (name, value)], b"");
        assert_eq!(run.stderr, "", "{name}");
        let summary = run.json();
        let counts = &summary["cache_on"]["requests"];
        assert_eq!(counts["bypass"], 0, "{name}: {counts}");
        assert_eq!(summary["cache_off"]["requests"]["hit"], 0);
    }
}

#[test]
fn a_report_is_one_file_or_a_reason_why_not() {
    let path = file("report", "bench.html", "an older report, longer than none");
    let run = bench(&["--report", argument(&path)]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let report = std::fs::read_to_string(&path).unwrap();
    assert!(report.starts_with("<!DOCTYPE html>") && report.ends_with("</html>\n"));

    let nowhere = path.with_file_name("no-such-folder").join("bench.html");
    let nowhere = argument(&nowhere);
    // A report that cannot be written is reported before the bad option, and so
    // before the run.
    let run = bench(&["--report", nowhere, "--skew", "11"]);
    run.fails(74, nowhere);
}
