//! `POST /v1/reload`: re-reads the files that the configuration names.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use intent_router::Diagnostic;

use super::app::{App, Reloaded};
use super::audit::Recorded;
use super::problem::Problem;
use crate::auth::Caller;

/// Reloads the files.
pub(crate) async fn reload(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Reloaded>, Problem> {
    let mut record = Recorded::new(app.audit(), &caller, "reload", String::new());
    let outcome = app.reload().await.map(Json).map_err(failed);
    record.end(&outcome, None);
    outcome
}

/// A conflict: the request is valid, and succeeds once the files are corrected.
fn failed(diagnostics: Vec<Diagnostic>) -> Problem {
    let plural = if diagnostics.len() == 1 { "" } else { "s" };
    let detail = format!(
        "{} problem{plural}; the service keeps its catalogue and detector. {}",
        diagnostics.len(),
        diagnostics
            .first()
            .map(ToString::to_string)
            .unwrap_or_default()
    );
    Problem::new(StatusCode::CONFLICT, "reload_failed", detail).with_diagnostics(&diagnostics)
}
