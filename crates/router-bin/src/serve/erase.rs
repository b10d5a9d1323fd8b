//! `POST /v1/erase`: removes everything that is kept of a user.

use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use cache_keys::CanonicalJson;
use serde::{Deserialize, Serialize};

use super::app::App;
use super::audit::Recorded;
use super::body::{JsonBody, Object};
use super::identifiers::Kind;
use super::problem::Problem;
use super::request_id::RequestId;
use super::selectors::check_length;
use crate::auth::Caller;

/// Whose data is erased.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EraseBody {
    user_id: CanonicalJson,
}

impl Object for EraseBody {
    const EXPECTED: &'static str = "an object such as {\"user_id\": \"BEN-000001\"}";
}

/// What was removed from each place that keeps data of users.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Erased {
    /// Stored answers, in every role.
    answers: usize,
    /// Stored look-ups of whether the user is a member.
    profiles: usize,
    /// Stored detections. They hold a message without its user, so none is known
    /// to be of the user.
    detections: usize,
    /// Requests listed in the statistics.
    recent_requests: usize,
    /// Responses of the HTTP back end that are kept for revalidation.
    responses: usize,
}

/// Removes the user from every place that keeps data of users. An answer that is
/// in flight is neither stored nor listed afterwards.
async fn erase_everywhere(app: &App, user: CanonicalJson) -> Result<Erased, Problem> {
    check_length("user_id", user.as_str().len())?;
    let stored = app.forget(user.clone()).await;
    // Listed requests even then, and last: until the cache is clear, more are answered.
    let recent_requests = app.metrics().forget(&user);
    let stored = stored?;
    Ok(Erased {
        answers: stored.cache.answers,
        profiles: stored.cache.members,
        detections: 0,
        recent_requests,
        responses: stored.responses,
    })
}

/// The receipt of an erasure.
#[derive(Serialize)]
pub(crate) struct Receipt {
    erased: Erased,
    /// When it was done (RFC 3339).
    at: String,
    request_id: Option<String>,
}

/// Erases a user.
pub(crate) async fn erase(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<EraseBody>,
) -> Result<Json<Receipt>, Problem> {
    let user = body.user_id;
    let shown = app.identifiers().text(Kind::User, &user.text());
    let mut record = Recorded::new(
        app.audit(),
        caller.name(),
        "erase",
        format!("user_id={shown}"),
    );
    let erased = erase_everywhere(&app, user).await;
    record.end(&erased, erased.as_ref().ok().map(Erased::total));
    Ok(Json(Receipt {
        erased: erased?,
        at: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
        request_id: RequestId::current().map(|id| id.to_string()),
    }))
}

impl Erased {
    fn total(&self) -> usize {
        self.answers + self.profiles + self.detections + self.recent_requests + self.responses
    }
}
