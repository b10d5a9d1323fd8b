//! The dashboard's files, the OpenAPI document and the probes.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

use super::app::App;
use super::problem::Problem;
use super::stop::Phase;
use crate::dashboard::{Asset, CONTENT_SECURITY_POLICY as POLICY};

/// A file of the dashboard.
pub(crate) fn asset(asset: &Asset) -> Response {
    let headers = [
        (CONTENT_TYPE, asset.content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, asset.body).into_response()
}

/// The OpenAPI 3.1 document.
pub(crate) async fn openapi() -> Response {
    let json = [(CONTENT_TYPE, "application/json")];
    (json, include_str!("openapi.json")).into_response()
}

/// Liveness: the process runs.
pub(crate) async fn livez() -> &'static str {
    "ok\n"
}

/// Readiness: the service is not stopping, and a member can be looked up at the source
/// of records. The response says why not in general words; the log has the details.
pub(crate) async fn readyz(State(app): State<App>) -> Result<&'static str, Problem> {
    if app.stop().phase() > Phase::Serving {
        return Err(Problem::unavailable("stopping", "the service is stopping"));
    }
    match app.router().source().ready().await {
        Ok(()) => Ok("ok\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            Err(Problem::unavailable("not_ready", error.general()))
        }
    }
}
