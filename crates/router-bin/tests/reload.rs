//! Changing the catalogue of a running service.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod program;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use support::{Reply, Server};

/// Many times what a change needs to be noticed at the shortest period.
const TRIES: usize = 20_000;

/// Two intents, whose answers say which catalogue they are from.
fn catalogue(first: &str, second: &str) -> String {
    let intent = |name: &str, version: &str| {
        format!(
            "[[intent]]\nname = '{name}'\nkind = 'live_data'\nphrases = ['my {name}']\n\
             [[intent.query]]\nname = 'it'\nsql = \"SELECT '{version}' AS version\"\n"
        )
    };
    intent("first", first) + &intent("second", second)
}

/// A catalogue's file that can be written again.
struct File(PathBuf);

impl File {
    fn new(test: &str, content: &str) -> Self {
        Self(program::file(test, "intents.toml", content))
    }

    fn write(&self, content: &str) {
        fs::write(&self.0, content).unwrap();
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// A service with this catalogue, which looks at it every `period`.
    fn serve(&self, period: &str) -> Server {
        Server::start(&[
            ("ROUTER_CATALOGUE__FILE", self.path()),
            ("ROUTER_SERVER__WATCH_FILES", period),
        ])
    }
}

fn ask(server: &Server, intent: &str) -> Reply {
    server.ask(&format!("my {intent}"), "BEN-000001", "beneficiary")
}

/// The version that an answer says, and whether it was a hit.
fn told(reply: &Reply) -> (String, bool) {
    let answer = reply.value();
    let version = answer["data"]["it"][0]["version"].as_str();
    (version.unwrap_or("none").to_owned(), reply.is_hit())
}

fn reload(server: &Server) -> Value {
    let reply = server.post("/v1/reload", &json!({}));
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.value()
}

fn hit(version: &str) -> (String, bool) {
    (version.to_owned(), true)
}

fn miss(version: &str) -> (String, bool) {
    (version.to_owned(), false)
}

#[test]
fn a_changed_query_is_asked_and_an_unchanged_one_answered_from_the_cache() {
    let file = File::new("query", &catalogue("old", "same"));
    let server = file.serve("0s");
    for expect in [miss, hit] {
        assert_eq!(told(&ask(&server, "first")), expect("old"));
        assert_eq!(told(&ask(&server, "second")), expect("same"));
    }
    file.write(&catalogue("new", "same"));
    assert_eq!(
        told(&ask(&server, "first")),
        hit("old"),
        "nobody has said so"
    );
    let done = reload(&server);
    let expect = json!({ "reloaded": true, "intents": 2, "files": [file.path()] });
    assert_eq!(done, expect);
    assert_eq!(told(&ask(&server, "first")), miss("new"));
    assert_eq!(told(&ask(&server, "first")), hit("new"));
    assert_eq!(told(&ask(&server, "second")), hit("same"));
    // Both definitions' answers count, and can be removed.
    assert_eq!(server.invalidate(&json!({ "intent": "first" })), 2);

    // A comment changes nothing.
    file.write(&format!("# mine\n{}", catalogue("new", "same")));
    assert_eq!(reload(&server)["reloaded"], false);
    let stats = server.stats();
    assert_eq!(stats["reloads"]["reloaded"], 1);
    assert_eq!(stats["reloads"]["failed"], 0);
    let metrics = server.get("/metrics").text();
    for line in [
        "router_reloads_total{result=\"reloaded\"} 1.0",
        "router_reloads_total{result=\"failed\"} 0.0",
        "router_reload_failing 0.0",
    ] {
        assert!(metrics.contains(line), "no {line} in\n{metrics}");
    }
    let loaded = metrics
        .lines()
        .find_map(|line| line.strip_prefix("router_loaded_timestamp_seconds "));
    assert!(loaded.unwrap().parse::<f64>().unwrap() > 1e9);
}

#[test]
fn intents_come_and_go() {
    let file = File::new("come", &catalogue("old", "same"));
    let server = file.serve("0s");
    let forced = |intent: &str| {
        let body = json!({
            "message": "?",
            "user_context": { "user_id": "BEN-000001", "user_role": "beneficiary" },
            "forced_intent": intent,
        });
        server.post("/v1/route", &body).value()["intent"].clone()
    };
    assert_eq!(forced("second"), "second");
    file.write(
        &catalogue("old", "same").replace("second", "third").replace(
            "phrases = ['my third']",
            "class = 'brief'\nphrases = ['my third']",
        ),
    );
    assert_eq!(reload(&server)["intents"], 2);
    assert_eq!(forced("second"), "unknown");
    assert_eq!(ask(&server, "second").value()["intent"], "unknown");
    assert_eq!(told(&ask(&server, "third")), miss("same"));
    assert_eq!(server.invalidate(&json!({ "class": "brief" })), 1);
}

#[test]
fn a_broken_file_changes_nothing_and_every_problem_is_told() {
    let file = File::new("broken", &catalogue("old", "same"));
    let server = file.serve("0s");
    ask(&server, "first");
    let refused = |content: &str| {
        file.write(content);
        let reply = server.post("/v1/reload", &json!({}));
        reply.is_problem(409, "keeps its catalogue and detector");
        assert_eq!(reply.value()["code"], "reload_failed");
        assert_eq!(told(&ask(&server, "first")), hit("old"));
        reply.value()["problems"].as_array().unwrap().clone()
    };
    let problems = refused(
        "[[intent]]\nname = 'a'\nkind = 'cloud'\nphrases = ['a']\n\n[[intent]]\nname = 'unknown'\nkind = 'live_data'\nphrases = ['b']\n",
    );
    let lines: Vec<_> = problems.iter().map(|p| p["line"].clone()).collect();
    assert_eq!(lines, [3, 7]);
    assert_eq!(problems[0]["file"], file.path());
    assert_eq!(problems[0]["path"], "intent[0] \"a\" kind");
    assert!(problems[0]["message"].as_str().unwrap().contains("cloud"));

    // Half of a file.
    let whole = catalogue("new", "same");
    let problems = refused(&whole[..whole.len() - 20]);
    assert!(problems[0]["message"].as_str().unwrap().contains("TOML"));
    // What only the database can tell, of every intent.
    let problems = refused(&whole.replace("SELECT", "SELEKT"));
    let places: Vec<_> = problems
        .iter()
        .map(|p| (p["line"].clone(), p["column"].clone()))
        .collect();
    assert_eq!(
        places,
        [(5.into(), 1.into()), (12.into(), 1.into())],
        "{problems:?}"
    );
    assert!(problems[1]["path"].as_str().unwrap().ends_with("query[0]"));
    // No file at all, and what is none.
    fs::remove_file(&file.0).unwrap();
    fs::create_dir(&file.0).unwrap();
    let reply = server.post("/v1/reload", &json!({}));
    reply.is_problem(409, "is not a regular file");
    fs::remove_dir(&file.0).unwrap();
    server
        .post("/v1/reload", &json!({}))
        .is_problem(409, "cannot be read");
    let stats = server.stats();
    assert_eq!(stats["reloads"]["failed"], 5);
    assert_eq!(stats["reloads"]["failing"], true);
    let metrics = server.get("/metrics").text();
    assert!(metrics.contains("router_reload_failing 1.0"));

    file.write(&whole);
    assert_eq!(reload(&server)["reloaded"], true);
    assert_eq!(server.stats()["reloads"]["failing"], false);
    assert_eq!(told(&ask(&server, "first")), miss("new"));
}

#[test]
fn where_all_is_built_in_there_is_nothing_to_reload() {
    let server = Server::start(&[]);
    server.ask("what is my claim status?", "BEN-000001", "beneficiary");
    let done = reload(&server);
    assert_eq!(
        done,
        json!({ "reloaded": false, "intents": 12, "files": [] })
    );
    let reply = server.ask("what is my claim status?", "BEN-000001", "beneficiary");
    assert!(reply.is_hit());
}

/// Asks until the answer is the version; the file is watched.
fn until(server: &Server, version: &str) {
    let mut versions = (0..TRIES).map(|_| told(&ask(server, "first")).0);
    assert!(versions.any(|told| told == version), "{version} never came");
}

fn link(to: &str, at: &Path) {
    let next = at.with_extension("next");
    std::os::unix::fs::symlink(to, &next).unwrap();
    fs::rename(&next, at).unwrap();
}

#[test]
fn a_file_is_read_again_when_it_changes_however_it_does() {
    let file = File::new("watched", &catalogue("one", "same"));
    let server = file.serve("1ms");
    until(&server, "one");
    file.write(&catalogue("two", "same"));
    until(&server, "two");
    // As editors do.
    let draft = file.0.with_extension("draft");
    fs::write(&draft, catalogue("three", "same")).unwrap();
    fs::rename(&draft, &file.0).unwrap();
    until(&server, "three");
    // As orchestrators do: a link to a link to a folder, which is exchanged.
    let folder = file.0.parent().unwrap();
    for version in ["four", "five"] {
        let _ = fs::create_dir(folder.join(version));
        let text = catalogue(version, "same");
        fs::write(folder.join(version).join("intents.toml"), text).unwrap();
    }
    let _ = fs::remove_file(folder.join("current"));
    link("four", &folder.join("current"));
    link("current/intents.toml", &file.0);
    until(&server, "four");
    link("five", &folder.join("current"));
    until(&server, "five");
    // What cannot be read changes nothing, and is tried again.
    let linked = folder.join("five").join("intents.toml");
    fs::write(&linked, "[[intent").unwrap();
    let is_failing = || server.stats()["reloads"]["failing"] == true;
    assert!((0..TRIES).any(|_| is_failing()), "never tried");
    assert_eq!(told(&ask(&server, "first")).0, "five");
    fs::write(&linked, catalogue("six", "same")).unwrap();
    until(&server, "six");
    // The new set answers a moment before the reload is counted.
    assert!((0..TRIES).any(|_| !is_failing()), "still failing");
    fs::remove_file(&file.0).unwrap();
}

#[test]
fn a_hang_up_reloads_and_says_what_is_wrong() {
    let file = File::new("signal", &catalogue("one", "same"));
    let (log, writer) = std::io::pipe().unwrap();
    let settings = [
        ("ROUTER_CATALOGUE__FILE", file.path()),
        ("ROUTER_SERVER__WATCH_FILES", "0s"),
    ];
    let server = Server::start_logging_to(Stdio::from(writer), &settings);
    let mut log = std::io::BufRead::lines(std::io::BufReader::new(log)).map(Result::unwrap);
    let mut said = |what: &str| log.find(|line| line.contains(what)).unwrap();
    file.write("[[intent]]\nname = 'a'\n");
    server.signal("HUP");
    let line = said("not reloaded");
    assert!(line.contains(&format!("{}:1:1: ", file.path())), "{line}");
    file.write(&catalogue("two", "same"));
    server.signal("HUP");
    said("reloaded intents=2");
    assert_eq!(told(&ask(&server, "first")), miss("two"));
}

/// Tells the others when it is dropped.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn no_request_is_lost_while_catalogues_change() {
    let file = File::new("busy", &catalogue("0", "same"));
    let server = file.serve("0s");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Told even if the test fails.
        let _done = Done(&done);
        for _ in 0..3 {
            scope.spawn(|| {
                // At most one after the other: what is asked later is never
                // answered by something earlier.
                let mut latest = 0;
                while !done.load(Ordering::Relaxed) {
                    let version: u32 = told(&ask(&server, "first")).0.parse().unwrap();
                    assert!(version >= latest, "{version} after {latest}");
                    latest = version;
                    assert_eq!(told(&ask(&server, "second")).0, "same");
                }
            });
        }
        for version in 1..=20 {
            file.write(&catalogue(&version.to_string(), "same"));
            assert_eq!(reload(&server)["reloaded"], true);
            assert_eq!(told(&ask(&server, "first")).0, version.to_string());
        }
    });
    assert_eq!(server.stats()["requests"]["failed"], 0);
}

/// Trains a model that takes what is about apples for one of the intents of
/// [`catalogue`], and what is about pears for the other.
fn train(test: &str, name: &str, apples: &str, pears: &str) -> PathBuf {
    let mut lines = String::new();
    for (fruit, intent) in [("apples", apples), ("pears", pears)] {
        for stem in ["where are my", "how many are the", "are there any"] {
            for rest in ["please", "today", "in the morning", "for my son"] {
                lines +=
                    &format!("{{\"text\": \"{stem} {fruit} {rest}\", \"intent\": \"{intent}\"}}\n");
            }
        }
    }
    let data = program::file(test, &format!("{name}.jsonl"), lines);
    let model = data.with_extension("model");
    let (data, out) = (data.to_str().unwrap(), model.to_str().unwrap());
    let run = program::router(&["train", "--data", data, "--out", out], "");
    assert_eq!(run.code, 0, "{}", run.stderr);
    model
}

#[test]
fn another_model_decides_and_what_did_not_change_is_kept() {
    let file = File::new("model", &catalogue("a", "b"));
    let straight = train("model", "straight", "first", "second");
    let crossed = train("model", "crossed", "second", "first");
    let strange = train("model", "strange", "first", "third");
    let model = straight.with_file_name("current.model");
    let put = |other: &Path| fs::copy(other, &model).unwrap();
    put(&straight);
    let settings = |period| {
        [
            ("ROUTER_CATALOGUE__FILE", file.path()),
            ("ROUTER_DETECTOR__KIND", "linear"),
            ("ROUTER_DETECTOR__MODEL", model.to_str().unwrap()),
            ("ROUTER_SERVER__WATCH_FILES", period),
        ]
    };
    let server = Server::start(&settings("0s"));
    let ask = |server: &Server| {
        let reply = server.ask("where are my apples today", "BEN-000001", "beneficiary");
        told(&reply)
    };
    assert_eq!(ask(&server), miss("a"));
    assert_eq!(reload(&server)["reloaded"], false);
    put(&crossed);
    let done = reload(&server);
    assert_eq!(done["reloaded"], true);
    assert_eq!(done["files"][1], model.to_str().unwrap());
    assert_eq!(ask(&server), miss("b"));
    put(&straight);
    assert_eq!(reload(&server)["reloaded"], true);
    assert_eq!(ask(&server), hit("a"), "its definition is the same");
    // A file that is not a model, and a model of other intents.
    fs::write(&model, "half of a model").unwrap();
    let refused = |says: &str| {
        let reply = server.post("/v1/reload", &json!({}));
        reply.is_problem(409, says);
        assert_eq!(ask(&server), hit("a"));
    };
    refused("detector.model");
    put(&strange);
    refused("third");

    // It is watched, too.
    put(&straight);
    let server = Server::start(&settings("1ms"));
    assert_eq!(ask(&server), miss("a"));
    put(&crossed);
    assert!((0..TRIES).any(|_| ask(&server).0 == "b"), "never read");
}
