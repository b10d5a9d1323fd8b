//! The routes: which handler answers which endpoint, and who may call it.

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post, put};
use axum::{Extension, Router};
use http::{HeaderValue, Method, StatusCode, header};

use super::admission::{admit, admit_json};
use super::app::App;
use super::authorise::authorise;
use super::problem::Problem;
use super::request_id::identify;
use super::session::AnswersMessages;
use super::{
    admin, cache_aside, erase, mcp, pages, prometheus, reload, route, session, stats, webhook,
};
use crate::config::Scope;
use crate::dashboard;

/// The endpoints of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoints {
    All,
    /// Those that answer messages.
    Public,
    /// Those of administration and metrics, and the dashboard.
    Administration,
}

/// An endpoint, or some methods of one.
struct Endpoint {
    path: &'static str,
    requirement: Requirement,
    methods: MethodRouter<App>,
}

/// What an endpoint requires of its callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Requirement {
    Nothing,
    Scope(Scope),
}

impl Endpoint {
    fn open(path: &'static str, methods: MethodRouter<App>) -> Self {
        let requirement = Requirement::Nothing;
        Self {
            path,
            requirement,
            methods,
        }
    }

    fn needs(scope: Scope, path: &'static str, methods: MethodRouter<App>) -> Self {
        let requirement = Requirement::Scope(scope);
        Self {
            path,
            requirement,
            methods,
        }
    }
}

/// The endpoints of a listener, each with who may call it. Each listener has the
/// probes and the OpenAPI document.
fn table(of: Endpoints) -> Vec<Endpoint> {
    let mut table = vec![
        Endpoint::open("/livez", get(pages::livez)),
        Endpoint::open("/readyz", get(pages::readyz)),
        Endpoint::open("/openapi.json", get(pages::openapi)),
    ];
    if of != Endpoints::Administration {
        table.push(Endpoint::needs(Scope::Ask, "/v1/route", post(route::route)));
        table.push(Endpoint::needs(Scope::Ask, "/mcp", post(mcp::serve)));
        table.extend(
            [
                ("/v1/cache/lookup", post(cache_aside::look_up)),
                ("/v1/cache/fill", post(cache_aside::fill)),
                ("/v1/cache/fail", post(cache_aside::fail)),
                ("/v1/cache/release", post(cache_aside::release)),
            ]
            .map(|(path, methods)| Endpoint::needs(Scope::Fill, path, methods)),
        );
    }
    if of != Endpoints::Public {
        table.extend(administration());
    }
    table
}

fn administration() -> impl Iterator<Item = Endpoint> {
    let pages = dashboard::ASSETS.into_iter().map(|asset| {
        let page = get(move || async move { pages::asset(&asset) });
        Endpoint::open(asset.path, page)
    });
    let session = post(session::log_in).delete(session::log_out);
    [
        Endpoint::needs(Scope::Metrics, "/v1/stats", get(stats::snapshot)),
        Endpoint::needs(Scope::Metrics, "/v1/stats/stream", get(stats::stream)),
        Endpoint::needs(Scope::Invalidate, "/v1/invalidate", post(admin::invalidate)),
        // Its signature says who calls.
        Endpoint::open("/v1/changes", post(webhook::changes)),
        Endpoint::needs(Scope::Metrics, "/v1/caching", get(admin::caching)),
        Endpoint::needs(Scope::Admin, "/v1/caching", put(admin::switch_caching)),
        Endpoint::needs(Scope::Admin, "/v1/reload", post(reload::reload)),
        Endpoint::needs(Scope::Admin, "/v1/erase", post(erase::erase)),
        Endpoint::needs(Scope::Metrics, "/v1/session", get(session::session)),
        Endpoint::open("/v1/session", session),
        Endpoint::needs(Scope::Metrics, "/metrics", get(prometheus::metrics)),
    ]
    .into_iter()
    .chain(pages)
}

/// The routes of a listener.
pub(crate) fn endpoints(app: App, of: Endpoints) -> Router {
    let mut router = Router::new();
    for endpoint in table(of) {
        let methods = match endpoint.requirement {
            Requirement::Nothing => endpoint.methods,
            Requirement::Scope(scope) => {
                let state = (app.clone(), scope);
                let guard = middleware::from_fn_with_state(state, authorise);
                endpoint.methods.route_layer(guard)
            }
        };
        let methods = methods.route_layer(middleware::from_fn(admit_json));
        router = router.route(endpoint.path, methods);
    }
    router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        // The last is the first that a request meets.
        .layer(middleware::from_fn_with_state(app.clone(), admit))
        .layer(middleware::from_fn_with_state(app.clone(), within_time))
        .layer(middleware::from_fn(identify))
        .layer(Extension(AnswersMessages(of != Endpoints::Administration)))
        .with_state(app)
}

async fn not_found(request: Request) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no_such_endpoint",
        format!(
            "no endpoint {}; /openapi.json lists the endpoints",
            request.uri().path()
        ),
    )
}

async fn method_not_allowed(method: Method, request: Request) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong_method",
        format!(
            "{} does not support {method}; see the Allow header and /openapi.json",
            request.uri().path()
        ),
    )
}

/// Bounds the time of every answer, and adds `X-Content-Type-Options: nosniff`.
async fn within_time(State(app): State<App>, request: Request, next: Next) -> Response {
    let limit = app.limits().request_timeout;
    let mut response = match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            tracing::warn!("a request was not answered in time");
            Problem::unavailable(
                "request_timeout",
                format!("no answer within {} s", limit.as_secs_f64()),
            )
            .into_response()
        }
    };
    let nosniff = HeaderValue::from_static("nosniff");
    response
        .headers_mut()
        .insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_else_is_open() {
        let open = table(Endpoints::All)
            .into_iter()
            .filter(|e| e.requirement == Requirement::Nothing);
        let open: Vec<_> = open.map(|endpoint| endpoint.path).collect();
        let expected = [
            "/livez",
            "/readyz",
            "/openapi.json",
            "/v1/changes",
            "/v1/session",
            "/",
            "/dashboard.css",
            "/dashboard.js",
            "/log-in.js",
            "/dashboard.svg",
        ];
        assert_eq!(open, expected);
    }

    #[test]
    fn every_endpoint_is_described() {
        let text = include_str!("openapi.json");
        let description: serde_json::Value = serde_json::from_str(text).expect("JSON");
        for endpoint in table(Endpoints::All) {
            let is_file = dashboard::ASSETS[1..]
                .iter()
                .any(|a| a.path == endpoint.path);
            let described = &description["paths"][endpoint.path];
            assert!(is_file || described.is_object(), "{}", endpoint.path);
        }
    }
}
