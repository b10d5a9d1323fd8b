//! What `POST /v1/invalidate` removes, as its body names it.

use std::fmt;

use cache_keys::{CanonicalJson, Digest};
use intent_router::{Pattern, Selector};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::app::App;
use super::body::{Object, object};
use super::identifiers::Kind;
use super::problem::Problem;

/// One thing to invalidate, or a list of them.
pub(crate) struct InvalidateBody(Vec<SelectorBody>);

/// The most selectors in a list. Each visits every shard, and one change of the
/// data needs far fewer.
const MOST_SELECTORS: usize = 256;

/// The longest value of a member in bytes, for `user_id` and `role` of their JSON
/// text. It is longer than any name that an entry could have. A selector is stored
/// while a fill that it may affect is in flight.
const MOST_BYTES: usize = 4 << 10;

/// The most selectors of a list that the audit log shows.
const MOST_SHOWN: usize = 8;

impl<'de> Deserialize<'de> for InvalidateBody {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneOrMore)
    }
}

/// An element of the list, which must be an object.
struct Element(SelectorBody);

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        object(InvalidateBody::EXPECTED, from).map(Self)
    }
}

/// Reads an object or an array of objects.
struct OneOrMore;

impl<'de> Visitor<'de> for OneOrMore {
    type Value = InvalidateBody;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(InvalidateBody::EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<InvalidateBody, A::Error> {
        let one = SelectorBody::deserialize(MapAccessDeserializer::new(map))?;
        Ok(InvalidateBody(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<InvalidateBody, A::Error> {
        let mut selectors = Vec::new();
        while let Some(Element(selector)) = list.next_element()? {
            if selectors.len() == MOST_SELECTORS {
                return Err(Error::custom(format_args!(
                    "a list has at most {MOST_SELECTORS} selectors; send the rest in another \
                     request, or use broader selectors"
                )));
            }
            selectors.push(selector);
        }
        if selectors.is_empty() {
            return Err(Error::custom(
                "the list is empty; give at least one selector",
            ));
        }
        Ok(InvalidateBody(selectors))
    }
}

/// A selector: exactly one of the members, or `tag` with `user_id`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SelectorBody {
    #[serde(default, deserialize_with = "present")]
    key: Option<String>,
    #[serde(default, deserialize_with = "present")]
    user_id: Option<CanonicalJson>,
    #[serde(default, deserialize_with = "present")]
    intent: Option<String>,
    #[serde(default, deserialize_with = "present")]
    role: Option<CanonicalJson>,
    #[serde(default, deserialize_with = "present")]
    class: Option<String>,
    #[serde(default, deserialize_with = "present")]
    tag: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pattern: Option<String>,
    #[serde(default, deserialize_with = "present")]
    all: Option<bool>,
}

impl Object for InvalidateBody {
    const EXPECTED: &'static str = "an object with one of key, user_id, intent, role, class, tag, pattern, all, \
         or a list of such objects";

    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::deserialize(from)
    }
}

/// Reads a member that is present. `null` is a valid role; an `Option` alone would
/// read it as absent.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl InvalidateBody {
    pub(crate) fn selectors(self, app: &App) -> Result<Vec<Selector>, Problem> {
        let selectors = self.0.into_iter();
        selectors.map(|selector| selector.selector(app)).collect()
    }

    /// The selectors for the audit log: short, and without identifiers of people.
    pub(crate) fn shown(&self, app: &App) -> String {
        let shown = self.0.iter().take(MOST_SHOWN);
        let mut shown: Vec<_> = shown.map(|selector| selector.shown(app)).collect();
        if let Some(more @ 1..) = self.0.len().checked_sub(MOST_SHOWN) {
            shown.push(format!("and {more} more"));
        }
        shown.join(", ")
    }
}

/// Refuses a value of a member that is too long.
pub(crate) fn check_length(member: &str, bytes: usize) -> Result<(), Problem> {
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    Err(Problem::unprocessable(
        "selector_too_long",
        format!("`{member}` has {bytes} bytes; at most {MOST_BYTES} are allowed"),
    ))
}

impl SelectorBody {
    fn check_lengths(&self) -> Result<(), Problem> {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let json = |json: &Option<CanonicalJson>| json.as_ref().map_or(0, |j| j.as_str().len());
        for (member, bytes) in [
            ("key", text(&self.key)),
            ("user_id", json(&self.user_id)),
            ("intent", text(&self.intent)),
            ("role", json(&self.role)),
            ("class", text(&self.class)),
            ("tag", text(&self.tag)),
            ("pattern", text(&self.pattern)),
        ] {
            check_length(member, bytes)?;
        }
        Ok(())
    }

    fn shown(&self, app: &App) -> String {
        let ids = app.identifiers();
        let text = |kind, text: &Option<String>| text.as_ref().map(|text| ids.text(kind, text));
        let json = |kind, json: &Option<CanonicalJson>| {
            json.as_ref().map(|json| ids.text(kind, &json.text()))
        };
        // Names of the catalogue are not of people; others may be anything.
        let name = |known: bool, name: &Option<String>| match name {
            Some(name) if known => Some(name.clone()),
            name => text(Kind::Unknown, name),
        };
        let is_intent = |name: &String| app.router().catalogue().get(name).is_some();
        let is_class = |name: &String| app.cache().classes().get(name).is_some();
        let members = [
            ("key", text(Kind::Key, &self.key)),
            ("user_id", json(Kind::User, &self.user_id)),
            (
                "intent",
                name(self.intent.as_ref().is_some_and(is_intent), &self.intent),
            ),
            ("role", json(Kind::Role, &self.role)),
            (
                "class",
                name(self.class.as_ref().is_some_and(is_class), &self.class),
            ),
            ("tag", text(Kind::Record, &self.tag)),
            ("pattern", text(Kind::Pattern, &self.pattern)),
            ("all", self.all.map(|all| all.to_string())),
        ];
        let given = members
            .into_iter()
            .filter_map(|(member, value)| Some(format!("{member}={}", value?)));
        given.collect::<Vec<_>>().join(" ")
    }

    fn selector(self, app: &App) -> Result<Selector, Problem> {
        self.check_lengths()?;
        let key = self.key.map(|hex| parse_key(&hex)).transpose()?;
        let class = self.class.map(|name| known_class(name, app)).transpose()?;
        let intent = self
            .intent
            .map(|name| known_intent(name, app))
            .transpose()?;
        let pattern = self.pattern.map(|text| parse_pattern(&text)).transpose()?;
        let all = self.all.map(parse_all).transpose()?;
        let (user, tag) = match (self.user_id, self.tag) {
            (Some(user), Some(record)) => (None, Some(Selector::TagOf { record, user })),
            (user, tag) => (user.map(Selector::User), tag.map(Selector::Tag)),
        };
        let given = [
            key.map(Selector::Key),
            user,
            intent.map(Selector::Intent),
            self.role.map(Selector::Role),
            class.map(Selector::Class),
            tag,
            pattern.map(Selector::Pattern),
            all,
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(selector), None) => Ok(selector),
            _ => Err(Problem::unprocessable(
                "invalid_members",
                "give exactly one of key, user_id, intent, role, class, tag, pattern, all; \
                 only tag and user_id can be combined",
            )),
        }
    }
}

fn parse_key(hex: &str) -> Result<Digest, Problem> {
    hex.parse().map_err(|error| {
        Problem::unprocessable(
            "invalid_members",
            format!("`key` is not a cache key: {error}"),
        )
    })
}

/// Checks that the class exists: an error tells more about a misspelt name than
/// 0 removed entries.
fn known_class(name: String, app: &App) -> Result<String, Problem> {
    let classes = app.cache().classes();
    if classes.get(&name).is_some() {
        return Ok(name);
    }
    let known: Vec<_> = classes.iter().map(|(_, name)| name).collect();
    Err(Problem::unprocessable(
        "unknown_class",
        format!(
            "unknown class `{name}`; the classes are {}",
            known.join(", ")
        ),
    ))
}

fn known_intent(name: String, app: &App) -> Result<String, Problem> {
    let router = app.router();
    let catalogue = router.catalogue();
    if catalogue.get(&name).is_some() {
        return Ok(name);
    }
    let known: Vec<&str> = catalogue
        .intents()
        .iter()
        .map(|i| i.name.as_str())
        .collect();
    Err(Problem::unprocessable(
        "unknown_intent",
        format!(
            "unknown intent `{name}`; the intents are {}",
            known.join(", ")
        ),
    ))
}

fn parse_pattern(text: &str) -> Result<Pattern, Problem> {
    if text.is_empty() {
        return Err(Problem::unprocessable(
            "empty_pattern",
            "an empty pattern would match everything; if that is meant, give \"all\": true",
        ));
    }
    Ok(Pattern::new(text))
}

fn parse_all(all: bool) -> Result<Selector, Problem> {
    if all {
        return Ok(Selector::All);
    }
    Err(Problem::unprocessable(
        "invalid_members",
        "`all` must be true; use another member to invalidate less",
    ))
}
