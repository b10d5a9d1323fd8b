//! The log-in of the dashboard: `GET`, `POST` and `DELETE /v1/session`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::app::App;
use super::authorise::refused;
use super::body::{JsonBody, Object};
use super::problem::Problem;
use crate::auth::Caller;

/// The token that a browser logs in with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogIn {
    token: String,
}

impl Object for LogIn {
    const EXPECTED: &'static str = "an object such as {\"token\": \"…\"}";

    // Callers are not authenticated yet; the longest token has 1,024 characters.
    const MOST: usize = 4 << 10;
}

/// Whether a listener answers messages: one for administration alone does not.
#[derive(Clone, Copy)]
pub(crate) struct AnswersMessages(pub(crate) bool);

/// Who is logged in.
#[derive(Serialize)]
pub(crate) struct SessionDocument {
    name: String,
    scopes: Vec<&'static str>,
    /// Whether there is a log-in to end.
    log_in: bool,
    /// Whether this listener answers messages.
    route: bool,
}

impl SessionDocument {
    fn new(caller: &Caller, app: &App, answers: AnswersMessages) -> Json<Self> {
        Json(Self {
            name: caller.name().to_owned(),
            scopes: caller.scopes().names(),
            log_in: app.auth().has_log_in(),
            route: answers.0,
        })
    }
}

/// Returns who calls, and what they may do.
pub(crate) async fn session(
    State(app): State<App>,
    Extension(answers): Extension<AnswersMessages>,
    caller: Caller,
) -> Json<SessionDocument> {
    SessionDocument::new(&caller, &app, answers)
}

/// Logs in.
pub(crate) async fn log_in(
    State(app): State<App>,
    Extension(answers): Extension<AnswersMessages>,
    JsonBody(body): JsonBody<LogIn>,
) -> Result<Response, Problem> {
    if !app.auth().has_log_in() {
        let detail = "auth.mode is \"none\", so there is nothing to log in to";
        return Err(Problem::new(StatusCode::CONFLICT, "no_log_in", detail));
    }
    let (caller, cookie) = app
        .auth()
        .log_in(body.token.trim())
        .map_err(|refusal| refused(&app, refusal, "/v1/session"))?;
    tracing::info!(by = caller.name(), "logged in to the dashboard");
    let headers = [(header::SET_COOKIE, cookie)];
    Ok((headers, SessionDocument::new(&caller, &app, answers)).into_response())
}

/// Logs out. Without a log-in there is nothing to do.
pub(crate) async fn log_out(State(app): State<App>, headers: HeaderMap) -> Response {
    let cookie = app.auth().log_out(&headers);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}
