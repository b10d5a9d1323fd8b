use std::net::{IpAddr, Ipv4Addr};

use http::Version;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;

use super::*;
use crate::config::HostList;

const LISTEN: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

fn hosts(listen: IpAddr) -> Hosts {
    let names = "cache.example, [2001:db8::1]".into_deserializer();
    let configured: Result<_, Error> = HostList::deserialize(names);
    Hosts::new(vec![listen], configured.expect("host names"))
}

fn head(version: Version, method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let request = http::Request::builder()
        .version(version)
        .method(method)
        .uri(uri);
    headers
        .iter()
        .fold(request, |request, (name, value)| {
            request.header(*name, *value)
        })
        .body(())
        .expect("a request")
        .into_parts()
        .0
}

/// The status and the code of a refusal; `None` if the request is admitted.
fn outcome(head: &Parts) -> Option<(u16, &'static str)> {
    let checked = check(&hosts(LISTEN), head);
    let checked = checked.and_then(|()| check_method(&head.method, &head.headers));
    let refused = checked.err();
    refused.map(|problem| (problem.status().as_u16(), problem.code()))
}

#[test]
fn one_known_host_is_required() {
    let unknown = Some((421, "unknown_host"));
    let malformed = Some((400, "malformed_host"));
    for (host, expect) in [
        ("localhost", None),
        ("LOCALHOST:8080", None),
        ("localhost.", None),
        ("127.0.0.1:1", None),
        ("127.255.0.3", None),
        ("[::1]:8080", None),
        ("192.0.2.7:8080", None),
        ("cache.example", None),
        ("Cache.Example:443", None),
        ("[2001:db8:0::1]", None),
        ("192.0.2.8:8080", unknown),
        ("sub.cache.example", unknown),
        ("cache.example.attacker.example", unknown),
        ("localhost.attacker.example", unknown),
        ("0.0.0.0:8080", unknown),
        ("[::2]", unknown),
        ("", malformed),
        ("localhost:", malformed),
        ("localhost:99999", malformed),
        ("localhost:8080:8080", malformed),
        ("user@localhost", malformed),
        ("localhost/", malformed),
        ("localhost, localhost", malformed),
        ("::1", malformed),
    ] {
        for version in [Version::HTTP_10, Version::HTTP_11] {
            let get = head(version, "GET", "/v1/stats", &[("host", host)]);
            assert_eq!(outcome(&get), expect, "{host:?}");
        }
    }
}

#[test]
fn an_unspecified_listen_address_is_no_host() {
    let unspecified = hosts(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let get = head(Version::HTTP_11, "GET", "/", &[("host", "0.0.0.0:8080")]);
    assert!(check(&unspecified, &get).is_err());
}

#[test]
fn a_request_names_its_host_once() {
    let none: &[(&str, &str)] = &[];
    let (one, other) = (("host", "localhost:80"), ("host", "cache.example"));
    let (no_host, several) = (Some((400, "no_host")), Some((400, "several_hosts")));
    let (v1, v2) = (Version::HTTP_11, Version::HTTP_2);
    for (version, uri, headers, expect) in [
        (Version::HTTP_10, "/", none, no_host),
        (v1, "/", none, no_host),
        (v1, "/", &[one, other], several),
        (v1, "/", &[one, one], several),
        (v1, "http://localhost:80/", none, no_host),
        (v1, "http://localhost:80/", &[one], None),
        (v1, "http://localhost:81/", &[one], several),
        (v1, "http://attacker.example/", &[one], several),
        (v2, "/", none, no_host),
        (v2, "http://localhost:80/", none, None),
        (v2, "http://localhost:80/", &[one], None),
        (v2, "http://localhost:80/", &[other], several),
        (v2, "http://localhost:80/", &[one, one], several),
        (
            v2,
            "http://attacker.example/",
            none,
            Some((421, "unknown_host")),
        ),
        (
            v2,
            "http://user@localhost/",
            none,
            Some((400, "malformed_host")),
        ),
    ] {
        let get = head(version, "GET", uri, headers);
        assert_eq!(outcome(&get), expect, "{version:?} {uri} {headers:?}");
    }
}

#[test]
fn probes_come_by_any_host() {
    for path in ["/livez", "/readyz"] {
        for (version, host, expect) in [
            (Version::HTTP_11, Some("10.1.2.3:8080"), None),
            (Version::HTTP_11, Some("a b"), Some((400, "malformed_host"))),
            (Version::HTTP_11, None, Some((400, "no_host"))),
            (Version::HTTP_10, None, None),
        ] {
            let headers: Vec<_> = host.map(|host| ("host", host)).into_iter().collect();
            let get = head(version, "GET", path, &headers);
            assert_eq!(outcome(&get), expect, "{path} {host:?}");
        }
        let foreign = [
            ("host", "localhost"),
            ("origin", "https://attacker.example"),
            ("sec-fetch-site", "cross-site"),
        ];
        let get = head(Version::HTTP_11, "GET", path, &foreign);
        assert_eq!(outcome(&get), None);
    }
}

#[test]
fn a_foreign_origin_is_refused() {
    for (host, origin, is_own) in [
        ("localhost:8080", "http://localhost:8080", true),
        ("localhost:8080", "http://LOCALHOST:8080", true),
        ("cache.example", "https://cache.example", true),
        ("cache.example", "http://cache.example", true),
        ("cache.example:443", "https://cache.example", true),
        ("[::1]:8080", "http://[::1]:8080", true),
        ("localhost:8080", "http://localhost:3000", false),
        ("localhost:8080", "http://localhost", false),
        ("localhost:8080", "http://127.0.0.1:8080", false),
        ("cache.example", "https://cache.example:8443", false),
        ("cache.example:443", "http://cache.example", false),
        ("cache.example", "https://attacker.example", false),
        (
            "cache.example",
            "https://cache.example.attacker.example",
            false,
        ),
        ("cache.example", "ftp://cache.example", false),
        ("cache.example", "cache.example", false),
        ("cache.example", "https://cache.example/", false),
        ("localhost:8080", "null", false),
        ("localhost:8080", "", false),
    ] {
        for (method, path) in [("GET", "/v1/stats"), ("POST", "/v1/route"), ("GET", "/no")] {
            let json = ("content-type", "application/json");
            let headers = [("host", host), ("origin", origin), json];
            let request = head(Version::HTTP_11, method, path, &headers);
            let expect = (!is_own).then_some((403, "foreign_origin"));
            assert_eq!(outcome(&request), expect, "{origin:?} at {host}");
        }
    }
    let own = ("origin", "http://localhost");
    let foreign = ("origin", "http://attacker.example");
    let both = [("host", "localhost"), own, foreign];
    let get = head(Version::HTTP_11, "GET", "/", &both);
    assert_eq!(outcome(&get), Some((403, "foreign_origin")));
}

#[test]
fn a_request_of_another_site_is_refused() {
    for (site, expect) in [
        ("same-origin", None),
        ("same-site", None),
        ("none", None),
        ("cross-site", Some((403, "foreign_origin"))),
    ] {
        let headers = [("host", "localhost"), ("sec-fetch-site", site)];
        let get = head(Version::HTTP_11, "GET", "/v1/stats", &headers);
        assert_eq!(outcome(&get), expect, "{site}");
    }
}

#[test]
fn bodies_are_json() {
    let not_json = Some((415, "not_json"));
    for (kinds, expect) in [
        (&["application/json"][..], None),
        (&["Application/JSON; charset=utf-8"], None),
        (&[], not_json),
        (&["text/plain"], not_json),
        (&["application/x-www-form-urlencoded"], not_json),
        (
            &["multipart/form-data; boundary=application/json"],
            not_json,
        ),
        (&["application/json", "text/plain"], not_json),
    ] {
        let mut headers = vec![("host", "localhost")];
        headers.extend(kinds.iter().map(|kind| ("content-type", *kind)));
        for (method, expect) in [("POST", expect), ("PUT", expect), ("GET", None)] {
            let request = head(Version::HTTP_11, method, "/v1/reload", &headers);
            assert_eq!(outcome(&request), expect, "{method} {kinds:?}");
        }
    }
    let packed = [
        ("host", "localhost"),
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    let post = head(Version::HTTP_11, "POST", "/v1/route", &packed);
    assert_eq!(outcome(&post), Some((415, "encoded_body")));
}
