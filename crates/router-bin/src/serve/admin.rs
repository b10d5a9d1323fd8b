//! `POST /v1/invalidate`, and `GET` and `PUT /v1/caching`.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::app::App;
use super::audit::{Act, DONE};
use super::body::{JsonBody, Object};
use super::problem::Problem;
use super::selectors::InvalidateBody;
use crate::auth::Caller;

/// The number of live entries removed.
#[derive(Serialize)]
pub(crate) struct Invalidated {
    invalidated: usize,
}

/// Removes entries.
pub(crate) async fn invalidate(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<InvalidateBody>,
) -> Result<Json<Invalidated>, Problem> {
    let selector = body.shown(&app);
    let removed = body
        .selectors(&app)
        .map(|selectors| app.cache().invalidate_all_of(&selectors));
    app.audit().record(&Act {
        actor: caller.name(),
        act: "invalidate",
        selector: &selector,
        count: removed.as_ref().ok().copied(),
        outcome: removed.as_ref().map_or_else(Problem::code, |_| DONE),
    });
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
    app.audit().record(&Act {
        actor: caller.name(),
        act: "caching",
        selector: if body.enabled { "on" } else { "off" },
        count: None,
        outcome: DONE,
    });
    Json(body)
}
