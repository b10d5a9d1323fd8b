use super::*;
use crate::config::Config;

/// Names of classes, among them words that settings are made of.
const CLASSES: [&str; 7] = [
    "live_data",
    "mine",
    "a",
    "negative",
    "ttl",
    "my_own_ttl",
    "stale_if",
];

/// What loading tells of one variable: its errors, or its warnings.
fn told(name: &str, value: &str) -> Result<Vec<String>, String> {
    let environment = [(OsString::from(name), OsString::from(value))];
    match Config::load(None, environment) {
        Ok(config) => Ok(config.warnings().iter().map(ToString::to_string).collect()),
        Err(errors) => Err(errors.to_string()),
    }
}

/// Every setting's path, with a name in place of the `*`.
fn paths() -> impl Iterator<Item = String> {
    let settings = Keys::new().settings().into_iter();
    settings.flat_map(|path| {
        let names = if path.contains('*') {
            &CLASSES[..]
        } else {
            &CLASSES[..1]
        };
        names.iter().map(move |name| path.replace('*', name))
    })
}

#[test]
fn every_setting_with_single_underscores_is_told_its_variable() {
    let mut tried = 0;
    for path in paths() {
        let right = variable(&path);
        for wrong in [
            right.replace("__", "_"),
            right.replacen("__", "_", 1),
            right.replace("__", "___"),
        ] {
            let told = told(&wrong, "x").expect_err(&wrong);
            let expected = format!(
                "{wrong} (environment): does not name a setting; separate the parts of a path with `__`: {right}"
            );
            assert!(told.contains(&expected), "{told}");
            tried += 1;
        }
    }
    assert!(tried > 150, "{tried}");
}

/// With two of three joints right, a name may be a class's or a setting's part.
#[test]
fn a_single_underscore_after_a_class_is_told() {
    for path in paths().filter(|path| path.starts_with("cache.classes.")) {
        let right = variable(&path);
        let (start, end) = right.rsplit_once("__").expect("joints");
        let told = told(&format!("{start}_{end}"), "x").expect_err(&path);
        assert!(told.contains("separate the parts"), "{path}: {told}");
    }
}

#[test]
fn misspelt_names_are_told_what_was_meant() {
    for (wrong, meant) in [
        ("ROUTER_SERVER_LISEN", "ROUTER_SERVER__LISTEN"),
        ("ROUTER_SEVER_LISTEN", "ROUTER_SERVER__LISTEN"),
        ("ROUTER_TIME_ZOME", "ROUTER_TIME__ZONE"),
        ("ROUTER_TIMEZONE", "ROUTER_TIME__ZONE"),
        (
            "ROUTER_CACHE_CLASSES_LIVE_DATA_TLL",
            "ROUTER_CACHE__CLASSES__LIVE_DATA__TTL",
        ),
        (
            "ROUTER_CACHE_CLASSES_MY_CLASS_STALE_IF_EROR",
            "ROUTER_CACHE__CLASSES__MY_CLASS__STALE_IF_ERROR",
        ),
        (
            "ROUTER_CACHE_CLASES_MINE_TTL",
            "ROUTER_CACHE__CLASSES__MINE__TTL",
        ),
    ] {
        let told = told(wrong, "x").expect_err(wrong);
        let expected =
            format!("{wrong} (environment): does not name a setting; did you mean {meant}?");
        assert!(told.contains(&expected), "{told}");
    }
}

#[test]
fn tables_and_settings_of_later_versions_are_errors() {
    for (name, reason) in [
        ("ROUTER_SERVER", "server: expected a table of settings"),
        ("ROUTER_SHARED_URL", "is not supported by this version"),
        ("ROUTER_AUTH_TOKEN", "did you mean ROUTER_AUTH__TOKENS?"),
        ("ROUTER_AUTH", "auth: expected a table of settings"),
        ("ROUTER_FOO__BAR", "unknown key"),
    ] {
        let told = told(name, "x").expect_err(name);
        assert!(told.contains(reason), "{told}");
    }
}

#[test]
fn what_is_like_no_setting_is_warned_about() {
    for name in ["ROUTER_FOO", "ROUTER_", "ROUTER_TOKEN", "ROUTER_LOG_FORMAT"] {
        let warnings = told(name, "x").expect(name);
        let warning = format!("{name} (environment): does not name a setting and is ignored");
        assert!(
            warnings.iter().any(|told| told.starts_with(&warning)),
            "{warnings:?}"
        );
    }
}

#[test]
fn what_others_read_is_left_alone() {
    for name in [
        "ROUTER_LOG",
        "ROUTER_CONFIG",
        "ROUTER_PORT",
        "ROUTER_SERVICE_HOST",
        "ROUTER_SERVICE_PORT",
        "ROUTER_SERVICE_PORT_HTTP_ADMIN",
        "ROUTER_PORT_8080_TCP",
        "ROUTER_PORT_8080_TCP_ADDR",
        "ROUTER_ADMIN_PORT_53_UDP_PROTO",
        "ROUTER_ADMIN_SERVICE_HOST",
        "ROUTERX",
        "router_server_listen",
    ] {
        assert_eq!(told(name, "x"), Ok(Vec::new()), "{name}");
    }
    for path in paths() {
        let name = variable(&path);
        assert!(!is_orchestrated(&single(&name[PREFIX.len()..])), "{name}");
    }
}
