//! The JSON Schema of the configuration, and the keys that follow from it: all of
//! them, and the one that a misspelt key probably means.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::settings::Config;
use super::spelling::distance;

/// The JSON Schema (draft 2020-12) of the configuration file.
pub(crate) fn schema() -> Schema {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<Config>()
}

/// The keys that a configuration may have, as a tree.
pub(super) struct Keys(Value);

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// A setting.
    Setting,
    /// A table of settings.
    Table,
    /// Nothing; another path may be meant.
    Unknown {
        /// The number of leading segments that are known.
        known: usize,
        /// The path that is probably meant.
        meant: Option<String>,
    },
}

impl Keys {
    /// The keys of [`Config`].
    pub(super) fn new() -> Self {
        Self(schema().to_value())
    }

    /// Looks up a path. A path that continues below a setting names the setting,
    /// whose type check then reports that it is not a table.
    pub(super) fn find(&self, path: &[String]) -> Known {
        let mut node = &self.0;
        for (depth, segment) in path.iter().enumerate() {
            if !is_table(node) {
                return Known::Setting;
            }
            let Some(child) = child(node, segment) else {
                let meant = self.meant(node, &path[..depth], segment);
                return Known::Unknown {
                    known: depth,
                    meant,
                };
            };
            node = child;
        }
        if is_table(node) {
            Known::Table
        } else {
            Known::Setting
        }
    }

    /// The dotted path of every setting; `*` is a name that the user chooses.
    pub(super) fn settings(&self) -> Vec<String> {
        let mut settings = Vec::new();
        collect(&self.0, "", &mut settings);
        settings
    }

    /// The sibling with the nearest spelling, or else the setting elsewhere with
    /// exactly this name, if only one is in so few tables.
    fn meant(&self, table: &Value, parents: &[String], segment: &str) -> Option<String> {
        let nearest = properties(table)
            .into_iter()
            .flat_map(Map::keys)
            .map(|name| (distance(name, segment), name))
            .filter(|(distance, name)| *distance <= (name.len() / 3).max(1))
            .min();
        if let Some((_, name)) = nearest {
            let mut path = parents.to_vec();
            path.push(name.clone());
            return Some(dotted(&path));
        }
        let suffix = format!(".{segment}");
        let mut elsewhere = self.settings();
        elsewhere.retain(|path| path.ends_with(&suffix));
        let depth = |path: &String| path.matches('.').count();
        elsewhere.sort_by_key(depth);
        let mut elsewhere = elsewhere.into_iter();
        let (first, second) = (elsewhere.next()?, elsewhere.next());
        let is_only = second.is_none_or(|second| depth(&first) < depth(&second));
        is_only.then_some(first)
    }
}

/// A path in TOML syntax: segments that are not bare keys are quoted.
pub(super) fn dotted(path: &[String]) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let segments: Vec<String> = path
        .iter()
        .map(|segment| {
            if !segment.is_empty() && segment.chars().all(bare) {
                segment.clone()
            } else {
                format!("\"{}\"", segment.escape_debug())
            }
        })
        .collect();
    segments.join(".")
}

fn properties(node: &Value) -> Option<&Map<String, Value>> {
    node.get("properties").and_then(Value::as_object)
}

/// The schema of tables whose names the user chooses.
fn named(node: &Value) -> Option<&Value> {
    node.get("additionalProperties")
        .filter(|schema| schema.is_object())
}

fn is_table(node: &Value) -> bool {
    properties(node).is_some() || named(node).is_some()
}

fn child<'a>(node: &'a Value, segment: &str) -> Option<&'a Value> {
    properties(node)
        .and_then(|properties| properties.get(segment))
        .or_else(|| named(node))
}

fn collect(node: &Value, path: &str, settings: &mut Vec<String>) {
    if !is_table(node) {
        settings.push(path.to_owned());
        return;
    }
    let dot = if path.is_empty() { "" } else { "." };
    for (name, schema) in properties(node).into_iter().flatten() {
        collect(schema, &format!("{path}{dot}{name}"), settings);
    }
    if let Some(schema) = named(node) {
        collect(schema, &format!("{path}{dot}*"), settings);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(dotted: &str) -> Vec<String> {
        dotted.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn unknown_keys_are_told_what_was_meant() {
        let keys = Keys::new();
        for (wrong, known, meant) in [
            ("server.lisen", 1, Some("server.listen")),
            ("sever.listen", 0, Some("server")),
            ("listen", 0, Some("server.listen")),
            ("jitter", 0, Some("cache.classes.*.jitter")),
            ("cache.classes.x.tll", 3, Some("cache.classes.x.ttl")),
            ("server.colour", 1, None),
        ] {
            let meant = meant.map(str::to_owned);
            assert_eq!(
                keys.find(&path(wrong)),
                Known::Unknown { known, meant },
                "{wrong}"
            );
        }
    }

    #[test]
    fn tables_and_settings_are_told_apart() {
        let keys = Keys::new();
        for table in ["server", "cache.classes", "cache.classes.anything"] {
            assert_eq!(keys.find(&path(table)), Known::Table, "{table}");
        }
        for setting in [
            "server.listen",
            "cache.classes.x.ttl",
            "source.url",
            "server.listen.x",
        ] {
            assert_eq!(keys.find(&path(setting)), Known::Setting, "{setting}");
        }
    }
}
