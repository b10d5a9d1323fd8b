//! What all handlers share, and which handler answers what.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderValue, Method, StatusCode, header};
use tokio::sync::watch;

use super::metrics::Metrics;
use super::problem::Problem;
use super::{Limits, admin, pages, prometheus, route, stats};
use crate::dashboard;

/// The shared state of the service.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

struct Shared {
    router: intent_router::Router,
    metrics: Metrics,
    limits: Limits,
    stopping: watch::Receiver<bool>,
}

impl App {
    /// The state of a service over `router`; `stopping` turns true when it is
    /// told to stop, which ends the streams that would never end by themselves.
    pub(crate) fn new(
        router: intent_router::Router,
        limits: Limits,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self(Arc::new(Shared {
            router,
            metrics: Metrics::new(),
            limits,
            stopping,
        }))
    }

    pub(crate) fn router(&self) -> &intent_router::Router {
        &self.0.router
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stopping.clone()
    }

    /// The endpoints.
    pub(crate) fn endpoints(self) -> Router {
        let pages = dashboard::ASSETS
            .into_iter()
            .fold(Router::new(), |router, asset| {
                router.route(asset.path, get(move || async move { pages::asset(&asset) }))
            });
        pages
            .route("/v1/route", post(route::route))
            .route("/v1/stats", get(stats::snapshot))
            .route("/v1/stats/stream", get(stats::stream))
            .route("/v1/invalidate", post(admin::invalidate))
            .route(
                "/v1/caching",
                get(admin::caching).put(admin::switch_caching),
            )
            .route("/metrics", get(prometheus::metrics))
            .route("/livez", get(pages::livez))
            .route("/readyz", get(pages::readyz))
            .route("/openapi.json", get(pages::openapi))
            .fallback(not_found)
            .method_not_allowed_fallback(method_not_allowed)
            .layer(middleware::from_fn_with_state(self.clone(), within_time))
            .with_state(self)
    }
}

async fn not_found(request: Request) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no_such_endpoint",
        format!(
            "there is no {}; /openapi.json lists the endpoints",
            request.uri().path()
        ),
    )
}

async fn method_not_allowed(method: Method, request: Request) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong_method",
        format!(
            "{} does not take {method}; the Allow header and /openapi.json tell what it takes",
            request.uri().path()
        ),
    )
}

/// Bounds every answer in time, and gives every response the headers that
/// keep a browser from guessing.
async fn within_time(State(app): State<App>, request: Request, next: Next) -> Response {
    let limit = app.limits().request_timeout;
    let mut response = match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable(
            "request_timeout",
            format!("no answer within {} s", limit.as_secs_f64()),
        )
        .into_response(),
    };
    let nosniff = HeaderValue::from_static("nosniff");
    response
        .headers_mut()
        .insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}
