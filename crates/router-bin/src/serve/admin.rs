//! `POST /v1/invalidate`, and `GET` and `PUT /v1/caching`.

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use cache_keys::{CanonicalJson, Digest};
use intent_router::{Pattern, Selector};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::app::App;
use super::body::{JsonBody, Object, object};
use super::problem::Problem;

/// One thing to invalidate, or a list of them.
pub(crate) struct InvalidateBody(Vec<SelectorBody>);

/// The most selectors in a list. Each visits every shard, and one change of the
/// data needs far fewer.
const MOST_SELECTORS: usize = 256;

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
                     request, or name more with each"
                )));
            }
            selectors.push(selector);
        }
        if selectors.is_empty() {
            return Err(Error::custom("the list names nothing to invalidate"));
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
    fn selectors(self, app: &App) -> Result<Vec<Selector>, Problem> {
        let selectors = self.0.into_iter();
        selectors.map(|selector| selector.selector(app)).collect()
    }
}

impl SelectorBody {
    fn selector(self, app: &App) -> Result<Selector, Problem> {
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
                 only a tag may have a user_id with it",
            )),
        }
    }
}

fn parse_key(hex: &str) -> Result<Digest, Problem> {
    hex.parse().map_err(|error| {
        Problem::unprocessable("invalid_members", format!("`key` is no cache key: {error}"))
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
        format!("there is no class `{name}`; there are {}", known.join(", ")),
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
            "there is no intent `{name}`; there are {}",
            known.join(", ")
        ),
    ))
}

/// The longest pattern in bytes, longer than any scope that it could match. A
/// pattern is stored while a fill that it may affect is in flight.
const MOST_PATTERN: usize = 4 << 10;

fn parse_pattern(text: &str) -> Result<Pattern, Problem> {
    if text.is_empty() {
        return Err(Problem::unprocessable(
            "empty_pattern",
            "an empty pattern would match everything; if that is meant, give \"all\": true",
        ));
    }
    if text.len() > MOST_PATTERN {
        return Err(Problem::unprocessable(
            "pattern_too_long",
            format!(
                "`pattern` has {} bytes; {MOST_PATTERN} are the most",
                text.len()
            ),
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
        "`all` can only be true; leave it out to invalidate less",
    ))
}

/// The number of live entries removed.
#[derive(Serialize)]
pub(crate) struct Invalidated {
    invalidated: usize,
}

/// Removes entries.
pub(crate) async fn invalidate(
    State(app): State<App>,
    JsonBody(body): JsonBody<InvalidateBody>,
) -> Result<Json<Invalidated>, Problem> {
    let selectors: Arc<[Selector]> = body.selectors(&app)?.into();
    let invalidated = app.invalidate(Arc::clone(&selectors)).await?;
    tracing::info!(?selectors, invalidated, "invalidated");
    Ok(Json(Invalidated { invalidated }))
}

/// Whether caching is on.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Caching {
    enabled: bool,
}

impl Object for Caching {
    const EXPECTED: &'static str = "an object such as {\"enabled\": true}";
}

/// Returns whether caching is on.
pub(crate) async fn caching(State(app): State<App>) -> Json<Caching> {
    let enabled = app.cache().is_enabled();
    Json(Caching { enabled })
}

/// Switches caching on or off.
pub(crate) async fn switch_caching(
    State(app): State<App>,
    JsonBody(body): JsonBody<Caching>,
) -> Json<Caching> {
    app.cache().set_enabled(body.enabled);
    tracing::info!(enabled = body.enabled, "caching switched");
    Json(body)
}
