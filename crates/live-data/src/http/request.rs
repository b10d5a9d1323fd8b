//! The request for a question: the templates of the catalogue with the values of the
//! question, each encoded for its place.

use std::borrow::Cow;

use http::header::{ACCEPT, CONTENT_TYPE, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use hyper::body::Bytes;
use intent_router::{Ask, HttpMethod, HttpSpec, Principal};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

/// The back end's URL, and the headers of all requests.
pub(super) struct Target {
    /// `https://host:port`.
    pub(super) origin: String,
    /// The path of the URL, without a slash at its end.
    pub(super) base: String,
    pub(super) headers: HeaderMap,
    pub(super) user_header: Option<HeaderName>,
    pub(super) role_header: Option<HeaderName>,
}

/// A request that can be sent several times.
pub(super) struct Prepared {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    /// Whether a response without a body may say that a known one is current.
    conditional: bool,
}

/// A `GET` request. Its other headers are the same in all requests, or name `who`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Whom the answer is for; `None` for an answer that is shared.
    pub(super) who: Option<Principal>,
    pub(super) uri: String,
}

/// All but the characters that RFC 3986 calls unreserved.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl Target {
    /// The request for a question.
    ///
    /// # Errors
    /// A value cannot be at its place. The error does not show it.
    pub(super) fn prepare(&self, spec: &HttpSpec, ask: &Ask<'_>) -> Result<Prepared, String> {
        let mut target = format!("{}{}", self.origin, self.base);
        self.write_path(spec, ask, &mut target)?;
        let mut separator = '?';
        for (name, template) in &spec.query {
            if let Some(value) = template.fill(|parameter| value(ask, parameter)) {
                target.push(separator);
                target.push_str(&encoded(name));
                target.push('=');
                target.push_str(&encoded(&value));
                separator = '&';
            }
        }
        let mut headers = self.headers.clone();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(who) = ask.principal {
            for (name, text) in [
                (&self.user_header, who.id_text()),
                (&self.role_header, who.role_text()),
            ] {
                if let Some(name) = name {
                    headers.insert(name, header_value(name, &text)?);
                }
            }
        }
        let body = match &spec.body {
            Some(members) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                let filled = members.iter().filter_map(|(name, template)| {
                    let text = template.fill(|parameter| value(ask, parameter))?;
                    Some((name.clone(), Value::String(text)))
                });
                Value::Object(filled.collect::<Map<_, _>>()).to_string()
            }
            None => String::new(),
        };
        Ok(Prepared {
            method: match spec.method {
                HttpMethod::Post => Method::POST,
                _ => Method::GET,
            },
            uri: uri(target)?,
            headers,
            body: body.into(),
            conditional: false,
        })
    }

    /// A request of the back end's state.
    pub(super) fn probe(&self, path: &str) -> Result<Prepared, String> {
        Ok(Prepared {
            method: Method::GET,
            uri: uri(format!("{}{}{path}", self.origin, self.base))?,
            headers: self.headers.clone(),
            body: Bytes::new(),
            conditional: false,
        })
    }

    /// Writes the segments up to the first without a value.
    fn write_path(
        &self,
        spec: &HttpSpec,
        ask: &Ask<'_>,
        target: &mut String,
    ) -> Result<(), String> {
        let start = target.len();
        for template in &spec.path {
            for name in template.names() {
                check_path_value(name, ask)?;
            }
            let encode = |name: &str| value(ask, name).map(|value| encoded(&value).into());
            let Some(segment) = template.fill(encode) else {
                break;
            };
            // Servers take the first two for another path, and some drop the last.
            if matches!(segment.as_str(), "." | ".." | "") {
                return Err(format!(
                    "the segment `{template}` of the path would be empty, `.` or `..`"
                ));
            }
            target.push('/');
            target.push_str(&segment);
        }
        if target.len() == start {
            target.push('/');
        }
        Ok(())
    }
}

impl Key {
    /// What its texts take.
    pub(super) fn bytes(&self) -> usize {
        let who = self.who.as_ref();
        let who = who.map_or(0, |who| {
            who.user_id().as_str().len() + who.role().as_str().len()
        });
        who + self.uri.len()
    }
}

impl Prepared {
    /// What the response to it may be kept under; `None` if its response may not be
    /// used again.
    pub(super) fn key(&self, who: Option<&Principal>) -> Option<Key> {
        (self.method == Method::GET).then(|| Key {
            who: who.cloned(),
            uri: self.uri.to_string(),
        })
    }

    /// Asks for the response only if it is another one than that with this entity tag.
    pub(super) fn set_condition(&mut self, etag: &HeaderValue) {
        self.headers.insert(IF_NONE_MATCH, etag.clone());
        self.conditional = true;
    }

    /// Asks for the response in any case.
    pub(super) fn remove_condition(&mut self) {
        self.headers.remove(IF_NONE_MATCH);
        self.conditional = false;
    }

    /// Whether it has a condition.
    pub(super) fn is_conditional(&self) -> bool {
        self.conditional
    }

    /// The request, to be sent once.
    pub(super) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// The value of a parameter of the templates; `None` if the question has none.
fn value<'a>(ask: &Ask<'a>, parameter: &str) -> Option<Cow<'a, str>> {
    match parameter {
        "user_id" => ask.principal.map(|who| who.id_text()),
        "user_role" => ask.principal.map(|who| who.role_text()),
        "message" => Some(Cow::Borrowed(ask.message)),
        "doubtful" => ask.doubtful.then_some(Cow::Borrowed("yes")),
        "today" => ask.today.map(|day| Cow::Owned(day.to_string())),
        slot => ask.slots.get(slot).map(Cow::Borrowed),
    }
}

/// Refuses what a caller could use to reach another path: back ends exist that decode
/// a path before they take it apart. Slots have the form that the catalogue gives them.
fn check_path_value(parameter: &str, ask: &Ask<'_>) -> Result<(), String> {
    if !matches!(parameter, "user_id" | "user_role") {
        return Ok(());
    }
    let text = value(ask, parameter).unwrap_or_default();
    if text.contains(|c: char| matches!(c, '/' | '\\' | '%' | ';') || c.is_control()) {
        return Err(format!(
            "`{parameter}` has a character that no path may have"
        ));
    }
    Ok(())
}

/// A user or role as the value of a header. A server would trim spaces and may read
/// other characters in several ways, so that two users could become one.
fn header_value(name: &HeaderName, text: &str) -> Result<HeaderValue, String> {
    let is_plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if text.is_empty() || !is_plain || text.trim() != text {
        return Err(format!(
            "the value of the header {name} is empty, not ASCII, or begins or ends with a space"
        ));
    }
    HeaderValue::from_str(text).map_err(|error| format!("the header {name}: {error}"))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn uri(text: String) -> Result<Uri, String> {
    Uri::try_from(text).map_err(|error| format!("the request's URL: {error}"))
}

/// Whether the answers to an intent may be asked for again without harm.
pub(super) fn is_repeatable(spec: &HttpSpec) -> bool {
    spec.method == HttpMethod::Get || spec.idempotent
}
