//! `POST /v1/invalidate`, and `GET` and `PUT /v1/caching`.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::app::App;
use super::audit::Recorded;
use super::body::{JsonBody, Object};
use super::problem::Problem;
use super::selectors::InvalidateBody;
use crate::auth::Caller;

/// The number of live entries removed.
#[derive(Serialize)]
pub(crate) struct Invalidated {
    pub(super) invalidated: usize,
}

/// Removes entries.
pub(crate) async fn invalidate(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<InvalidateBody>,
) -> Result<Json<Invalidated>, Problem> {
    let mut record = Recorded::new(app.audit(), caller.name(), "invalidate", body.shown(&app));
    let removed = match body.selectors(&app) {
        Ok(selectors) => app.invalidate(selectors.into()).await,
        Err(problem) => Err(problem),
    };
    record.end(&removed, removed.as_ref().ok().copied());
    removed.map(|invalidated| Json(Invalidated { invalidated }))
}

/// Whether caching is on.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Caching {
    enabled: bool,
}

impl Object for Caching {
    const EXPECTED: &'static str = "an object such as {\"enabled\": true}";
}

/// Returns whether caching is on.
pub(crate) async fn caching(State(app): State<App>) -> Json<Caching> {
    let enabled = app.cache().is_enabled();
    Json(Caching { enabled })
}

/// Switches caching on or off.
pub(crate) async fn switch_caching(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<Caching>,
) -> Json<Caching> {
    app.cache().set_enabled(body.enabled);
    let state = if body.enabled { "on" } else { "off" };
    Recorded::new(app.audit(), caller.name(), "caching", state.to_owned()).end(&Ok(()), None);
    Json(body)
}
