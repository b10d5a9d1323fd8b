//! Which requests are let in, over HTTP: one test for each rule.

use serde_json::Value;

use crate::QUESTION;
use crate::support::{Reply, Server};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A request with exactly these headers and no body.
fn raw(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("content-length: 0\r\n\r\n");
    server.raw(request.as_bytes())
}

/// Every endpoint but the probes, as the description lists them, and one that does
/// not exist.
fn endpoints(server: &Server) -> Vec<(String, String)> {
    let description = server.get("/openapi.json").value();
    let paths = description["paths"].as_object().unwrap();
    let listed = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| (method.to_uppercase(), path.clone()))
    });
    let probes = ["/livez", "/readyz"];
    let mut endpoints: Vec<_> = listed
        .filter(|(_, path)| !probes.contains(&path.as_str()))
        .collect();
    assert!(endpoints.len() > 8, "{endpoints:?}");
    endpoints.push(("GET".to_owned(), "/no-such".to_owned()));
    endpoints
}

fn refused_everywhere(headers: &[(&str, &str)], status: u16, code: &str) {
    let server = Server::start(&[]);
    for (method, path) in endpoints(&server) {
        let reply = raw(&server, &method, &path, headers);
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
        assert_eq!(reply.value()["code"], code, "{method} {path}");
    }
    for probe in ["/livez", "/readyz"] {
        let host = headers.iter().filter(|(name, _)| *name == "host").count();
        let expect = if host == 1 { 200 } else { 400 };
        assert_eq!(raw(&server, "GET", probe, headers).status, expect);
    }
}

#[test]
fn a_host_that_is_not_allowed_is_refused() {
    refused_everywhere(&[("host", "attacker.example"), JSON], 421, "unknown_host");
}

#[test]
fn a_request_without_a_host_is_refused() {
    refused_everywhere(&[JSON], 400, "no_host");
}

#[test]
fn a_request_with_two_hosts_is_refused() {
    let host = ("host", "localhost");
    refused_everywhere(&[host, host, JSON], 400, "several_hosts");
}

#[test]
fn a_foreign_origin_is_refused() {
    let host = ("host", "localhost:8080");
    for origin in ["https://attacker.example", "null", "http://localhost:3000"] {
        refused_everywhere(&[host, ("origin", origin), JSON], 403, "foreign_origin");
    }
}

#[test]
fn a_request_of_another_site_is_refused() {
    let site = ("sec-fetch-site", "cross-site");
    refused_everywhere(&[("host", "localhost"), site, JSON], 403, "foreign_origin");
}

#[test]
fn a_reload_needs_the_type_of_json_and_no_body() {
    let server = Server::start(&[]);
    let host = ("host", "localhost");
    for kind in [None, Some("text/plain")] {
        let kind = kind.map(|kind| ("content-type", kind));
        let headers: Vec<_> = kind.into_iter().chain([host]).collect();
        let reply = raw(&server, "POST", "/v1/reload", &headers);
        reply.is_problem(415, "application/json");
    }
    let reply = raw(&server, "POST", "/v1/reload", &[host, JSON]);
    assert_eq!(
        (reply.status, &reply.value()["reloaded"]),
        (200, &Value::Bool(false))
    );
}

#[test]
fn configured_hosts_and_own_pages_are_let_in() {
    let server = Server::start(&[("ROUTER_SERVER__HOSTS", "cache.example,192.0.2.1")]);
    for host in ["cache.example", "192.0.2.1:8080", "localhost:1", "[::1]"] {
        let origin = format!("http://{host}");
        let headers = [("host", host), ("origin", &origin)];
        let reply = raw(&server, "GET", "/v1/stats", &headers);
        assert_eq!(reply.status, 200, "{host}: {}", reply.text());
    }
    assert!(!server.ask(QUESTION, "BEN-000001", "beneficiary").is_hit());
}
