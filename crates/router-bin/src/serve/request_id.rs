//! The identifier of a request, which its response, its problem document and its
//! log lines share.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};
use tracing::Instrument;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest identifier that is taken from a request.
const MOST: usize = 64;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The identifier of a request: visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The identifier of the request that this task answers.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// That of the request's one `X-Request-Id` if it is well-formed, else a new
    /// one.
    fn of(headers: &HeaderMap) -> Self {
        let mut given = headers.get_all(HEADER).iter();
        match (given.next(), given.next()) {
            (Some(id), None) if is_well_formed(id.as_bytes()) => Self(id.clone()),
            _ => Self::new(),
        }
    }

    /// An identifier that no other request has: a random number of the process and
    /// the number of the request.
    fn new() -> Self {
        static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let text = format!("{:016x}-{number:x}", *PROCESS);
        Self(HeaderValue::try_from(text).expect("hexadecimal digits"))
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        // Both constructors take only visible ASCII.
        self.0.to_str().unwrap_or_default()
    }
}

fn is_well_formed(id: &[u8]) -> bool {
    (1..=MOST).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Answers a request under its identifier, and returns it in `X-Request-Id`.
pub(crate) async fn identify(request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    // At the highest level, so that every line that is logged has the identifier.
    let span = tracing::error_span!("request", %id);
    let answer = CURRENT.scope(id.clone(), next.run(request));
    let mut response = answer.instrument(span).await;
    response.headers_mut().insert(HEADER, id.0);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_well_formed_identifier_is_kept_and_another_replaced() {
        let longest = "x".repeat(MOST);
        let too_long = "x".repeat(MOST + 1);
        for (given, kept) in [
            (&["abc-123"][..], true),
            (&["!\"#~"], true),
            (&[&longest], true),
            (&[&too_long], false),
            (&[""], false),
            (&["a b"], false),
            (&["caf\u{e9}"], false),
            (&["a", "b"], false),
            (&[], false),
        ] {
            let mut headers = HeaderMap::new();
            for id in given {
                let value = HeaderValue::from_bytes(id.as_bytes()).expect("a header value");
                headers.append(HEADER, value);
            }
            let id = RequestId::of(&headers);
            assert_eq!(given.contains(&id.as_str()), kept, "{given:?}: {id}");
            assert!(is_well_formed(id.as_str().as_bytes()), "{id}");
        }
    }

    #[test]
    fn made_identifiers_differ() {
        assert_ne!(RequestId::new(), RequestId::new());
    }
}
