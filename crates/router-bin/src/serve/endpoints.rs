//! The routes: which handler answers which endpoint.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderValue, Method, StatusCode, header};

use super::admission::admit;
use super::app::App;
use super::problem::Problem;
use super::request_id::identify;
use super::{admin, erase, pages, prometheus, reload, route, stats};
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

/// The endpoints of a listener. Each has the probes and the OpenAPI document.
pub(crate) fn endpoints(app: App, of: Endpoints) -> Router {
    let mut routes = Router::new()
        .route("/livez", get(pages::livez))
        .route("/readyz", get(pages::readyz))
        .route("/openapi.json", get(pages::openapi));
    if of != Endpoints::Administration {
        routes = routes.route("/v1/route", post(route::route));
    }
    if of != Endpoints::Public {
        routes = routes.merge(administration());
    }
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        // The last is the first that a request meets.
        .layer(middleware::from_fn_with_state(app.clone(), admit))
        .layer(middleware::from_fn_with_state(app.clone(), within_time))
        .layer(middleware::from_fn(identify))
        .with_state(app)
}

fn administration() -> Router<App> {
    let pages = dashboard::ASSETS
        .into_iter()
        .fold(Router::new(), |router, asset| {
            router.route(asset.path, get(move || async move { pages::asset(&asset) }))
        });
    pages
        .route("/v1/stats", get(stats::snapshot))
        .route("/v1/stats/stream", get(stats::stream))
        .route("/v1/invalidate", post(admin::invalidate))
        .route(
            "/v1/caching",
            get(admin::caching).put(admin::switch_caching),
        )
        .route("/v1/reload", post(reload::reload))
        .route("/v1/erase", post(erase::erase))
        .route("/metrics", get(prometheus::metrics))
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
