//! Configurations that are refused, with every error and its place.

use crate::check;
use crate::program::{argument, file, router, router_with};

/// The text without the column of a place such as `:3:7: `.
fn without_column(told: &str) -> String {
    let parts: Vec<_> = told.splitn(4, ':').collect();
    match parts[..] {
        ["", line, column, rest] if column.parse::<usize>().is_ok() => format!(":{line}:{rest}"),
        _ => told.to_owned(),
    }
}

/// Checks that a configuration is refused with exactly these errors, in order;
/// each is given by its beginning, after the name of the file and without the
/// column.
fn refused(test: &str, toml: &str, errors: &[&str]) {
    let run = check(test, toml);
    assert_eq!((run.code, run.stdout.as_str()), (78, ""), "{run:?}");
    let lines: Vec<_> = run.stderr.lines().skip(1).collect();
    assert_eq!(lines.len(), errors.len(), "{}", run.stderr);
    for (line, expected) in lines.iter().zip(errors) {
        let (_, told) = line.split_once("router.toml").expect(line);
        let told = without_column(told);
        assert!(told.starts_with(expected), "`{told}` is not `{expected}…`");
    }
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
fn listeners_are_checked() {
    let toml =
        "[server.tls]\nkey = 'tls.key'\n[server.admin]\nlisten = '8081'\nmax_connections = 0\n";
    refused(
        "listeners",
        toml,
        &[
            ":2: server.tls.key: TLS needs `certificate` too; set `server.tls.certificate`",
            ":4: server.admin.listen: `8081` is not an IP address with a port",
            ":5: server.admin.max_connections: `0` is out of range",
        ],
    );
    refused(
        "listeners",
        "server.tls.certificate = 'tls.crt'\n",
        &[":1: server.tls.certificate: TLS needs `key` too; set `server.tls.key`"],
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
url = "mysql://user:secret@host/db"
demo_users = 99999999999999999999
demo_seed = 99999999999999999999999999999999999999999999
[shared]
url = "redis://127.0.0.1:6379"
pool = 3
[detector]
kind = "oracle"
modell = "model.bin"
[auth]
mode = "open"
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
            ":12: cache.entries: `capacity` and `entries` cannot both bound the cache; remove one",
            ":14: cache.classes.live_data.ttl: `-5s` is not a duration; write",
            ":15: cache.classes.live_data.stale_while_revalidate: invalid type: integer `5`, expected a duration with its unit, such as",
            ":16: cache.classes.live_data.stale_if_error: `366d` is out of range; it must be from 0s to 365d",
            ":17: cache.classes.live_data.negative_ttl: `soon` is not a duration; write",
            ":18: cache.classes.live_data.jitter: `1.1` is out of range; it must be from 0 to 1",
            ":19: cache.classes.live_data.early_refresh: `-1` is out of range; it must be from 0 to 1000",
            ":20: cache.classes.live_data.early_refesh: unknown key; did you mean `cache.classes.live_data.early_refresh`?",
            ":21: cache.classes.\"\": invalid class name ``; use 1 to 64 printable characters",
            ":23: source.url: not the URL of a source; write \"postgres://USER@HOST/DATABASE\"",
            ":24: source.demo_users: is out of range",
            ":25: source.demo_seed: is out of range",
            ":27: shared: is not supported by this version; remove it",
            ":30: detector.kind: ",
            ":31: detector.modell: unknown key; did you mean `detector.model`?",
            ":33: auth.mode: unknown variant `open`, expected one of",
            ":34: catalogue: expected a table of settings, found array",
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
        &[":3: source.demo_seed: applies only to the embedded demo data, which `url` replaces"],
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
    run.fails(78, "no/such/router.toml: cannot be read: ");

    let utf8 = file("utf8", "router.toml", b"[server]\n# \xff\n");
    let run = router(&["config", "check", "--config", argument(&utf8)], "");
    run.fails(78, "is not valid UTF-8 on line 2");

    let large = check("large", &"#".repeat((1 << 20) + 1));
    large.fails(78, "is larger than 1 MiB");
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
    run.fails(78, "router.toml:2:1: catalogue.file: ");
    run.fails(78, "intents.toml:3:8: intent[0]");
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
