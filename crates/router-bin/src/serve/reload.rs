//! `POST /v1/reload`: re-reads the files that the configuration names.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use intent_router::Diagnostic;
use serde::Serialize;

use super::app::App;
use super::problem::Problem;

/// The outcome of a reload.
#[derive(Debug, Serialize)]
pub(crate) struct Reloaded {
    /// Whether anything changed.
    pub(crate) reloaded: bool,
    /// The number of intents now.
    pub(crate) intents: usize,
    /// The files that were read.
    pub(crate) files: Vec<String>,
}

/// Reloads the files.
pub(crate) async fn reload(State(app): State<App>) -> Result<Json<Reloaded>, Problem> {
    app.reload().await.map(Json).map_err(failed)
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
