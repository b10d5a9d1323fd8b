//! Settings from environment variables.

use crate::program::{argument, file, router_with};
use crate::shown;

#[test]
fn the_environment_overrides_the_file() {
    let config = file(
        "override",
        "router.toml",
        "[cache]\nentries = 5\n[server]\nmax_body = '2MiB'\n",
    );
    let config = argument(&config);
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
            "ROUTER_SERVER_LISTEN (environment): does not name a setting; separate the parts of a path with `__`: ROUTER_SERVER__LISTEN",
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
        run.fails(78, told);
    }
}
