//! The bearer token of a request (RFC 6750).

use http::{HeaderMap, header};

use super::refusal::Refusal;

/// The bearer token in the header `Authorization`, if there is one.
///
/// # Errors
/// There are two headers, or one that cannot be read.
pub(super) fn token(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let unreadable = |detail: &str| Err(Refusal::Unreadable(detail.to_owned()));
    if values.next().is_some() {
        return unreadable("there is more than one header `Authorization`");
    }
    let Ok(text) = value.to_str() else {
        return unreadable("the header `Authorization` is not readable");
    };
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    // A proxy may pass on the credential of another scheme that it has checked.
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Ok(None);
    }
    match token.trim_matches(' ') {
        "" => unreadable("the header `Authorization` must be `Bearer TOKEN`"),
        token => Ok(Some(token)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&'static str]) -> Result<Option<String>, ()> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().expect("a value"));
        }
        let token = token(&headers).map_err(|_| ())?;
        Ok(token.map(str::to_owned))
    }

    #[test]
    fn one_bearer_token_is_read_and_nothing_else() {
        assert_eq!(read(&[]), Ok(None));
        for one in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert_eq!(read(&[one]), Ok(Some("abc".to_owned())), "{one}");
        }
        for other in ["abc", "Basic abc", "Bearerabc", ""] {
            assert_eq!(read(&[other]), Ok(None), "{other}");
        }
        for wrong in ["Bearer", "Bearer ", "Bearer \u{e9}"] {
            assert_eq!(read(&[wrong]), Err(()), "{wrong}");
        }
        assert_eq!(read(&["Bearer abc", "Bearer abc"]), Err(()));
    }
}
