//! Errors as `application/problem+json` (RFC 9457).

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use intent_router::{Diagnostic, RouteError, SourceError};
use serde::Serialize;

use crate::auth::Refusal;
use crate::config::Scope;

/// A problem document. Its extension member `code` names the cause for programs;
/// it is stable, while texts may be reworded.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    code: &'static str,
    detail: String,
    /// The problems found in files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<FileProblem>,
    /// Seconds for the header `Retry-After`.
    #[serde(skip)]
    retry_after: Option<u32>,
    /// The header `WWW-Authenticate`.
    #[serde(skip)]
    challenge: Option<Box<HeaderValue>>,
}

/// A [`Diagnostic`] as JSON.
#[derive(Clone, Debug, Serialize)]
struct FileProblem {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
    /// What is wrong, and what to do.
    message: String,
}

impl From<&Diagnostic> for FileProblem {
    fn from(diagnostic: &Diagnostic) -> Self {
        Self {
            file: diagnostic.span.source.clone(),
            line: diagnostic.line(),
            column: diagnostic.span.start.map(|start| start.column),
            path: diagnostic.path.clone(),
            message: diagnostic.text(),
        }
    }
}

fn as_number<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem with the status's reason phrase as its title.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status,
            code,
            detail: detail.into(),
            problems: Vec::new(),
            retry_after: None,
            challenge: None,
        }
    }

    /// The request is malformed.
    pub(crate) fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// The request is well-formed, but a member is invalid.
    pub(crate) fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// The service cannot answer now; the client may retry after a second.
    pub(crate) fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            retry_after: Some(1),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
        }
    }

    /// The same problem with the list of those found in files.
    pub(crate) fn with_diagnostics(self, diagnostics: &[Diagnostic]) -> Self {
        Self {
            problems: diagnostics.iter().map(FileProblem::from).collect(),
            ..self
        }
    }

    /// The document's JSON text, for a response written without hyper.
    pub(crate) fn text(&self) -> String {
        // Strings, numbers and arrays of them always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl From<RouteError> for Problem {
    fn from(error: RouteError) -> Self {
        match &error {
            RouteError::Key(_) => Self::unprocessable("unkeyable_context", error.to_string()),
            RouteError::Conversation(_) => {
                Self::unprocessable("unreadable_conversation", error.to_string())
            }
            RouteError::Source(source) => match **source {
                SourceError::Timeout(_) => Self::new(
                    StatusCode::GATEWAY_TIMEOUT,
                    "source_timeout",
                    error.to_string(),
                ),
                SourceError::Query { .. } => {
                    Self::new(StatusCode::BAD_GATEWAY, "source_error", error.to_string())
                }
                _ => Self::unavailable("source_unavailable", error.to_string()),
            },
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                error.to_string(),
            ),
        }
    }
}

impl From<Refusal> for Problem {
    /// The errors of RFC 6750 for a caller that is refused.
    fn from(refusal: Refusal) -> Self {
        let (status, code, error) = match &refusal {
            Refusal::NoCredential(_) => (StatusCode::UNAUTHORIZED, "no_credential", None),
            Refusal::Unreadable(_) => (
                StatusCode::BAD_REQUEST,
                "unreadable_credential",
                Some("error=\"invalid_request\"".to_owned()),
            ),
            Refusal::Invalid(_) => (
                StatusCode::UNAUTHORIZED,
                "invalid_credential",
                Some("error=\"invalid_token\"".to_owned()),
            ),
            Refusal::NotTheProxy(_) => (StatusCode::UNAUTHORIZED, "not_the_proxy", None),
            Refusal::NoScope(scope) => (
                StatusCode::FORBIDDEN,
                "missing_scope",
                Some(lacking(*scope)),
            ),
            Refusal::AnotherUser => {
                let error = lacking(Scope::AskForAnyone);
                (StatusCode::FORBIDDEN, "another_user", Some(error))
            }
            Refusal::NotNow(_) => return Self::unavailable("not_now", refusal.to_string()),
        };
        let error = error.map_or(String::new(), |error| format!(", {error}"));
        let challenge = format!("Bearer realm=\"router\"{error}");
        Self {
            // The text is ASCII.
            challenge: HeaderValue::try_from(challenge).ok().map(Box::new),
            ..Self::new(status, code, refusal.to_string())
        }
    }
}

fn lacking(scope: Scope) -> String {
    format!("error=\"insufficient_scope\", scope=\"{}\"", scope.name())
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after;
        let challenge = self.challenge.clone();
        let mut response = (self.status, Json(self)).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        let no_store = HeaderValue::from_static("no-store");
        headers.insert(header::CACHE_CONTROL, no_store);
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, *challenge);
        }
        response
    }
}
