//! Reloads: `POST /v1/reload`, and those without a request, re-read the files that the
//! configuration names.

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
    let mut record = Recorded::new(app.audit(), caller.name(), "reload", String::new());
    let outcome = app.reload().await.map(Json).map_err(failed);
    record.end(&outcome, None);
    outcome
}

/// Reloads the files without a request; `actor` is what asked for it. A reload that
/// finds no change is no act.
pub(crate) async fn reload_by(app: &App, actor: &'static str) {
    let outcome = app.reload().await;
    if outcome.as_ref().is_ok_and(|done| !done.reloaded) {
        return;
    }
    let mut record = Recorded::new(app.audit(), actor, "reload", String::new());
    record.end(&outcome.map_err(failed), None);
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
