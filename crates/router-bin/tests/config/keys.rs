//! Every key: in the schema, the documentation, the file, the environment and
//! `config show`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::program::{Run, argument, file, router, router_with};
use crate::{shown, variable};

const DOCUMENTATION: &str = include_str!("../../../../docs/configuration.md");

/// Every key, with a value that is not its default. `*` is a name of the user's.
const EVERY_KEY: [(&str, &str); 32] = [
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
    ("cache.snapshot.file", "/var/lib/router.snapshot"),
    ("cache.snapshot.every", "10m"),
    ("cache.snapshot.max_down", "2m"),
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

fn schema() -> Value {
    router(&["config", "schema"], "").json()
}

fn show(config: &Path) -> Run {
    router(&["config", "show", "--config", argument(config)], "")
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
        let expected = (value.to_owned(), "file, line 3".to_owned());
        let run = show(&config);
        assert_eq!(shown(&run).get(&path), Some(&expected), "{}", run.stdout);

        let variable = variable(&path);
        let expected = (value.to_owned(), format!("environment, {variable}"));
        let run = router_with(&["config", "show"], &[(&variable, value)], b"");
        assert_eq!(shown(&run).get(&path), Some(&expected), "{}", run.stdout);
    }
}

#[test]
fn a_window_takes_no_class_its_ttl() {
    let toml =
        "[cache.classes.knowledge_base]\nstale_if_error = '1h'\n[cache.classes.mine]\njitter = 1\n";
    let settings = shown(&show(&file("windows", "router.toml", toml)));
    let value = |key: &str| settings[&format!("cache.classes.{key}")].0.as_str();
    assert_eq!(value("knowledge_base.ttl"), "1h");
    assert_eq!(value("knowledge_base.stale_if_error"), "1h");
    assert_eq!(value("mine.ttl"), "5m");
    assert_eq!(value("mine.jitter"), "1.0");
    assert_eq!(value("live_data.stale_if_error"), "0s");
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
    let second = show(&file("again", "router.toml", first.output()));
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
fn what_is_shown_means_the_same_in_another_folder() {
    file(
        "show/a",
        "intents.toml",
        "[[intent]]\nname = 'hours'\nkind = 'knowledge_base'\nphrases = ['hours']\n",
    );
    let text = "[source]\nurl = 'sqlite://crm.db'\n[catalogue]\nfile = 'intents.toml'\n";
    let first = file("show/a", "router.toml", text);
    // As from a shell: the path is relative to the working directory.
    let here = std::env::current_dir().unwrap();
    let up: String = here.components().skip(1).map(|_| "../").collect();
    let relative = format!("{up}{}", first.strip_prefix("/").unwrap().display());
    let shown = router(&["config", "show", "--config", &relative], "");
    let second = file("show/b", "router.toml", shown.output());
    let again = show(&second);
    for path in ["crm.db", "intents.toml"] {
        let line = |run: &Run| {
            let line = run.output().lines().find(|line| line.contains(path));
            let setting = line.and_then(|line| line.split('#').next());
            setting.expect(path).trim_end().to_owned()
        };
        assert_eq!(line(&again), line(&shown));
    }
}
