//! A response that may be used again once the back end says that it is current.

use http::header::{CACHE_CONTROL, ETAG, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use hyper::body::Bytes;

use crate::http::cache_control::is_not_stored;
use crate::http::client::Answered;
use crate::http::response::TAG_HEADERS;

/// A response that may be used again once the back end says that it is current.
pub(in crate::http) struct Response {
    etag: HeaderValue,
    headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Response {
    /// A copy of what may be kept of a response; `None` if that is nothing. `shared`
    /// tells whether it is the answer for all users.
    pub(in crate::http) fn of(answered: &Answered, shared: bool) -> Option<Self> {
        let headers = &answered.headers;
        if answered.status != StatusCode::OK || is_not_stored(headers, shared) {
            return None;
        }
        // The received ones are parts of larger buffers, which they would keep alive.
        let copied = |value: &HeaderValue| HeaderValue::from_bytes(value.as_bytes()).ok();
        let mut kept = HeaderMap::new();
        for name in read_again() {
            for value in headers.get_all(&name) {
                kept.append(name.clone(), copied(value)?);
            }
        }
        Some(Self {
            etag: copied(etag(headers)?)?,
            headers: kept,
            body: Bytes::copy_from_slice(&answered.body),
        })
    }

    /// What a request sends to ask whether the response is current.
    pub(in crate::http) fn etag(&self) -> &HeaderValue {
        &self.etag
    }

    /// This response, with the headers of one that says that it is current. `None` if
    /// that is about another one.
    pub(in crate::http) fn confirmed(&self, headers: &HeaderMap) -> Option<Answered> {
        if headers.contains_key(ETAG) && opaque(etag(headers)?) != opaque(&self.etag) {
            return None;
        }
        let mut current = self.headers.clone();
        for name in headers.keys() {
            current.remove(name);
            for value in headers.get_all(name) {
                current.append(name.clone(), value.clone());
            }
        }
        Some(Answered {
            status: StatusCode::OK,
            headers: current,
            body: self.body.clone(),
        })
    }

    /// What its texts take.
    pub(super) fn bytes(&self) -> usize {
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| name.as_str().len() + value.len());
        self.etag.len() + headers.sum::<usize>() + self.body.len()
    }
}

/// The headers that are read when a response is used again. `Age` is not among them: a
/// response that is confirmed without one is of age 0.
fn read_again() -> impl Iterator<Item = HeaderName> {
    let tags = TAG_HEADERS.into_iter().map(|(name, _)| name);
    [CACHE_CONTROL, ETAG, VARY].into_iter().chain(tags)
}

/// The entity tag of a response; `None` if it has none, several, or one that is not
/// valid.
fn etag(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut all = headers.get_all(ETAG).into_iter();
    let only = all.next().filter(|_| all.next().is_none())?;
    let inner = opaque(only).strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let is_valid = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..);
    inner.iter().all(is_valid).then_some(only)
}

/// An entity tag without the mark that it is weak. The condition of a request compares
/// only this (RFC 9110, section 13.1.2).
fn opaque(etag: &HeaderValue) -> &[u8] {
    let bytes = etag.as_bytes();
    bytes.strip_prefix(b"W/").unwrap_or(bytes)
}
