//! How long a response may be stored, as its headers say (RFC 9111).

use std::time::Duration;

use http::header::{AGE, CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderName};

/// Whether a response must not be stored, however short: for `no-store`, `Vary: *`, and
/// `private` where the answer is `shared` between users.
pub(super) fn is_not_stored(headers: &HeaderMap, shared: bool) -> bool {
    // Nothing says which members of the request the response depends on.
    let varies = texts(headers, &VARY).flat_map(|text| text.split(','));
    varies.map(str::trim).any(|name| name == "*")
        || directives(headers).any(|(name, _)| name == "no-store" || (shared && name == "private"))
}

/// How long a response may be stored, after the age that it has already; zero if it
/// must not be. `None` if the headers do not say. Only an answer that is `shared`
/// between users is bound by `private`.
pub(super) fn max_age(headers: &HeaderMap, shared: bool) -> Option<Duration> {
    if is_not_stored(headers, shared) {
        return Some(Duration::ZERO);
    }
    let (mut max_age, mut s_maxage) = (None, None);
    for (name, value) in directives(headers) {
        match name.as_str() {
            "no-cache" => return Some(Duration::ZERO),
            "max-age" => max_age = shorter(max_age, value),
            "s-maxage" => s_maxage = shorter(s_maxage, value),
            _ => {}
        }
    }
    let lifetime = s_maxage.or(max_age)?;
    let age = texts(headers, &AGE).next().map_or(Some(0), seconds);
    // An age that cannot be read may be any.
    let age = age.unwrap_or(u64::MAX);
    Some(Duration::from_secs(lifetime.saturating_sub(age)))
}

/// The directives of `Cache-Control`, with their names in lower case.
fn directives(headers: &HeaderMap) -> impl Iterator<Item = (String, &str)> {
    let all = texts(headers, &CACHE_CONTROL).flat_map(|text| text.split(','));
    all.map(|directive| {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        (name.trim().to_ascii_lowercase(), value)
    })
}

fn texts<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).into_iter();
    // A value that is not text cannot be understood, so that nothing is stored.
    values.map(|value| value.to_str().unwrap_or("no-store"))
}

/// The shorter of a directive's values. One that is not a number is stale at once.
fn shorter(known: Option<u64>, value: &str) -> Option<u64> {
    let value = seconds(value.trim().trim_matches('"')).unwrap_or(0);
    Some(known.map_or(value, |known| known.min(value)))
}

fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // More digits than fit are a very long time.
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(headers: &[(&'static str, &'static str)], expect: Option<u64>) {
        let map: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            })
            .collect();
        let expect = expect.map(Duration::from_secs);
        assert_eq!(max_age(&map, true), expect, "{headers:?}");
    }

    #[test]
    fn the_headers_bound_the_time() {
        check(&[], None);
        check(&[("cache-control", "public")], None);
        check(&[("cache-control", "max-age=60")], Some(60));
        check(&[("cache-control", "Max-Age = \"60\" , public")], Some(60));
        check(&[("cache-control", "max-age=60"), ("age", "20")], Some(40));
        check(&[("cache-control", "max-age=60"), ("age", "90")], Some(0));
        check(&[("cache-control", "max-age=60"), ("age", "?")], Some(0));
        check(&[("cache-control", "max-age=9, s-maxage=60")], Some(60));
        check(&[("cache-control", "max-age=60, max-age=9")], Some(9));
        check(&[("cache-control", "max-age=soon")], Some(0));
        check(&[("cache-control", "max-age=-1")], Some(0));
        check(
            &[("cache-control", "max-age=99999999999999999999")],
            Some(u64::MAX),
        );
        check(&[("age", "20")], None);
    }

    #[test]
    fn some_responses_are_not_stored_at_all() {
        for text in [
            "no-store",
            "max-age=60, NO-CACHE",
            "private",
            "private=\"x\"",
        ] {
            check(&[("cache-control", text)], Some(0));
        }
        check(&[("vary", "*")], Some(0));
        check(&[("vary", "accept, *")], Some(0));
        check(&[("vary", "accept")], None);
        check(
            &[
                ("cache-control", "max-age=60"),
                ("cache-control", "no-store"),
            ],
            Some(0),
        );
    }

    #[test]
    fn a_persons_own_answer_may_be_private() {
        let private = HeaderValue::from_static("private, max-age=60");
        let map: HeaderMap = [(CACHE_CONTROL, private)].into_iter().collect();
        assert_eq!(max_age(&map, false), Some(Duration::from_secs(60)));
        assert_eq!(max_age(&map, true), Some(Duration::ZERO));
    }
}
