//! Reads a configuration and finds everything that is wrong with it.
//!
//! Each setting is checked alone, in a configuration that has nothing else:
//! so every error is found at once, and its place is known. What no setting
//! shows alone is checked last, in `settle`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::Config;
use super::environment::{Environment, variable};
use super::error::{ConfigError, ConfigErrors, Origin};
use super::schema::{Keys, Known, dotted};

/// The largest configuration file that is read.
const MAX_FILE: u64 = 1 << 20;

/// Settings whose meaning is settled but which this version does not have.
pub(super) const LATER: [&str; 2] = ["shared", "auth"];

/// One setting as it was found.
pub(super) struct Setting {
    pub(super) path: Vec<String>,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

impl Config {
    /// Reads the file, if one is named, and the environment, which overrides it.
    ///
    /// # Errors
    /// Everything that is wrong with either.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigErrors> {
        let keys = Keys::new();
        let mut errors = Vec::new();
        let mut settings = Vec::new();
        if let Some(file) = file {
            let text =
                read(file, MAX_FILE).map_err(|reason| ConfigErrors::unreadable(file, reason))?;
            from_file(&text, &mut settings, &mut errors);
        }
        let environment = Environment::read(environment, &keys);
        settings.extend(environment.settings);
        errors.extend(environment.errors);

        let mut valid = Table::new();
        let mut origins = BTreeMap::new();
        for setting in settings {
            match check(&keys, &setting) {
                Ok(value) => {
                    insert(&mut valid, &setting.path, value);
                    origins.insert(dotted(&setting.path), setting.origin);
                }
                Err(error) => errors.push(error),
            }
        }
        let mut config = Self::deserialize(valid).unwrap_or_else(|error| {
            errors.push(error_at(None, String::new(), error.message()));
            Self::default()
        });
        config.origins = origins;
        config.unread = environment.warnings;
        let base = file.and_then(Path::parent).unwrap_or(Path::new(""));
        config.settle(base, &mut errors);
        if errors.is_empty() {
            return Ok(config);
        }
        // Keys below an unsupported or unknown table share one error.
        errors.sort_by(|a, b| (&a.origin, &a.path).cmp(&(&b.origin, &b.path)));
        errors.dedup_by(|b, a| a.path == b.path && a.reason == b.reason && !a.path.is_empty());
        Err(ConfigErrors {
            file: file.map(Path::to_owned),
            errors,
        })
    }
}

pub(super) fn error_at(
    origin: Option<Origin>,
    path: String,
    reason: impl Into<String>,
) -> ConfigError {
    ConfigError {
        origin,
        path,
        reason: reason.into(),
    }
}

/// Reads a text file of at most `most` bytes.
pub(super) fn read(file: &Path, most: u64) -> Result<String, String> {
    let mut text = Vec::new();
    // Bounded while reading, so that a device or a pipe cannot exhaust memory.
    File::open(file)
        .and_then(|opened| opened.take(most + 1).read_to_end(&mut text))
        .map_err(|error| format!("cannot be read: {error}; name an existing, readable file"))?;
    if text.len() as u64 > most {
        return Err(format!("is larger than {} MiB", most >> 20));
    }
    String::from_utf8(text).map_err(|error| {
        let line = line_at(error.as_bytes(), error.utf8_error().valid_up_to());
        format!("is not valid UTF-8 in line {line}; save the file as UTF-8")
    })
}

fn line_at(text: &[u8], offset: usize) -> usize {
    let before = &text[..offset.min(text.len())];
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

fn from_file(text: &str, settings: &mut Vec<Setting>, errors: &mut Vec<ConfigError>) {
    let (document, syntax) = DeTable::parse_recoverable(text);
    let line = |offset| Origin::File(line_at(text.as_bytes(), offset));
    if syntax.is_empty() {
        // Nesting is bounded: the parser refuses more than 80 levels.
        flatten(document.into_inner(), &[], &line, settings, errors);
    }
    // What a broken file seems to set would be reported in vain.
    errors.extend(syntax.into_iter().map(|error| {
        let origin = error.span().map(|span| line(span.start));
        let reason = format!("not valid TOML: {}", error.message());
        error_at(origin, String::new(), reason)
    }));
}

/// Lists the settings of a table; an empty table counts as one, as it may be
/// in a place that takes none.
fn flatten(
    table: DeTable<'_>,
    parents: &[String],
    line: &impl Fn(usize) -> Origin,
    settings: &mut Vec<Setting>,
    errors: &mut Vec<ConfigError>,
) {
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    for (name, value) in entries {
        let origin = line(name.span().start);
        let mut path = parents.to_vec();
        path.push(name.into_inner().into_owned());
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) if !table.is_empty() => {
                flatten(table, &path, line, settings, errors);
            }
            other => {
                let other = Spanned::new(span, other);
                match Value::deserialize(other.into_deserializer()) {
                    Ok(value) => settings.push(Setting {
                        path,
                        value,
                        origin,
                    }),
                    // Only an integer beyond 128 bits, or beyond TOML's own 64.
                    Err(_) => errors.push(error_at(
                        Some(origin),
                        dotted(&path),
                        "is out of range; TOML's integers have 64 bits",
                    )),
                }
            }
        }
    }
}

/// Checks a setting alone; returns its value in the type that it takes.
fn check(keys: &Keys, setting: &Setting) -> Result<Value, ConfigError> {
    let fail = |path: &[String], reason: String| {
        Err(error_at(Some(setting.origin.clone()), dotted(path), reason))
    };
    if let Some(later) = setting
        .path
        .first()
        .filter(|name| LATER.contains(&name.as_str()))
    {
        let reason = "is not supported by this version and comes with a later one; remove it";
        return fail(std::slice::from_ref(later), reason.to_owned());
    }
    match keys.find(&setting.path) {
        Known::Unknown { known, meant } => {
            let hint = meant.map_or_else(
                || "`router config schema` lists the keys".to_owned(),
                |meant| match setting.origin {
                    Origin::File(_) => format!("did you mean `{meant}`?"),
                    Origin::Environment(_) => format!("did you mean {}?", variable(&meant)),
                },
            );
            return fail(&setting.path[..=known], format!("unknown key; {hint}"));
        }
        Known::Table if !setting.value.is_table() => {
            let reason = format!(
                "is a table of settings, not of type {}",
                setting.value.type_str()
            );
            return fail(&setting.path, reason);
        }
        Known::Table | Known::Setting => {}
    }
    let attempt = |value: &Value| {
        let mut alone = Table::new();
        insert(&mut alone, &setting.path, value.clone());
        Config::deserialize(alone)
    };
    match attempt(&setting.value) {
        Ok(_) => Ok(setting.value.clone()),
        Err(error) => {
            // A variable is text; where a setting takes a number or a truth
            // value, it is read as TOML writes one.
            let text = setting.value.as_str().unwrap_or_default();
            if let (Origin::Environment(_), Ok(value)) = (&setting.origin, literal(text)) {
                match attempt(&value) {
                    Ok(_) => return Ok(value),
                    Err(error) => return fail(&setting.path, error.message().to_owned()),
                }
            }
            fail(&setting.path, error.message().to_owned())
        }
    }
}

/// A number or a truth value as TOML writes it.
fn literal(text: &str) -> Result<Value, ()> {
    let value = DeValue::parse(text.trim()).map_err(|_| ())?;
    match Value::deserialize(value.into_deserializer()) {
        Ok(value @ (Value::Integer(_) | Value::Float(_) | Value::Boolean(_))) => Ok(value),
        _ => Err(()),
    }
}

/// Puts a value at its path, making the tables on the way. An empty table
/// leaves what is there already.
fn insert(table: &mut Table, path: &[String], value: Value) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut table = table;
    for parent in parents {
        let entry = table
            .entry(parent.clone())
            .or_insert_with(|| Value::Table(Table::new()));
        // Only checked values are inserted, and none of them stands where
        // another setting needs a table.
        let Value::Table(next) = entry else { return };
        table = next;
    }
    if value.is_table() {
        table.entry(last.clone()).or_insert(value);
    } else {
        table.insert(last.clone(), value);
    }
}
