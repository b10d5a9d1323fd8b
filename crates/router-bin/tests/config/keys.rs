//! Every key: in the schema, the documentation, the file, the environment and
//! `config show`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::program::{Run, argument, file, router, router_with};
use crate::{shown, variable};

const DOCUMENTATION: &str = include_str!("../../../../docs/configuration.md");

/// Every key, with a value that is not its default. `*` is a name of the user's.
const EVERY_KEY: [(&str, &str); 93] = [
    ("server.listen", "127.0.0.1:9000"),
    ("time.zone", "Africa/Lusaka"),
    ("server.max_body", "2MiB"),
    ("server.max_bodies", "32MiB"),
    ("server.max_message", "8KiB"),
    ("server.max_connections", "10"),
    ("server.max_streams", "8"),
    ("server.header_timeout", "11s"),
    ("server.body_timeout", "31s"),
    ("server.idle_timeout", "2m"),
    ("server.request_timeout", "32s"),
    ("server.lame_duck", "5s"),
    ("server.shutdown_deadline", "12s"),
    ("server.watch_files", "0s"),
    ("server.tls.certificate", "/etc/router/tls.crt"),
    ("server.tls.key", "/etc/router/tls.key"),
    ("server.admin.listen", "127.0.0.1:9001"),
    ("server.admin.max_connections", "20"),
    ("auth.mode", "jwt"),
    ("auth.secure_cookie", "true"),
    (
        "auth.tokens",
        r#"[{ env = "OPS_TOKEN", name = "ops", scopes = ["admin", "ask-for-anyone"] }]"#,
    ),
    ("auth.jwt.algorithms", r#"["ES256", "EdDSA"]"#),
    ("auth.jwt.key_file", "/etc/router/keys.json"),
    ("auth.jwt.secret_file", "/etc/router/secret"),
    ("auth.jwt.secret_env", "JWT_SECRET"),
    ("auth.jwt.jwks_url", "https://id.example.org/jwks.json"),
    ("auth.jwt.jwks_refresh", "1h"),
    ("auth.jwt.jwks_min_interval", "1m"),
    ("auth.jwt.issuer", "https://id.example.org"),
    ("auth.jwt.audience", r#"["router"]"#),
    ("auth.jwt.leeway", "0s"),
    ("auth.jwt.user_claim", "member_id"),
    ("auth.jwt.role_claim", "role"),
    ("auth.jwt.default_role", "beneficiary"),
    ("auth.jwt.scope_claim", "scope"),
    (
        "auth.trusted_proxy.from",
        r#"["127.0.0.1/32", "10.0.0.0/8"]"#,
    ),
    ("auth.trusted_proxy.user_header", "x-forwarded-user"),
    ("auth.trusted_proxy.role_header", "x-forwarded-role"),
    ("auth.trusted_proxy.default_role", "guest"),
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
    ("cache.aside.max_permits", "100"),
    ("cache.aside.max_memory", "1MiB"),
    ("cache.aside.permit_deadline", "2m"),
    ("cache.aside.max_wait", "5s"),
    ("source.url", "postgres://reader@db.example/crm"),
    ("source.postgres.password_file", "/run/secrets/crm"),
    ("source.postgres.password_env", "CRM_PASSWORD"),
    ("source.postgres.ca_file", "/etc/ssl/db.pem"),
    ("mcp.enabled", "true"),
    ("changes.enabled", "false"),
    ("changes.poll", "50ms"),
    ("changes.max_lag", "5s"),
    ("changes.when_behind", "ttl"),
    ("changes.webhook.secrets", r#"["env:HOOK_SECRET"]"#),
    ("changes.webhook.window", "1m"),
    ("source.connections", "8"),
    ("source.deadline", "3s"),
    ("source.share", "3"),
    ("source.max_wait", "250ms"),
    ("source.breaker.failures", "7"),
    ("source.breaker.open_for", "2s"),
    ("source.breaker.longest_open", "20s"),
    ("source.limit.least", "2"),
    ("source.limit.tolerance", "3"),
    ("source.http.url", "https://crm.example.org/api"),
    ("source.http.headers.*", "Bearer ${CRM_TOKEN}"),
    ("source.http.user_header", "x-user-id"),
    ("source.http.role_header", "x-user-role"),
    ("source.http.connect_timeout", "500ms"),
    ("source.http.max_response", "64KiB"),
    ("source.http.retries", "2"),
    ("source.http.revalidate", "0B"),
    ("source.http.health", "/healthz"),
    (
        "source.profile_sql",
        "SELECT * FROM people WHERE id = :user_id",
    ),
    ("source.demo_users", "50"),
    ("source.demo_seed", "7"),
    ("detector.kind", "keyword"),
    ("detector.model", "/var/lib/router.model"),
    ("detector.sentence_model", "/var/lib/MiniLM"),
    ("privacy.show_ids", "true"),
    ("privacy.key_file", "/var/lib/router.key"),
    ("audit.file", "/var/log/router/audit.log"),
];

/// Keys that exclude another one.
const EXCLUDED: [&str; 3] = ["cache.entries", "source.demo_users", "source.demo_seed"];

/// Keys that are set together with another one.
const TOGETHER: [(&str, &str); 2] = [
    ("server.tls.certificate", "server.tls.key"),
    ("server.tls.key", "server.tls.certificate"),
];

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
    expected.extend(["catalogue.file", "server.hosts"]);
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
        let is_bare = ["true", "false"].contains(&value) || value.starts_with('[');
        let quoted = if value.parse::<f64>().is_ok() || is_bare {
            value.to_owned()
        } else {
            format!("{value:?}")
        };
        let other = TOGETHER.iter().find(|(one, _)| *one == key);
        let other = other.map(|(_, other)| *other);
        let second = other.map_or_else(String::new, |other| {
            let (_, name) = other.rsplit_once('.').unwrap();
            format!("{name} = '/other'\n")
        });
        let config = file(
            &path,
            "router.toml",
            format!("# one\n[{section}]\n{name} = {quoted}\n{second}"),
        );
        let expected = (value.to_owned(), "file, line 3".to_owned());
        let run = show(&config);
        assert_eq!(shown(&run).get(&path), Some(&expected), "{}", run.stdout);

        let variable = variable(&path);
        let expected = (value.to_owned(), format!("environment, {variable}"));
        let second = other.map(crate::variable);
        let second = second.iter().map(|name| (name.as_str(), "/other"));
        let environment: Vec<_> = std::iter::once((&*variable, value)).chain(second).collect();
        let run = router_with(&["config", "show"], &environment, b"");
        assert_eq!(shown(&run).get(&path), Some(&expected), "{}", run.stdout);
    }
}

#[test]
fn hosts_are_a_list_or_have_commas_between_them() {
    let hosts = |run: &Run| shown(run)["server.hosts"].0.clone();
    let list = "[server]\nhosts = ['Cache.Example', '192.0.2.1', '[2001:db8::1]']\n";
    let expected = r#"["cache.example", "192.0.2.1", "[2001:db8::1]"]"#;
    let run = show(&file("hosts", "router.toml", list));
    assert_eq!(hosts(&run), expected, "{}", run.stdout);
    let variable = [(
        "ROUTER_SERVER__HOSTS",
        "cache.example, 192.0.2.1,[2001:db8::1]",
    )];
    let run = router_with(&["config", "show"], &variable, b"");
    assert_eq!(hosts(&run), expected, "{}", run.stdout);
    for wrong in ["'http://a'", "['a', 'a:80']", "['::1']", "['']", "7"] {
        let text = format!("[server]\nhosts = {wrong}\n");
        let run = show(&file("hosts", "router.toml", text));
        run.fails(78, ":2:1: server.hosts: ");
        assert!(run.stderr.contains("host name"), "{}", run.stderr);
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
    assert_eq!(
        values(&first)["source.url"],
        "postgres://reader@db.example/crm"
    );
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
