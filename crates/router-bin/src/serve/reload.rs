//! `POST /v1/reload`: re-reads the files that the configuration names.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use intent_router::Diagnostic;

use super::app::{App, Reloaded};
use super::audit::{Act, DONE};
use super::problem::Problem;
use crate::auth::Caller;

/// Records a reload in the audit log when it is dropped. The handler is dropped
/// before its end if the client leaves or the time is up; the reload goes on.
struct Recorded<'a> {
    app: &'a App,
    caller: &'a Caller,
    outcome: &'static str,
}

impl Drop for Recorded<'_> {
    fn drop(&mut self) {
        self.app.audit().record(&Act {
            actor: self.caller.name(),
            act: "reload",
            selector: "",
            count: None,
            outcome: self.outcome,
        });
    }
}

/// Reloads the files.
pub(crate) async fn reload(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Reloaded>, Problem> {
    let mut recorded = Recorded {
        app: &app,
        caller: &caller,
        outcome: "unfinished",
    };
    let outcome = app.reload().await.map(Json).map_err(failed);
    recorded.outcome = outcome.as_ref().map_or_else(Problem::code, |_| DONE);
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
