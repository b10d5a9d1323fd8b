//! `POST /v1/reload`: the files that the configuration names, read again.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;

use super::app::App;
use super::problem::Problem;
use crate::config::Fault;

/// What a reload came to.
#[derive(Debug, Serialize)]
pub(crate) struct Reloaded {
    /// Whether the service answers by something else from now on.
    pub(crate) reloaded: bool,
    /// How many intents there are now.
    pub(crate) intents: usize,
    /// The files that were read.
    pub(crate) files: Vec<String>,
}

/// Reads the files again.
pub(crate) async fn reload(State(app): State<App>) -> Result<Json<Reloaded>, Problem> {
    app.reload().await.map(Json).map_err(failed)
}

/// The request is a good one, and the next like it may succeed: what stands
/// against it is the state of the files.
fn failed(faults: Vec<Fault>) -> Problem {
    let plural = if faults.len() == 1 { "" } else { "s" };
    let detail = format!(
        "{} problem{plural}; the service goes on with what it has. {}",
        faults.len(),
        faults.first().map(ToString::to_string).unwrap_or_default()
    );
    Problem::new(StatusCode::CONFLICT, "reload_failed", detail).with_problems(faults)
}
