//! Reading JSON bodies: bounded in bytes and in time, with errors that say
//! what was wrong and where.

use std::fmt;
use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::{StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};

use super::app::App;
use super::problem::Problem;

/// A type read from a request body: from a JSON object, unless it overrides
/// [`read`](Self::read).
pub(crate) trait Object: DeserializeOwned {
    /// The expected object, as an error names it.
    const EXPECTED: &'static str;

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
        let bytes = read(request, app).await?;
        parse(&bytes).map(Self)
    }
}

async fn read(request: Request, app: &App) -> Result<Bytes, Problem> {
    let limit = app.limits().max_body;
    let too_large = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body is larger than the {limit} bytes that [server] max_body allows"),
        )
    };
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let body = Limited::new(request.into_body(), limit).collect();
    match tokio::time::timeout(app.limits().body_timeout, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => Err(Problem::bad_request(
            "body_unreadable",
            format!("the body could not be read to its end: {error}"),
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_timeout",
            format!(
                "the body did not arrive within {} s",
                app.limits().body_timeout.as_secs_f64()
            ),
        )),
    }
}

fn parse<T: Object>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let detail = format!("the body is not UTF-8 from byte {} on", error.valid_up_to());
        Problem::bad_request("invalid_utf8", detail)
    })?;
    let mut json = serde_json::Deserializer::from_str(text);
    let read = T::read(&mut json).and_then(|body| json.end().map(|()| body));
    read.map_err(|error| {
        let detail = format!("the body is not what this endpoint takes: {error}");
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
