//! The configuration as its users meet it: every key, every source of settings,
//! every error.

mod program;

use std::collections::BTreeMap;

use program::{Run, file, router, router_with};
use serde_json::Value;

const DOCUMENTATION: &str = include_str!("../../../docs/configuration.md");

/// Every key, with a value that is not its default. `*` is a name of the user's.
const EVERY_KEY: [(&str, &str); 29] = [
    ("server.listen", "127.0.0.1:9000"),
    ("time.zone", "Africa/Lusaka"),
    ("server.max_body", "2MiB"),
    ("server.max_message", "8KiB"),
    ("server.max_connections", "10"),
    ("server.header_timeout", "11s"),
    ("server.body_timeout", "31s"),
    ("server.idle_timeout", "2m"),
    ("server.request_timeout", "32s"),
    ("server.shutdown_deadline", "12s"),
    ("server.watch_files", "0s"),
    ("cache.enabled", "false"),
    ("cache.capacity", "32MiB"),
    ("cache.entries", "1000"),
    ("cache.classes.*.ttl", "1m"),
    ("cache.classes.*.stale_while_revalidate", "10s"),
    ("cache.classes.*.stale_if_error", "1h"),
    ("cache.classes.*.negative_ttl", "5s"),
    ("cache.classes.*.jitter", "0.1"),
    ("cache.classes.*.early_refresh", "1.5"),
    ("source.url", "sqlite:///var/lib/crm.db"),
    ("source.connections", "8"),
    ("source.deadline", "3s"),
    (
        "source.profile_sql",
        "SELECT * FROM people WHERE id = :user_id",
    ),
    ("source.demo_users", "50"),
    ("source.demo_seed", "7"),
    ("detector.kind", "keyword"),
    ("detector.model", "/var/lib/router.model"),
    ("detector.sentence_model", "/var/lib/MiniLM"),
];

/// Keys that exclude another one.
const EXCLUDED: [&str; 3] = ["cache.entries", "source.demo_users", "source.demo_seed"];

fn check(test: &str, toml: &str) -> Run {
    let path = file(test, "router.toml", toml);
    router(
        &["config", "check", "--config", path.to_str().expect("UTF-8")],
        "",
    )
}

/// Checks that a configuration is refused with exactly these errors, in order;
/// each is given by its beginning, after the name of the file.
fn refused(test: &str, toml: &str, errors: &[&str]) {
    let run = check(test, toml);
    assert_eq!((run.code, run.stdout.as_str()), (78, ""), "{run:?}");
    let lines: Vec<_> = run.stderr.lines().skip(1).collect();
    assert_eq!(lines.len(), errors.len(), "{}", run.stderr);
    for (line, expected) in lines.iter().zip(errors) {
        let (_, told) = line.split_once("router.toml").expect(line);
        assert!(told.starts_with(expected), "`{told}` is not `{expected}…`");
    }
}

/// The lines of `config show`: path, value, origin.
fn shown(run: &Run) -> BTreeMap<String, (String, String)> {
    assert_eq!(run.code, 0, "{}", run.stderr);
    let mut section = "";
    let mut settings = BTreeMap::new();
    for line in run.stdout.lines().filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.strip_suffix(']').expect(line);
        } else {
            let (setting, origin) = line.split_once("  # ").expect(line);
            let (name, value) = setting.split_once(" = ").expect(line);
            let value = value.trim().trim_matches('"').to_owned();
            settings.insert(format!("{section}.{name}"), (value, origin.to_owned()));
        }
    }
    settings
}

fn schema() -> Value {
    let run = router(&["config", "schema"], "");
    assert_eq!(run.code, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("the schema is JSON")
}

fn keys(schema: &Value, path: &str, found: &mut Vec<String>) {
    let before = found.len();
    let dot = if path.is_empty() { "" } else { "." };
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        keys(schema, &format!("{path}{dot}{name}"), found);
    }
    if schema["additionalProperties"].is_object() {
        keys(
            &schema["additionalProperties"],
            &format!("{path}{dot}*"),
            found,
        );
    }
    if found.len() == before {
        assert!(schema["description"].is_string(), "{path} is not described");
        found.push(path.to_owned());
    }
}

fn variable(path: &str) -> String {
    format!("ROUTER_{}", path.to_uppercase().replace('.', "__"))
}

#[test]
fn the_schema_lists_every_key() {
    let mut found = Vec::new();
    keys(&schema(), "", &mut found);
    found.sort();
    let mut expected: Vec<_> = EVERY_KEY.iter().map(|(key, _)| *key).collect();
    expected.push("catalogue.file");
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn the_documentation_names_every_key_its_default_and_its_variable() {
    let run = router(&["config", "show"], "");
    let defaults = shown(&run);
    let mut found = Vec::new();
    keys(&schema(), "", &mut found);
    for key in found {
        let documented = key.replace('*', "NAME");
        let row = DOCUMENTATION
            .lines()
            .find(|line| line.contains(&format!("| `{documented}` ")))
            .unwrap_or_else(|| panic!("{documented} is not documented"));
        assert!(row.contains(&variable(&documented)), "{row}");
        if let Some((default, _)) = defaults.get(&key) {
            assert!(
                row.contains(&format!("`{default}`")) || row.contains(&format!("`\"{default}\"`")),
                "{row}"
            );
        }
    }
    for (key, (value, _)) in defaults
        .iter()
        .filter(|(key, _)| key.starts_with("cache.classes."))
    {
        let (class, setting) = key["cache.classes.".len()..].split_once('.').unwrap();
        let row = match setting {
            "ttl" => format!("| `{class}` "),
            _ => format!("| `cache.classes.NAME.{setting}` "),
        };
        let row = DOCUMENTATION
            .lines()
            .find(|line| line.contains(&row))
            .unwrap();
        if value.parse::<f64>() == Ok(0.0) {
            assert!(row.contains("| `0` |"), "{row}");
            continue;
        }
        assert!(row.contains(&format!("`\"{value}\"`")), "{row}");
    }
}

#[test]
fn every_key_is_read_from_the_file_and_from_the_environment() {
    for (key, value) in EVERY_KEY {
        let path = key.replace('*', "live_data");
        let (section, name) = path.rsplit_once('.').unwrap();
        let quoted = if value.parse::<f64>().is_ok() || value == "false" {
            value.to_owned()
        } else {
            format!("{value:?}")
        };
        let config = file(
            &path,
            "router.toml",
            format!("# one\n[{section}]\n{name} = {quoted}\n"),
        );
        let config = config.to_str().unwrap();
        let expected = (value.to_owned(), "file, line 3".to_owned());
        let run = router(&["config", "show", "--config", config], "");
        assert_eq!(shown(&run).get(&path), Some(&expected), "{}", run.stdout);

        let variable = variable(&path);
        let expected = (value.to_owned(), format!("environment, {variable}"));
        let run = router_with(&["config", "show"], &[(&variable, value)], b"");
        assert_eq!(shown(&run).get(&path), Some(&expected), "{}", run.stdout);
    }
}

#[test]
fn the_environment_overrides_the_file() {
    let config = file(
        "override",
        "router.toml",
        "[cache]\nentries = 5\n[server]\nmax_body = '2MiB'\n",
    );
    let config = config.to_str().unwrap();
    let environment = [
        ("ROUTER_CONFIG", config),
        ("ROUTER_SERVER__MAX_BODY", "3MiB"),
        // The file bounds the cache otherwise.
        ("ROUTER_CACHE__CAPACITY", "1MiB"),
        ("ROUTER_CACHE__CLASSES__MY_CLASS__TTL", "9s"),
        // What an orchestrator sets for a service that is called "router".
        ("ROUTER_PORT", "tcp://10.0.0.1:8080"),
        ("ROUTER_SERVICE_HOST", "10.0.0.1"),
    ];
    let settings = shown(&router_with(&["config", "show"], &environment, b""));
    assert_eq!(settings["server.max_body"].0, "3MiB");
    assert_eq!(settings["cache.capacity"].0, "1MiB");
    assert!(!settings.contains_key("cache.entries"));
    assert_eq!(settings["cache.classes.my_class.ttl"].0, "9s");
    assert_eq!(settings["cache.classes.live_data.ttl"].0, "5m");
}

#[test]
fn a_window_takes_no_class_its_ttl() {
    let toml =
        "[cache.classes.knowledge_base]\nstale_if_error = '1h'\n[cache.classes.mine]\njitter = 1\n";
    let config = file("windows", "router.toml", toml);
    let settings = shown(&router(
        &["config", "show", "--config", config.to_str().unwrap()],
        "",
    ));
    let value = |key: &str| settings[&format!("cache.classes.{key}")].0.as_str();
    assert_eq!(value("knowledge_base.ttl"), "1h");
    assert_eq!(value("knowledge_base.stale_if_error"), "1h");
    assert_eq!(value("mine.ttl"), "5m");
    assert_eq!(value("mine.jitter"), "1.0");
    assert_eq!(value("live_data.stale_if_error"), "0s");
}

#[test]
fn variables_are_checked_like_the_file() {
    for (name, value, told) in [
        (
            "ROUTER_SERVER__LISEN",
            "x",
            "ROUTER_SERVER__LISEN (environment): server.lisen: unknown key; did you mean ROUTER_SERVER__LISTEN?",
        ),
        (
            "ROUTER_SERVER_LISTEN",
            "x",
            "ROUTER_SERVER_LISTEN (environment): names no setting; join the parts of a path by two `_`: ROUTER_SERVER__LISTEN",
        ),
        (
            "ROUTER_CACHE__ENABLED",
            "maybe",
            "ROUTER_CACHE__ENABLED (environment): cache.enabled: ",
        ),
        (
            "ROUTER_CACHE__ENTRIES",
            "-1",
            "ROUTER_CACHE__ENTRIES (environment): cache.entries: `-1` is out of range",
        ),
        (
            "ROUTER_CACHE__CLASSES__LIVE_DATA__JITTER",
            "2.5",
            "ROUTER_CACHE__CLASSES__LIVE_DATA__JITTER (environment): cache.classes.live_data.jitter: `2.5` is out of range; it must be from 0 to 1",
        ),
        (
            "ROUTER_CACHE__CLASSES__LIVE_DATA__NEGATIVE_TTL",
            "30",
            "cache.classes.live_data.negative_ttl: invalid type: integer `30`, expected a duration with its unit",
        ),
        (
            "ROUTER_SHARED__URL",
            "redis://h",
            "ROUTER_SHARED__URL (environment): shared: is not supported by this version",
        ),
        ("ROUTER___", "x", "unknown key"),
    ] {
        let run = router_with(&["config", "check"], &[(name, value)], b"");
        assert_eq!(run.code, 78, "{name}");
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
}

#[test]
fn what_is_shown_can_be_read_again() {
    let complete = EVERY_KEY.iter().filter(|(key, _)| !EXCLUDED.contains(key));
    let variables: Vec<_> = complete
        .map(|(key, value)| (variable(&key.replace('*', "mine")), *value))
        .collect();
    let environment: Vec<_> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    let first = router_with(&["config", "show"], &environment, b"");
    let config = file("again", "router.toml", &first.stdout);
    let second = router(
        &["config", "show", "--config", config.to_str().unwrap()],
        "",
    );
    let values = |run: &Run| -> BTreeMap<String, String> {
        shown(run)
            .into_iter()
            .map(|(path, (value, _))| (path, value))
            .collect()
    };
    assert_eq!(values(&first), values(&second));
    assert_eq!(values(&first)["source.url"], "sqlite:///var/lib/crm.db");
}

#[test]
fn good_configurations_are_ok() {
    for toml in [
        "",
        "[server]\n[cache.classes]\n[source]\n",
        "server.listen = '[::1]:0'\n",
        "[cache.classes.mine]\n",
        "[cache.classes.live_data]\nttl = '1h 30m'\n",
        "cache = { enabled = false, classes = { live_data = { ttl = '1ms' } } }\n",
        "[source]\ndemo_seed = 0\ndemo_users = 1\n",
    ] {
        let run = check("good", toml);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (0, "ok\n"),
            "{toml}: {}",
            run.stderr
        );
    }
}

#[test]
fn warnings_do_not_fail() {
    let run = check(
        "open",
        "[server]\nlisten = '0.0.0.0:80'\n[cache.classes.livedata]\nttl = '1s'\n",
    );
    assert_eq!((run.code, run.stdout.as_str()), (0, "ok\n"));
    let warnings: Vec<_> = run.stderr.lines().collect();
    assert_eq!(warnings.len(), 2, "{}", run.stderr);
    assert!(warnings[0].starts_with("warning: server.listen: 0.0.0.0:80 can be reached"));
    assert!(warnings[1].starts_with("warning: cache.classes.livedata: no intent"));

    let run = check(
        "detections",
        "[cache.classes.intent_routing]\nttl = '1s'\njitter = 0.5\nnegative_ttl = '1s'\nearly_refresh = 1\n",
    );
    assert_eq!((run.code, run.stdout.as_str()), (0, "ok\n"));
    let warnings: Vec<_> = run.stderr.lines().collect();
    assert_eq!(warnings.len(), 2, "{}", run.stderr);
    assert!(warnings[0].starts_with("warning: cache.classes.intent_routing.negative_ttl: "));
    assert!(warnings[1].starts_with("warning: cache.classes.intent_routing.early_refresh: "));
}

/// A catalogue with a phrase that speaks for two intents, an intent that cannot
/// be found, and few examples.
const DOUBTFUL: &str = "\
[[intent]]
name = 'loans'
kind = 'knowledge_base'
phrases = ['my books', 'my loans']

[[intent]]
name = 'books'
kind = 'knowledge_base'
phrases = [
    'my books',
    'new books',
]

[[intent]]
name = 'hours'
kind = 'knowledge_base'
phrases = [{ text = 'open', weight = 0.2 }]
";

#[test]
fn a_doubtful_catalogue_is_warned_about_with_file_and_line() {
    let intents = file("doubtful", "intents.toml", DOUBTFUL);
    let run = check("doubtful", "[catalogue]\nfile = 'intents.toml'\n");
    assert_eq!((run.code, run.stdout.as_str()), (0, "ok\n"));
    let place = format!("warning: {}:", intents.display());
    let warnings: Vec<_> = run.stderr.lines().collect();
    let expect = [
        "1: intent[0] \"loans\": has 0 examples; about 10 are needed",
        "6: intent[1] \"books\": has 0 examples",
        "10: intent[1] \"books\" phrases[0]: phrase \"my books\" speaks as strongly for intent \"loans\" on line 4",
        "14: intent[2] \"hours\": cannot be found by its phrases: together they weigh 0.20",
        "14: intent[2] \"hours\": has 0 examples",
    ];
    assert_eq!(warnings.len(), expect.len(), "{}", run.stderr);
    for (warning, expect) in warnings.iter().zip(expect) {
        let told = warning.strip_prefix(&place);
        assert!(
            told.is_some_and(|told| told.starts_with(expect)),
            "{warning}"
        );
    }
}

#[test]
fn warnings_fail_where_that_is_asked_for() {
    let strictly = |toml: &str| {
        let path = file("strict", "router.toml", toml);
        let path = path.to_str().expect("UTF-8");
        router(&["config", "check", "--strict", "--config", path], "")
    };
    let run = strictly("");
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "ok\n", "")
    );
    let run = strictly("[cache.classes.livedata]\n");
    assert_eq!((run.code, run.stdout.as_str()), (78, ""));
    let last = run.stderr.lines().last();
    assert_eq!(
        last,
        Some("error: 1 warning, which --strict counts as errors")
    );
    file("strict", "intents.toml", DOUBTFUL);
    let run = strictly("[catalogue]\nfile = 'intents.toml'\n");
    assert_eq!((run.code, run.stdout.as_str()), (78, ""));
    let last = run.stderr.lines().last();
    assert_eq!(
        last,
        Some("error: 5 warnings, which --strict counts as errors")
    );
}

#[test]
fn every_error_is_told_at_once_in_the_order_of_the_file() {
    let toml = r#"listen = "127.0.0.1:1"
[server]
listen = "localhost:8080"
lisen = "127.0.0.1:1"
max_connections = 0
header_timeout = 10
body_timeout = "0s"
max_body = "900GiB"
[cache]
enabled = "yes"
capacity = "64MiB"
entries = 5
[cache.classes.live_data]
ttl = "-5s"
stale_while_revalidate = 5
stale_if_error = "366d"
negative_ttl = "soon"
jitter = 1.1
early_refresh = -1
early_refesh = 1
[cache.classes.""]
[source]
url = "postgres://user:secret@host/db"
demo_users = 99999999999999999999
demo_seed = 99999999999999999999999999999999999999999999
[shared]
url = "redis://127.0.0.1:6379"
pool = 3
[detector]
kind = "oracle"
modell = "model.bin"
[auth]
[[catalogue]]
file = 1
"#;
    refused(
        "all",
        toml,
        &[
            ":1: listen: unknown key; did you mean `server.listen`?",
            ":3: server.listen: `localhost:8080` is not an IP address with a port; write it as",
            ":4: server.lisen: unknown key; did you mean `server.listen`?",
            ":5: server.max_connections: `0` is out of range; it must be from 1 to 1000000",
            ":6: server.header_timeout: invalid type: integer `10`, expected a duration with its unit, such as",
            ":7: server.body_timeout: `0s` is out of range; it must be from 1ms to 1h",
            ":8: server.max_body: `900GiB` is out of range; it must be from 1KiB to 1GiB",
            ":10: cache.enabled: invalid type: string \"yes\", expected a boolean",
            ":12: cache.entries: the cache is bounded by `capacity` or by `entries`, not by both; remove one",
            ":14: cache.classes.live_data.ttl: `-5s` is not a duration; write",
            ":15: cache.classes.live_data.stale_while_revalidate: invalid type: integer `5`, expected a duration with its unit, such as",
            ":16: cache.classes.live_data.stale_if_error: `366d` is out of range; it must be from 0s to 365d",
            ":17: cache.classes.live_data.negative_ttl: `soon` is not a duration; write",
            ":18: cache.classes.live_data.jitter: `1.1` is out of range; it must be from 0 to 1",
            ":19: cache.classes.live_data.early_refresh: `-1` is out of range; it must be from 0 to 1000",
            ":20: cache.classes.live_data.early_refesh: unknown key; did you mean `cache.classes.live_data.early_refresh`?",
            ":21: cache.classes.\"\": `` cannot name a class; use 1 to 64 printable characters",
            ":23: source.url: `postgres://` sources are not supported by this version; use \"sqlite://PATH\"",
            ":24: source.demo_users: is out of range",
            ":25: source.demo_seed: is out of range",
            ":27: shared: is not supported by this version and comes with a later one; remove it",
            ":30: detector.kind: ",
            ":31: detector.modell: unknown key; did you mean `detector.model`?",
            ":32: auth: is not supported by this version",
            ":33: catalogue: is a table of settings, not of type array",
        ],
    );
    let run = check("all", toml);
    assert!(
        run.stderr
            .starts_with("error: the configuration has 25 errors\n")
    );
    assert!(!run.stderr.contains("secret"), "passwords are not repeated");
}

#[test]
fn source_urls_are_told_what_is_possible() {
    for (url, told) in [
        ("sqlite://", "the path is missing"),
        ("crm.db", "not the URL of a source"),
        ("", "not the URL of a source"),
        ("mysql://h", "not the URL of a source"),
        (
            "https://crm.example.org",
            "`https://` sources are not supported by this version",
        ),
        (
            "postgresql://h/db",
            "`postgresql://` sources are not supported by this version",
        ),
    ] {
        refused(
            "url",
            &format!("source.url = '{url}'"),
            &[&format!(":1: source.url: {told}")],
        );
    }
    refused(
        "demo",
        "[source]\nurl = 'sqlite://crm.db'\ndemo_seed = 1",
        &[":3: source.demo_seed: describes the embedded demo data, which `url` replaces"],
    );
}

#[test]
fn syntax_errors_have_lines() {
    refused(
        "syntax",
        "[server]\nlisten = \nmax_body = 5\n[cache]\nenabled = truth\n",
        &[":2: not valid TOML: ", ":5: not valid TOML: "],
    );
    refused(
        "twice",
        "[server]\nmax_body = '2MiB'\nmax_body = '2MiB'\n",
        &[":3: not valid TOML: duplicate key"],
    );
    let deep = format!("x = {}", "[".repeat(100_000));
    assert_eq!(check("deep", &deep).code, 78);
    let dotted = format!("{}x = 1", "a.".repeat(100_000));
    assert_eq!(check("dotted", &dotted).code, 78);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let run = router(&["config", "check", "--config", "no/such/router.toml"], "");
    assert_eq!(run.code, 78);
    assert!(
        run.stderr.contains("no/such/router.toml: cannot be read: "),
        "{}",
        run.stderr
    );

    let utf8 = file("utf8", "router.toml", b"[server]\n# \xff\n");
    let run = router(&["config", "check", "--config", utf8.to_str().unwrap()], "");
    assert_eq!(run.code, 78);
    assert!(
        run.stderr.contains("is not valid UTF-8 in line 2"),
        "{}",
        run.stderr
    );

    let large = check("large", &"#".repeat((1 << 20) + 1));
    assert_eq!(large.code, 78);
    assert!(
        large.stderr.contains("is larger than 1 MiB"),
        "{}",
        large.stderr
    );
}

#[test]
fn a_bad_catalogue_is_a_bad_configuration() {
    refused(
        "gone",
        "[catalogue]\nfile = 'gone.toml'",
        &[":2: catalogue.file: "],
    );
    refused(
        "empty",
        "[catalogue]\nfile = ''",
        &[":2: catalogue.file: the path is empty"],
    );
    file(
        "bad",
        "intents.toml",
        "[[intent]]\nname = 'unknown'\nkind = 'cloud'\n",
    );
    let run = check("bad", "[catalogue]\nfile = 'intents.toml'");
    assert_eq!(run.code, 78);
    assert!(
        run.stderr.contains("router.toml:2: catalogue.file: "),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("intents.toml:3: intent[0]"),
        "{}",
        run.stderr
    );
}

#[test]
fn commands_refuse_a_bad_configuration() {
    for arguments in [&["config", "show"][..], &["config", "check"], &["detect"]] {
        let run = router_with(
            arguments,
            &[("ROUTER_SERVER__LISTEN", "nowhere")],
            b"hello\n",
        );
        assert_eq!((run.code, run.stdout.as_str()), (78, ""), "{arguments:?}");
    }
}
