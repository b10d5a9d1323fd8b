//! Training, measuring and using a detector, as its users do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod program;

use std::path::{Path, PathBuf};

use program::{Run, argument, file, router, router_with};

/// Twelve lines for each of three intents of a library, and a few others.
fn lines() -> String {
    let intents = [
        (
            "loans",
            [
                "which books do i have",
                "when is my loan due",
                "renew my loan",
            ],
        ),
        (
            "fees",
            ["what do i owe", "how much is the fee", "pay my fine"],
        ),
        (
            "hours",
            ["when are you open", "opening hours", "are you closed"],
        ),
    ];
    let others = ["please", "today", "in the morning", "for my son"];
    let mut text = String::new();
    for (intent, stems) in intents {
        for stem in stems {
            for other in others {
                text += &format!("{{\"text\": \"{stem} {other}\", \"intent\": \"{intent}\"}}\n");
            }
        }
    }
    for other in ["tell me a joke", "will it rain", "who won the match"] {
        text += &format!("{{\"text\": \"{other}\", \"intent\": \"oos\"}}\n");
    }
    text
}

fn train(data: &Path, out: &Path, more: &[&str]) -> Run {
    let mut arguments = vec!["train", "--data", argument(data), "--out", argument(out)];
    arguments.extend(more);
    router(&arguments, "")
}

/// A model of [`lines`], of the test's own.
fn model(test: &str) -> (PathBuf, PathBuf) {
    let data = file(test, "data.jsonl", lines());
    let model = data.with_file_name("library.model");
    let run = train(&data, &model, &[]);
    let told = run.output();
    assert!(
        told.starts_with("39 lines (3 out of scope), 3 intents"),
        "{told}"
    );
    assert!(told.contains("held out"), "{told}");
    (data, model)
}

#[test]
fn the_same_lines_give_the_same_model() {
    let (data, first) = model("same-model");
    let second = first.with_file_name("second.model");
    assert_eq!(train(&data, &second, &[]).code, 0);
    let bytes = std::fs::read(&first).unwrap();
    assert!(bytes == std::fs::read(&second).unwrap());
    assert_eq!(train(&data, &second, &["--seed", "2"]).code, 0);
    assert!(bytes != std::fs::read(&second).unwrap());
    let left: Vec<_> = std::fs::read_dir(first.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().ends_with(".tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_model_is_measured_on_labelled_lines() {
    let (data, model) = model("measured");
    let eval = |more: &[&str]| {
        let files = [
            "eval",
            "--data",
            argument(&data),
            "--model",
            argument(&model),
        ];
        router(&[&files, more].concat(), "")
    };
    let figures = eval(&["--json"]).json();
    assert_eq!(figures["messages"], 39);
    // It has seen these very lines.
    assert!(figures["accuracy"].as_f64().unwrap() > 0.9, "{figures}");
    for member in [
        "oos_recall",
        "coverage",
        "calibration_error",
        "wrong_routes",
    ] {
        let share = figures[member].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&share), "{member}: {share}");
    }
    for member in ["p50", "p95", "p99", "max"] {
        assert!(figures["latency_us"][member].as_f64().unwrap() > 0.0);
    }
    assert_eq!(figures["intents"]["fees"]["messages"], 12);
    let all = eval(&["--json", "--never-abstain"]).json();
    assert_eq!(
        (&all["coverage"], &all["oos_recall"]),
        (&1.0.into(), &0.0.into())
    );

    let run = eval(&[]);
    let table = run.output();
    for part in [
        "accuracy in scope",
        "out-of-scope recall",
        "calibration error",
        "latency",
    ] {
        assert!(table.contains(part), "no {part:?} in {table}");
    }
}

#[test]
fn labels_that_the_detector_cannot_find_are_warned_of() {
    let (_, model) = model("strangers");
    let lines = "{\"text\": \"hello\", \"intent\": \"greeting\"}";
    let data = file("strangers", "other.jsonl", lines);
    let [data, model] = [&data, &model].map(|path| argument(path));
    let run = router(&["eval", "--data", data, "--model", model, "--json"], "");
    assert_eq!(run.json()["accuracy"], 0.0);
    assert!(run.stderr.contains("`greeting`"), "{}", run.stderr);
}

#[test]
fn a_message_is_detected_and_explained() {
    let (_, model) = model("explained");
    let model = argument(&model);
    let input = "when are you open on sunday\n\nhow do you boil an egg\n";
    let run = router(&["detect", "--model", model], input);
    let intents: Vec<_> = run
        .output()
        .lines()
        .map(|line| line.split_once('\t').unwrap().0)
        .collect();
    assert_eq!(intents, ["hours", "unknown", "unknown"]);

    let run = router(&["detect", "--model", model, "--explain"], input);
    let explained: Vec<_> = run
        .stdout
        .lines()
        .filter(|line| line.starts_with('\t'))
        .collect();
    assert!(
        explained.iter().any(|line| line.contains("\thours\tword")),
        "{explained:?}"
    );
    assert!(run.stdout.lines().any(|line| line.starts_with("hours\t")));

    // The catalogue's phrases explain themselves, too.
    let run = router(&["detect", "--explain"], "what is my claim status");
    assert!(run.stdout.contains("claim_status"), "{}", run.stdout);
    assert!(run.stdout.lines().count() > 1, "{}", run.stdout);
}

#[test]
fn the_service_detects_with_the_configured_model() {
    let (_, model) = model("configured");
    let catalogue = |names: &[&str]| {
        let intents = names.iter().map(|name| {
            format!(
                "[[intent]]\nname = \"{name}\"\nkind = \"knowledge_base\"\nphrases = [\"{name}\"]\n"
            )
        });
        file(
            "configured",
            &format!("{}.toml", names.len()),
            intents.collect::<String>(),
        )
    };
    let detect = |catalogue: &Path, kind: &str| {
        let environment = [
            ("ROUTER_CATALOGUE__FILE", argument(catalogue)),
            ("ROUTER_DETECTOR__MODEL", argument(&model)),
            ("ROUTER_DETECTOR__KIND", kind),
        ];
        router_with(
            &["detect"],
            &environment,
            b"what is the amount i owe please",
        )
    };
    let whole = catalogue(&["loans", "fees", "hours"]);
    for (kind, intent) in [
        ("combined", "fees"),
        ("linear", "fees"),
        ("keyword", "unknown"),
    ] {
        let run = detect(&whole, kind);
        assert!(run.stdout.starts_with(intent), "{kind}: {run:?}");
    }
    let run = detect(&catalogue(&["loans", "fees"]), "combined");
    run.fails(78, "detector.model");
    run.fails(78, "hours");
}

#[test]
fn what_is_wrong_with_data_or_model_is_told() {
    let good = lines();
    let bad = file("wrong", "bad.jsonl", format!("{good}{{\"text\": 1}}"));
    let out = bad.with_file_name("no.model");
    let run = train(&bad, &out, &[]);
    run.fails(65, "bad.jsonl: line 40: ");
    assert!(!out.exists());

    let missing = train(&bad.with_file_name("none.jsonl"), &out, &[]);
    assert_eq!(missing.code, 74, "{missing:?}");
    let empty = train(&file("wrong", "empty.jsonl", "\n"), &out, &[]);
    assert_eq!(empty.code, 65, "{empty:?}");
    let data = file("wrong", "data.jsonl", good);
    let nowhere = train(&data, Path::new("/no/such/folder/x.model"), &[]);
    nowhere.fails(74, "/no/such/folder/x.model");
    let range = train(&data, &out, &["--wrong-routes", "2"]);
    assert_eq!(range.code, 64, "{range:?}");

    let (_, plain) = model("wrong");
    let folder = argument(plain.parent().unwrap());
    let arguments = ["detect", "--model", argument(&plain)];
    let unused = router(
        &[&arguments[..], &["--sentence-model", folder]].concat(),
        "x",
    );
    // A setting is not ignored.
    unused.fails(65, "without a sentence model");

    let damaged = file("wrong", "damaged.model", "intentLM and then nothing");
    for run in [
        router(&["detect", "--model", argument(&damaged)], "x"),
        router(
            &[
                "eval",
                "--data",
                argument(&data),
                "--model",
                "/no/such.model",
            ],
            "",
        ),
    ] {
        run.fails(65, ".model");
    }
    let run = router_with(
        &["config", "check"],
        &[("ROUTER_DETECTOR__MODEL", "/no/such.model")],
        b"",
    );
    assert_eq!(run.code, 78, "{run:?}");
    let catalogue = "[[intent]]\nname = 'hours'\nkind = 'knowledge_base'\nphrases = ['open']";
    let catalogue = file("wrong", "intents.toml", catalogue);
    let linear = ("ROUTER_DETECTOR__KIND", "linear");
    let own = ("ROUTER_CATALOGUE__FILE", argument(&catalogue));
    let run = router_with(&["config", "check"], &[linear, own], b"");
    run.fails(78, "needs a model");
    let run = router_with(&["config", "check"], &[linear], b"");
    assert_eq!(run.code, 0, "the built-in catalogue has one: {run:?}");
}
