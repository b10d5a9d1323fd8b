//! Errors as `application/problem+json` (RFC 9457).

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use intent_router::{Diagnostic, RouteError, SourceError};
use serde::Serialize;

use super::request_id::RequestId;
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

/// A problem with the request that it is about, as the log names it.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    problem: &'a Problem,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
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

    /// The same problem, for a client that may retry after that time.
    fn after(self, wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        Self {
            retry_after: Some(u32::try_from(seconds).unwrap_or(u32::MAX)),
            ..self
        }
    }

    /// The same problem with the list of those found in files.
    pub(crate) fn with_diagnostics(self, diagnostics: &[Diagnostic]) -> Self {
        Self {
            problems: diagnostics.iter().map(FileProblem::from).collect(),
            ..self
        }
    }

    /// The name of the cause.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// The status of the response.
    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }
}

/// The texts about a source are fixed: what it says may hold queries, names of
/// tables, paths and records. The log has it, under the identifier of the request.
impl From<&SourceError> for Problem {
    fn from(error: &SourceError) -> Self {
        let detail = error.general();
        let problem = match error {
            SourceError::Timeout(_) | SourceError::Locked => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, "source_timeout", detail)
            }
            SourceError::Unaskable(_) => Self::unprocessable("unaskable", detail),
            SourceError::Query { .. } => Self::new(StatusCode::BAD_GATEWAY, "source_error", detail),
            SourceError::Overloaded { .. } => Self::unavailable("source_overloaded", detail),
            SourceError::CircuitOpen { .. } => Self::unavailable("source_circuit_open", detail),
            _ => Self::unavailable("source_unavailable", detail),
        };
        match error.retry_after() {
            Some(wait) => problem.after(wait),
            None => problem,
        }
    }
}

/// The texts about a request itself quote only what the client sent.
impl From<RouteError> for Problem {
    fn from(error: RouteError) -> Self {
        match &error {
            RouteError::Key(_) => Self::unprocessable("unkeyable_context", error.to_string()),
            RouteError::Conversation(_) => {
                Self::unprocessable("unreadable_conversation", error.to_string())
            }
            RouteError::Source(source) => Self::from(&**source),
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "the request could not be answered",
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
        let id = RequestId::current();
        let document = Document {
            problem: &self,
            request_id: id.as_ref().map(RequestId::as_str),
        };
        let mut response = (self.status, Json(document)).into_response();
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// Every kind of error, each with these texts.
    fn errors(texts: [String; 3]) -> [SourceError; 7] {
        let [intent, query, reason] = texts;
        let retry_after = Duration::from_millis(1_234_567);
        [
            SourceError::Unavailable(reason.clone()),
            SourceError::Damaged(reason.clone()),
            SourceError::Locked,
            SourceError::Overloaded { retry_after },
            SourceError::CircuitOpen { retry_after },
            SourceError::Timeout(Duration::from_millis(1_234_567)),
            SourceError::Query {
                intent,
                query,
                reason,
            },
        ]
    }

    fn body(error: SourceError) -> String {
        serde_json::to_string(&Problem::from(RouteError::Source(Arc::new(error))))
            .expect("a document")
    }

    proptest! {
        /// A body is the same whatever the source says, so no part of that is in
        /// it.
        #[test]
        fn prop_nothing_of_what_a_source_says_is_in_a_body(texts in any::<[String; 3]>()) {
            let plain = errors(Default::default()).map(body);
            prop_assert_eq!(errors(texts).map(body), plain);
        }
    }

    #[test]
    fn queries_tables_and_paths_are_not_told() {
        let reason = "no such table: claims in SELECT * FROM claims at /var/lib/crm.db";
        for error in errors(["claim_status", "claims", reason].map(str::to_owned)) {
            let body = body(error);
            for part in ["claim", "SELECT", "/var", "1234"] {
                assert!(!body.contains(part), "{body} tells {part}");
            }
        }
    }
}
