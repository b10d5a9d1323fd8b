//! `POST /v1/route`: answers a message.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use intent_router::{Answer, Request, RouteError, Routed, UserContext};
use serde::{Deserialize, Deserializer};

use super::app::App;
use super::authorise::refused;
use super::body::{JsonBody, Object, object};
use super::problem::Problem;
use super::{cache_headers, read_after};
use crate::auth::{Caller, ClaimedUser};

/// The body of a request.
#[derive(Deserialize)]
pub(crate) struct RouteBody {
    message: String,
    /// Whom the body names; [`Caller::user`] says whether that counts.
    #[serde(deserialize_with = "user_context")]
    user_context: ClaimedUser,
    forced_intent: Option<String>,
}

impl Object for RouteBody {
    const EXPECTED: &'static str = "an object with `message` and `user_context`";
}

pub(super) fn user_context<'de, D: Deserializer<'de>>(from: D) -> Result<ClaimedUser, D::Error> {
    object(
        "user_context to be an object such as {\"user_id\": \"BEN-000001\"}",
        from,
    )
}

/// The longest user identifier and role, in bytes of JSON text. Both are stored
/// with every answer, which a cache bounded by entries does not weigh.
const MOST_IDENTITY: usize = 1 << 10;

pub(super) fn check_identity(user: &UserContext) -> Result<(), Problem> {
    for (member, value) in [("user_id", &user.user_id), ("user_role", &user.user_role)] {
        let length = value.as_ref().map_or(0, |json| json.as_str().len());
        if length > MOST_IDENTITY {
            let detail = format!(
                "`user_context.{member}` has {length} bytes; at most {MOST_IDENTITY} are allowed"
            );
            return Err(Problem::unprocessable("identity_too_long", detail));
        }
    }
    Ok(())
}

/// The most slots of a conversation, and the most bytes of their names and values
/// together. Each value is parsed like a message.
const MOST_SLOTS: (usize, usize) = (32, 4 << 10);

fn check_conversation(user: &UserContext) -> Result<(), Problem> {
    let slots = user.conversation.iter().flat_map(|before| &before.slots);
    check_slots("user_context.conversation.slots", slots)
}

/// Refuses too many slots in a member.
pub(super) fn check_slots<'a>(
    member: &str,
    slots: impl Iterator<Item = (&'a String, &'a String)>,
) -> Result<(), Problem> {
    let (count, bytes) = slots.fold((0, 0), |(count, bytes), (name, value)| {
        (count + 1, bytes + name.len() + value.len())
    });
    let (most, most_bytes) = MOST_SLOTS;
    if count > most || bytes > most_bytes {
        let detail = format!(
            "`{member}` has {count} slots of {bytes} bytes; \
             at most {most} slots and {most_bytes} bytes are allowed"
        );
        return Err(Problem::unprocessable("conversation_too_long", detail));
    }
    Ok(())
}

/// Refuses a message that is too long.
pub(super) fn check_message(app: &App, message: &str) -> Result<(), Problem> {
    let (length, most) = (message.len(), app.limits().max_message);
    if length <= most {
        return Ok(());
    }
    let detail = format!("`message` has {length} bytes; [server] max_message allows {most}");
    Err(Problem::unprocessable("message_too_long", detail))
}

/// An answer's text as a response body, shared instead of copied.
struct Text(Arc<Answer>);

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.json().as_bytes()
    }
}

/// Counts a question of a user that began and ended at these times, and logs what failed.
pub(super) fn record(
    app: &App,
    user: &UserContext,
    routed: Result<&Routed, &RouteError>,
    began: Instant,
    ended: Instant,
) {
    match routed {
        Ok(routed) => {
            if routed.cache.is_stale_if_error() {
                tracing::warn!("the source failed; a stale answer was served");
            }
            app.metrics().answered(user, routed, began, ended);
        }
        Err(error) => {
            app.metrics().failed();
            match error {
                RouteError::Source(error) => tracing::warn!(%error, "the source failed"),
                // The others are the client's, and quote what it sent.
                _ => tracing::debug!("a request could not be answered"),
            }
        }
    }
}

/// Answers a message.
pub(crate) async fn route(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(body): JsonBody<RouteBody>,
) -> Result<Response, Problem> {
    let began = Instant::now();
    check_message(&app, &body.message)?;
    let user_context = caller
        .user(body.user_context)
        .map_err(|refusal| refused(&app, refusal, "/v1/route"))?;
    check_identity(&user_context)?;
    check_conversation(&user_context)?;
    let request = Request {
        message: body.message,
        user_context,
        forced_intent: body.forced_intent,
        cache_use: read_after::cache_use(&app, &headers).await?,
    };
    let routed = app.router().route(&request).await;
    let user = &request.user_context;
    record(&app, user, routed.as_ref(), began, Instant::now());
    let routed = routed?;
    let text = Bytes::from_owner(Text(Arc::clone(&routed.answer)));
    let mut response = Body::from(text).into_response();
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    cache_headers::describe(&routed, response.headers_mut());
    Ok(response)
}
