//! Which requests reach the endpoints: the rules about `Host`, `Origin`,
//! `Sec-Fetch-Site` and `Content-Type`, which keep pages of other sites out.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, StatusCode, header};

use super::app::App;
use super::hosts::{HostFault, HostPort, Hosts, named};
use super::problem::Problem;

/// Passes a request on, or answers with what is wrong with it.
pub(crate) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    match check(app.hosts(), &head) {
        Ok(()) => next.run(Request::from_parts(head, body)).await,
        Err(problem) => problem.into_response(),
    }
}

/// Passes on a request for a method that its endpoint has, or answers that it is not
/// JSON. Other methods change nothing, and are answered as such.
pub(crate) async fn admit_json(request: Request, next: Next) -> Response {
    match check_method(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn check_method(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if *method == Method::POST || *method == Method::PUT {
        check_content(headers)?;
    }
    Ok(())
}

/// Checks where a request comes from.
fn check(hosts: &Hosts, head: &Parts) -> Result<(), Problem> {
    let host = named(head.version, &head.uri, &head.headers);
    // Orchestrators send probes to an address, some of them by HTTP/1.0 without a
    // host. Probes change nothing and show no data.
    if matches!(head.uri.path(), "/livez" | "/readyz") {
        return match host {
            Ok(_) => Ok(()),
            Err(HostFault::Missing) if head.version <= http::Version::HTTP_10 => Ok(()),
            Err(fault) => Err(refused_host(fault)),
        };
    }
    let host = host.map_err(refused_host)?;
    if !hosts.allow(&host.host) {
        return Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "unknown_host",
            format!(
                "this service does not answer for the host `{}`; add it to [server] hosts if it should",
                host.host
            ),
        ));
    }
    check_site(&head.headers, &host)
}

fn refused_host(fault: HostFault) -> Problem {
    let (code, detail) = match fault {
        HostFault::Missing => ("no_host", "the request has no Host header; send one"),
        HostFault::Several => (
            "several_hosts",
            "the request names more than one host; send one Host header that agrees with the URL",
        ),
        HostFault::Malformed => (
            "malformed_host",
            "the host is not a name or an IP address with an optional port",
        ),
    };
    Problem::bad_request(code, detail)
}

/// Refuses requests that a browser sends for a page of another site. Programs that
/// are not browsers send neither header.
fn check_site(headers: &HeaderMap, host: &HostPort) -> Result<(), Problem> {
    let foreign = |detail| {
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            detail,
        ))
    };
    for origin in headers.get_all(header::ORIGIN) {
        if !origin.to_str().is_ok_and(|origin| is_own(origin, host)) {
            return foreign(
                "the Origin header names another site than the host; only pages of this service \
                 may send requests from a browser",
            );
        }
    }
    let site = HeaderName::from_static("sec-fetch-site");
    if headers
        .get_all(site)
        .iter()
        .any(|site| site == "cross-site")
    {
        return foreign(
            "the browser sends this request for a page of another site (Sec-Fetch-Site); open \
             the address directly",
        );
    }
    Ok(())
}

/// Whether an origin is of the host that the request is for. A port that is left
/// out is the default of the origin's scheme: the scheme of the request is not known
/// behind a proxy that ends TLS.
fn is_own(origin: &str, host: &HostPort) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else {
        return false;
    };
    let default = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    HostPort::read(rest).is_some_and(|origin| {
        origin.host == host.host && origin.port.unwrap_or(default) == host.port.unwrap_or(default)
    })
}

/// Requires JSON, which a browser sends to another site only if that site allows
/// it.
fn check_content(headers: &HeaderMap) -> Result<(), Problem> {
    let unsupported = |code, detail| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, detail);
    let not_json = |instead: &str| {
        let expected = "the request must have Content-Type: application/json";
        Err(unsupported("not_json", format!("{expected}{instead}")))
    };
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let Some(kind) = kinds.next() else {
        return not_json(", but has none");
    };
    if kinds.next().is_some() {
        return not_json(", but has more than one");
    }
    let Ok(kind) = kind.to_str() else {
        return not_json(", but its value is not readable");
    };
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return not_json(&format!(", not {kind}"));
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        let detail = "the body must be sent without a Content-Encoding";
        return Err(unsupported("encoded_body", detail.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
