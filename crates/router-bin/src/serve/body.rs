//! Reading JSON bodies: bounded in bytes and in time, with errors that say
//! what was wrong and where.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::{StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::app::App;
use super::problem::Problem;

/// A JSON body of type `T`.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        require_json(&request)?;
        let bytes = read(request, app).await?;
        parse(&bytes).map(Self)
    }
}

fn require_json(request: &Request) -> Result<(), Problem> {
    let given = request.headers().get(header::CONTENT_TYPE);
    let kind = given.and_then(|value| value.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    match essence {
        Some(kind) if kind.eq_ignore_ascii_case("application/json") => Ok(()),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_json",
            format!(
                "the body must be sent as Content-Type: application/json, not {}",
                kind.unwrap_or("without one")
            ),
        )),
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

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(Problem::bad_request(
            "invalid_utf8",
            format!("the body is not UTF-8 from byte {} on", error.valid_up_to()),
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let detail = format!("the body is not what this endpoint takes: {error}");
        match error.classify() {
            serde_json::error::Category::Data => Problem::unprocessable("invalid_members", detail),
            _ => Problem::bad_request("invalid_json", detail),
        }
    })
}
