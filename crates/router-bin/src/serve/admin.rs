//! Invalidation and the off switch.

use axum::Json;
use axum::extract::State;
use cache_keys::{CanonicalJson, Digest};
use intent_router::{Pattern, Selector};
use serde::{Deserialize, Deserializer, Serialize};

use super::app::App;
use super::body::{JsonBody, Object};
use super::problem::Problem;

/// What to invalidate: exactly one of the members.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvalidateBody {
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
    const EXPECTED: &'static str =
        "an object with one of key, user_id, intent, role, class, tag, pattern, all";
}

/// Reads a member that is there, be it `null`, which is a role like any other:
/// an `Option` alone would take `null` for absence.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl InvalidateBody {
    fn selector(self, app: &App) -> Result<Selector, Problem> {
        let key = self.key.map(|hex| parse_key(&hex)).transpose()?;
        let class = self.class.map(|name| known_class(name, app)).transpose()?;
        let intent = self
            .intent
            .map(|name| known_intent(name, app))
            .transpose()?;
        let pattern = self.pattern.map(|text| parse_pattern(&text)).transpose()?;
        let all = self.all.map(parse_all).transpose()?;
        let given = [
            key.map(Selector::Key),
            self.user_id.map(Selector::User),
            intent.map(Selector::Intent),
            self.role.map(Selector::Role),
            class.map(Selector::Class),
            self.tag.map(Selector::Tag),
            pattern.map(Selector::Pattern),
            all,
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(selector), None) => Ok(selector),
            _ => Err(Problem::unprocessable(
                "invalid_members",
                "give exactly one of key, user_id, intent, role, class, tag, pattern, all",
            )),
        }
    }
}

fn parse_key(hex: &str) -> Result<Digest, Problem> {
    hex.parse().map_err(|error| {
        Problem::unprocessable("invalid_members", format!("`key` is no cache key: {error}"))
    })
}

/// A class that does not exist has no entries; saying so beats answering 0 to
/// a misspelt name.
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

/// The longest pattern, in bytes: longer than any scope that could match. One is
/// kept as long as a fill is under way that it may concern.
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

/// How many live entries were removed.
#[derive(Serialize)]
pub(crate) struct Invalidated {
    invalidated: usize,
}

/// Removes entries.
pub(crate) async fn invalidate(
    State(app): State<App>,
    JsonBody(body): JsonBody<InvalidateBody>,
) -> Result<Json<Invalidated>, Problem> {
    let selector = body.selector(&app)?;
    let invalidated = app.cache().invalidate(&selector);
    tracing::info!(?selector, invalidated, "invalidated");
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

/// Tells whether caching is on.
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
