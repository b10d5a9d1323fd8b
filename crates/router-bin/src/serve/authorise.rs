//! Authorisation: who calls, and whether they may.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use super::app::App;
use super::problem::Problem;
use crate::auth::{Caller, Refusal};
use crate::config::Scope;

/// Answers a request whose caller has the scope, and refuses any other before its body
/// is read. Handlers get the caller as an argument of type [`Caller`].
pub(crate) async fn authorise(
    State((app, scope)): State<(App, Scope)>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = app.auth().caller(request.headers(), peer.ip()).await;
    match caller.and_then(|caller| caller.needs(scope).map(|()| caller)) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => refused(&app, refusal, request.uri().path()).into_response(),
    }
}

/// The problem of a refused caller, which is logged and counted.
pub(crate) fn refused(app: &App, refusal: Refusal, path: &str) -> Problem {
    tracing::info!(reason = %refusal, path, "a caller was refused");
    let problem = Problem::from(refusal);
    app.metrics().refused(problem.code());
    problem
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let caller = parts.extensions.get().cloned();
        caller.ok_or_else(|| {
            let detail = "this endpoint knows no caller, which is a bug of this program";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
        })
    }
}
