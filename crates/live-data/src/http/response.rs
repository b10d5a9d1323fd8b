//! The records in a response.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use intent_router::{HttpSpec, Intent, Kind, Records, TagTemplate};
use serde_json::{Map, Value};

use super::cache_control::max_age;

/// The most tags of an answer. An answer with more is not stored.
const MOST_TAGS: usize = 256;

/// The longest tag in bytes. An answer with a longer one is not stored.
const LONGEST_TAG: usize = 1024;

/// The member of the data that an array becomes.
const ITEMS: &str = "items";

/// Headers that list tags, each with what separates them.
pub(super) const TAG_HEADERS: [(HeaderName, char); 2] = [
    (HeaderName::from_static("surrogate-key"), ' '),
    (HeaderName::from_static("cache-tag"), ','),
];

/// The records in a response of success.
///
/// # Errors
/// What the back end's body is not. The error shows nothing of it.
pub(super) fn records(
    intent: &Intent,
    spec: &HttpSpec,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Records, String> {
    let mut whole: Value = match body {
        [] => Value::Object(Map::new()),
        body => serde_json::from_slice(body)
            .map_err(|error| format!("the body is not JSON: {:?}", error.classify()))?,
    };
    let mut tags = Tags::default();
    if let Some(pointer) = &spec.tags {
        let listed = whole.pointer(pointer).and_then(Value::as_array);
        let listed = listed.ok_or_else(|| format!("the body has no list of tags at {pointer}"))?;
        for tag in listed {
            let tag = tag.as_str();
            tags.add(tag.ok_or_else(|| format!("a tag at {pointer} is not a text"))?);
        }
    }
    for (name, separator) in TAG_HEADERS {
        for value in headers.get_all(name) {
            let text = value.to_str();
            let text = text.map_err(|_| "a header of tags is not ASCII".to_owned())?;
            text.split(separator).for_each(|tag| tags.add(tag.trim()));
        }
    }
    let data = match (body, whole.pointer_mut(&spec.data)) {
        ([], _) => whole,
        (_, Some(data)) => data.take(),
        (_, None) => return Err(format!("the body has nothing at {}", spec.data)),
    };
    let data = match data {
        Value::Object(_) => data,
        Value::Array(_) => Value::Object(Map::from_iter([(ITEMS.to_owned(), data)])),
        _ => return Err("the data is neither an object nor a list".to_owned()),
    };
    tags.of_objects(&data, &intent.tags);
    let max_age = max_age(headers, intent.kind == Kind::KnowledgeBase);
    let (tags, max_age) = match tags.overflow {
        // No tag may be lost: an invalidation by it would miss the answer.
        true => (Vec::new(), Some(Duration::ZERO)),
        false => (tags.all.into_iter().collect(), max_age),
    };
    Ok(Records::new(data, tags).with_max_age(max_age))
}

/// The distinct tags of a response, within their bounds.
#[derive(Default)]
struct Tags {
    all: BTreeSet<String>,
    /// Whether a tag was left out.
    overflow: bool,
}

impl Tags {
    fn add(&mut self, tag: &str) {
        if tag.is_empty() || self.all.contains(tag) {
            return;
        }
        if tag.len() > LONGEST_TAG || self.all.len() == MOST_TAGS {
            self.overflow = true;
            return;
        }
        self.all.insert(tag.to_owned());
    }

    /// Adds the tags of all objects in the data whose members fill a template. The
    /// parser bounds how deep they are nested.
    fn of_objects(&mut self, data: &Value, templates: &[TagTemplate]) {
        match data {
            Value::Object(object) => {
                for template in templates {
                    if let Some(tag) = template.fill(|name| as_text(object.get(name)?)) {
                        self.add(&tag);
                    }
                }
                for value in object.values() {
                    self.of_objects(value, templates);
                }
            }
            Value::Array(values) => {
                for value in values {
                    self.of_objects(value, templates);
                }
            }
            _ => {}
        }
    }
}

/// A value as part of a tag; `None` unless it is text or a number.
fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use intent_router::Catalogue;
    use serde_json::json;

    use super::*;

    fn catalogue(http: &str) -> Catalogue {
        let text = format!(
            "[[intent]]\nname = 'a'\nkind = 'live_data'\nphrases = ['a']\n\
             tags = ['claim:{{number}}']\n[intent.http]\npath = '/a'\n{http}"
        );
        Catalogue::parse(&text).expect("a catalogue")
    }

    fn read(http: &str, headers: &[(HeaderName, String)], body: &str) -> Result<Records, String> {
        let catalogue = catalogue(http);
        let intent = &catalogue.intents()[0];
        let headers = headers.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).expect("a value");
            (name.clone(), value)
        });
        let spec = intent.http.as_ref().expect("a request");
        records(intent, spec, &headers.collect(), body.as_bytes())
    }

    #[test]
    fn data_and_tags_are_found_where_the_catalogue_says() {
        let body = r#"{"result": {"claims": [{"number": "C-1"}, {"number": 2}, {"number": null}]},
            "meta": {"tags": ["payment:P-1", "claim:C-1"]}}"#;
        let headers = TAG_HEADERS.map(|(name, separator)| {
            let tags = format!("x:1{separator} x:2{separator}");
            (name, tags)
        });
        let http = "data = '/result'\ntags = '/meta/tags'";
        let found = read(http, &headers, body).expect("records");
        assert_eq!(found.data["claims"][1]["number"], 2);
        let tags = ["claim:2", "claim:C-1", "payment:P-1", "x:1", "x:2"];
        assert_eq!(found.tags, tags);
        assert_eq!(found.max_age, None);
    }

    #[test]
    fn a_list_is_the_member_items_and_no_body_is_no_records() {
        let found = read("", &[], r#"[{"number": "C-1"}]"#).expect("records");
        assert_eq!(found.data, json!({"items": [{"number": "C-1"}]}));
        assert_eq!(found.tags, ["claim:C-1"]);
        let found = read("data = '/result'", &[], "").expect("records");
        assert_eq!(found.data, json!({}));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_that_shows_nothing_of_it() {
        let tags = "tags = '/t'";
        for (http, body) in [
            ("", "<html>secret</html>"),
            ("", r#"{"secret": "#),
            ("", r#""secret""#),
            ("", "7"),
            ("data = '/result'", r#"{"secret": 1}"#),
            (tags, r#"{"secret": 1}"#),
            (tags, r#"{"t": "secret"}"#),
            (tags, r#"{"t": ["a", {"secret": 1}]}"#),
        ] {
            let error = read(http, &[], body).expect_err(body);
            assert!(!error.contains("secret"), "{error}");
        }
        let nested = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        assert!(read("", &[], &nested).is_err());
    }

    #[test]
    fn an_answer_with_more_tags_than_fit_is_not_stored() {
        let listed = |count: usize| {
            let tags: Vec<_> = (0..count).map(|n| format!("a:{n}")).collect();
            json!({ "t": tags }).to_string()
        };
        let tags = "tags = '/t'";
        let found = read(tags, &[], &listed(MOST_TAGS)).expect("records");
        assert_eq!((found.tags.len(), found.max_age), (MOST_TAGS, None));
        let found = read(tags, &[], &listed(MOST_TAGS + 1)).expect("records");
        assert_eq!(found.max_age, Some(Duration::ZERO));
        let long = |length: usize| json!({ "number": "n".repeat(length - 6) }).to_string();
        let found = read("", &[], &long(LONGEST_TAG)).expect("records");
        assert_eq!((found.tags.len(), found.max_age), (1, None));
        let found = read("", &[], &long(LONGEST_TAG + 1)).expect("records");
        assert_eq!(found.max_age, Some(Duration::ZERO));
    }
}
