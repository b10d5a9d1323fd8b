//! Reading JSON bodies: bounded in bytes and in time, with errors that say
//! what was wrong and where.

use std::fmt;
use std::marker::PhantomData;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use http::{StatusCode, header};
use http_body_util::BodyExt;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};

use super::app::App;
use super::budget::{BodyBudget, BodyBuffer, NoRoom};
use super::problem::Problem;

/// A type read from a request body: from a JSON object, unless it overrides
/// [`read`](Self::read).
pub(crate) trait Object: DeserializeOwned {
    /// The expected object, as an error names it.
    const EXPECTED: &'static str;

    /// The most bytes of the body, if fewer than `[server] max_body`.
    const MOST: usize = usize::MAX;

    /// Reads the value.
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        object(Self::EXPECTED, from)
    }
}

/// A JSON body of type `T`. The request's `Content-Type` was checked when it was
/// admitted.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: Object> FromRequest<App> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let limit = app.limits().max_body.min(T::MOST);
        let body = read(request, app, limit).await?;
        parse(body.bytes()).map(Self)
    }
}

/// Reads the body of a request within a limit in bytes, the budget and the time.
pub(super) async fn read(request: Request, app: &App, limit: usize) -> Result<BodyBuffer, Problem> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let timeout = app.limits().body_timeout;
    let body = request.into_body();
    match tokio::time::timeout(timeout, collect(body, limit, app.bodies())).await {
        Ok(body) => body,
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_timeout",
            format!("the body did not arrive within {} s", timeout.as_secs_f64()),
        )),
    }
}

/// Reads a body to its end, within its limit and the budget for all bodies.
async fn collect(mut body: Body, limit: usize, budget: &BodyBudget) -> Result<BodyBuffer, Problem> {
    let mut read = budget.buffer(limit);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let detail = format!("the body could not be read to its end: {error}");
            Problem::bad_request("body_unreadable", detail)
        })?;
        let Some(chunk) = frame.data_ref() else {
            continue;
        };
        if chunk.len() > limit - read.bytes().len() {
            return Err(too_large(limit));
        }
        read.push(chunk).map_err(|NoRoom| {
            Problem::unavailable(
                "body_budget",
                "the bodies of all requests hold as much as [server] max_bodies allows",
            )
        })?;
    }
    Ok(read)
}

fn too_large(limit: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        format!(
            "the body is larger than the {limit} bytes that [server] max_body and this endpoint allow"
        ),
    )
}

/// The value in a body.
pub(super) fn parse<T: Object>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let detail = format!(
            "the body is not valid UTF-8 from byte {} on",
            error.valid_up_to()
        );
        Problem::bad_request("invalid_utf8", detail)
    })?;
    let mut json = serde_json::Deserializer::from_str(text);
    let read = T::read(&mut json).and_then(|body| json.end().map(|()| body));
    read.map_err(|error| {
        let detail = format!("the body is not valid for this endpoint: {error}");
        match error.classify() {
            serde_json::error::Category::Data => Problem::unprocessable("invalid_members", detail),
            _ => Problem::bad_request("invalid_json", detail),
        }
    })
}

/// Reads a struct from a JSON object only. Derived code also reads an array, with
/// the members by position, which a client would send only by mistake.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    expected: &'static str,
    from: D,
) -> Result<T, D::Error> {
    struct Members<T>(&'static str, PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(members))
        }
    }

    from.deserialize_map(Members(expected, PhantomData))
}
