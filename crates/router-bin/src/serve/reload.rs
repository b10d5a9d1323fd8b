//! `POST /v1/reload`: re-reads the files that the configuration names.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use intent_router::Diagnostic;

use super::app::{App, Reloaded};
use super::audit::{Act, CALLER, DONE};
use super::problem::Problem;

/// Reloads the files.
pub(crate) async fn reload(State(app): State<App>) -> Result<Json<Reloaded>, Problem> {
    let outcome = app.reload().await.map(Json).map_err(failed);
    app.audit().record(&Act {
        actor: CALLER,
        act: "reload",
        selector: "",
        count: None,
        outcome: outcome.as_ref().map_or_else(Problem::code, |_| DONE),
    });
    outcome
}

/// A conflict: the request is valid, and succeeds once the files are corrected.
fn failed(diagnostics: Vec<Diagnostic>) -> Problem {
    let plural = if diagnostics.len() == 1 { "" } else { "s" };
    let detail = format!(
        "{} problem{plural}; the service goes on with what it has. {}",
        diagnostics.len(),
        diagnostics
            .first()
            .map(ToString::to_string)
            .unwrap_or_default()
    );
    Problem::new(StatusCode::CONFLICT, "reload_failed", detail).with_diagnostics(&diagnostics)
}
