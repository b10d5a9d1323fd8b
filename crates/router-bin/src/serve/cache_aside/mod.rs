//! `/v1/cache/*`: cache-aside. A caller looks an answer up; if there is none, it gets a
//! permit, computes the answer itself and fills it, while others wait for it.

mod bodies;
mod counters;
mod permits;
pub(super) mod state;

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use intent_router::{CacheLookup, FillPermit, Owner, RouteError};
use serde::Serialize;

use super::app::App;
use super::authorise::refused;
use super::body::JsonBody;
use super::problem::Problem;
use super::read_after;
use crate::auth::{Caller, Refusal};
use crate::config::Scope;

use self::bodies::{FailBody, FillBody, Granted, LookupBody, ReleaseBody, Reply, Stored};
use self::counters::{Ended, Looked};
use self::permits::PermitPlace;

pub(crate) use self::counters::Counts;

/// Looks an answer up.
pub(crate) async fn look_up(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(body): JsonBody<LookupBody>,
) -> Result<Response, Problem> {
    let cache_use = read_after::cache_use(&app, &headers).await?;
    let router = app.router();
    let asked = body.asked(&app, router.catalogue(), &caller, cache_use)?;
    let aside = app.cache_aside();
    let found = router.look_up(&asked.request, asked.slots.as_ref());
    let found = found.map_err(|error| match error {
        RouteError::Conversation(error) => {
            Problem::unprocessable("unreadable_slots", format!("slots: {error}"))
        }
        error => error.into(),
    })?;
    let mut place = None;
    let found = match found {
        CacheLookup::InFlight(waiter) => {
            place = Some(
                aside
                    .permits
                    .reserve(asked.bytes)
                    .ok_or_else(|| aside.no_room())?,
            );
            let wait = asked.wait.unwrap_or(aside.max_wait).min(aside.max_wait);
            match tokio::time::timeout(wait, waiter.wait()).await {
                Ok(found) => found,
                Err(_) => {
                    aside.counters.looked(Looked::InFlight);
                    return Ok(reply(&Reply::in_flight()));
                }
            }
        }
        found => found,
    };
    let grant = |permit: FillPermit, place: Option<PermitPlace>| {
        let is_shared = *permit.owner() == Owner::Everyone;
        if is_shared && !caller.scopes().allow(Scope::AskForAnyone) {
            // An answer for everyone is not one user's to give.
            let refusal = Refusal::NoScope(Scope::AskForAnyone);
            return Err(refused(&app, refusal, "/v1/cache/lookup"));
        }
        let place = place
            .or_else(|| aside.permits.reserve(asked.bytes))
            .ok_or_else(|| aside.no_room())?;
        let longest = aside.longest_hold(&permit);
        let time = asked.deadline.map_or(longest, |time| time.min(longest));
        let described = bodies::describe(&permit);
        let deadline = Instant::now() + time;
        let id = aside.permits.hold(permit, caller.clone(), place, deadline);
        let id = id.map_err(|error| {
            tracing::error!(%error, "the system has no random numbers");
            Problem::unavailable("no_random_numbers", "the system has no random numbers")
        })?;
        Ok((Granted::new(id, time), described))
    };
    let (looked, response) = match found {
        CacheLookup::Answered(routed, due) => {
            // The answer is served in any case; another request may refresh it.
            let granted = due.and_then(|permit| grant(permit, place).ok());
            let answered = Reply::answered(&routed, granted)?;
            (answered.looked(), reply(&answered))
        }
        CacheLookup::Missing(permit) => {
            let (granted, described) = grant(permit, place)?;
            (Looked::Permit, reply(&Reply::permit(granted, described)))
        }
        CacheLookup::Failed(reason) => (Looked::Failed, reply(&Reply::failed(&reason))),
        CacheLookup::Bypassed(why) => (Looked::Bypass, reply(&Reply::bypass(why.as_str()))),
        // A wait ends with another result.
        CacheLookup::InFlight(_) => (Looked::InFlight, reply(&Reply::in_flight())),
    };
    aside.counters.looked(looked);
    Ok(response)
}

/// Fills an answer.
pub(crate) async fn fill(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<FillBody>,
) -> Result<Response, Problem> {
    let (permit, computed) = body.computed()?;
    let aside = app.cache_aside();
    let filled = aside.take(&permit, &caller)?.fill(computed);
    let stored = Stored::from(filled.stored);
    aside.counters.ended(if stored.stored {
        Ended::Stored
    } else {
        Ended::NotStored
    });
    Ok(reply(&stored))
}

/// Ends a permit without an answer: its waiters get the failure, or a stale answer.
pub(crate) async fn fail(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<FailBody>,
) -> Result<Response, Problem> {
    let reason = body.reason()?;
    let aside = app.cache_aside();
    let stale = aside.take(body.permit(), &caller)?.fail(reason);
    aside.counters.ended(Ended::Failed);
    Ok(match stale {
        Some(routed) => reply(&Reply::answered(&routed, None)?),
        None => reply(&Reply::failed(reason)),
    })
}

/// Gives a permit up: the next caller that waits gets it.
pub(crate) async fn release(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<ReleaseBody>,
) -> Result<Response, Problem> {
    let aside = app.cache_aside();
    drop(aside.take(body.permit(), &caller)?);
    aside.counters.ended(Ended::Released);
    Ok(reply(&serde_json::json!({ "released": true })))
}

/// A reply, which no intermediary may store.
fn reply(body: &impl Serialize) -> Response {
    let mut response = Json(body).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}
