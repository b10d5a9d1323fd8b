//! Reads a configuration and finds everything that is wrong with it.
//!
//! Each setting is checked alone, in a configuration without any other, so every
//! error is found at once and has a place. Checks across settings come last, in
//! `validate`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use intent_router::{Diagnostic, LineIndex};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::diagnostics::{ConfigError, Origin};
use super::environment::{Environment, variable};
use super::raw::{LATER, Setting};
use super::schema::{Keys, Known, dotted};
use super::settings::Config;

/// The largest configuration file that is read.
const MAX_FILE: u64 = 1 << 20;

impl Config {
    /// Reads the file, if one is named, and the environment, which overrides it.
    ///
    /// # Errors
    /// Everything that is wrong with either.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let keys = Keys::new();
        let mut errors = Vec::new();
        let mut settings = Vec::new();
        if let Some(file) = file {
            let text =
                read(file, MAX_FILE).map_err(|error| ConfigError::new(Some(file), vec![error]))?;
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
            errors.push(Diagnostic::error(error.message()));
            Self::default()
        });
        config.path = file.map(Path::to_owned);
        config.origins = origins;
        config.unread = environment.warnings;
        let base = file.and_then(Path::parent).unwrap_or(Path::new(""));
        config.validate(base, &mut errors);
        if errors.is_empty() {
            return Ok(config);
        }
        Err(ConfigError::new(file, errors))
    }
}

/// Reads a text file of at most `most` bytes.
///
/// # Errors
/// Why it cannot be read; the diagnostic does not name the file.
pub(super) fn read(file: &Path, most: u64) -> Result<String, Diagnostic> {
    let mut text = Vec::new();
    // The read is bounded, so a device or a pipe cannot exhaust memory.
    File::open(file)
        .and_then(|opened| opened.take(most + 1).read_to_end(&mut text))
        .map_err(|error| {
            Diagnostic::error(format!("cannot be read: {error}"))
                .with_remedy("name an existing, readable file")
        })?;
    if text.len() as u64 > most {
        let message = format!("is larger than {} MiB", most >> 20);
        return Err(Diagnostic::error(message));
    }
    String::from_utf8(text).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        Diagnostic::error(format!("is not valid UTF-8 on line {line}"))
            .with_remedy("save the file as UTF-8")
    })
}

fn from_file(text: &str, settings: &mut Vec<Setting>, errors: &mut Vec<Diagnostic>) {
    let (document, syntax) = DeTable::parse_recoverable(text);
    let lines = LineIndex::new(text);
    if syntax.is_empty() {
        // Nesting is bounded: the parser refuses more than 80 levels.
        flatten(document.into_inner(), &[], &lines, settings, errors);
    }
    // The settings of a file with syntax errors are not checked.
    errors.extend(syntax.into_iter().map(|error| {
        let diagnostic = Diagnostic::error(format!("not valid TOML: {}", error.message()));
        match error.span() {
            Some(span) => diagnostic.with_start(lines.position(span.start)),
            None => diagnostic,
        }
    }));
}

/// Lists the settings of a table. An empty table counts as a setting, as it may
/// stand where a table is not allowed.
fn flatten(
    table: DeTable<'_>,
    parents: &[String],
    lines: &LineIndex,
    settings: &mut Vec<Setting>,
    errors: &mut Vec<Diagnostic>,
) {
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    for (name, value) in entries {
        let origin = Origin::File(lines.position(name.span().start));
        let mut path = parents.to_vec();
        path.push(name.into_inner().into_owned());
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) if !table.is_empty() => {
                flatten(table, &path, lines, settings, errors);
            }
            other => {
                let other = Spanned::new(span, other);
                match Value::deserialize(other.into_deserializer()) {
                    Ok(value) => settings.push(Setting {
                        path,
                        value,
                        origin,
                    }),
                    // Only integers of more than 64 bits fail.
                    Err(_) => {
                        let error = Diagnostic::error("is out of range")
                            .with_remedy("TOML integers have 64 bits");
                        errors.push(origin.place(&dotted(&path), error));
                    }
                }
            }
        }
    }
}

/// Checks a setting alone and returns its value in the type that it takes.
fn check(keys: &Keys, setting: &Setting) -> Result<Value, Diagnostic> {
    let fail = |path: &[String], error: Diagnostic| Err(setting.origin.place(&dotted(path), error));
    let invalid = |error: toml::de::Error| Diagnostic::error(error.message());
    if let Some(later) = setting
        .path
        .first()
        .filter(|name| LATER.contains(&name.as_str()))
    {
        let error = Diagnostic::error("is not supported by this version").with_remedy("remove it");
        return fail(std::slice::from_ref(later), error);
    }
    match keys.find(&setting.path) {
        Known::Unknown { known, meant } => {
            let remedy = meant.map_or_else(
                || "`router config schema` lists the keys".to_owned(),
                |meant| match setting.origin {
                    Origin::File(_) | Origin::Option(_) => format!("did you mean `{meant}`?"),
                    Origin::Environment(_) => format!("did you mean {}?", variable(&meant)),
                },
            );
            let error = Diagnostic::error("unknown key").with_remedy(remedy);
            return fail(&setting.path[..=known], error);
        }
        Known::Table if !setting.value.is_table() => {
            let message = format!(
                "expected a table of settings, found {}",
                setting.value.type_str()
            );
            return fail(&setting.path, Diagnostic::error(message));
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
            // A variable is text; a number, boolean or array in it is read as TOML.
            let text = setting.value.as_str().unwrap_or_default();
            if let (Origin::Environment(_), Ok(value)) = (&setting.origin, literal(text)) {
                match attempt(&value) {
                    Ok(_) => return Ok(value),
                    Err(error) => return fail(&setting.path, invalid(error)),
                }
            }
            fail(&setting.path, invalid(error))
        }
    }
}

/// A number, a boolean or an array in TOML syntax.
fn literal(text: &str) -> Result<Value, ()> {
    let value = DeValue::parse(text.trim()).map_err(|_| ())?;
    match Value::deserialize(value.into_deserializer()) {
        Ok(value @ (Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Array(_))) => {
            Ok(value)
        }
        _ => Err(()),
    }
}

/// Inserts a value at its path and creates the tables on the way. An empty table
/// replaces nothing.
fn insert(table: &mut Table, path: &[String], value: Value) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut table = table;
    for parent in parents {
        let entry = table
            .entry(parent.clone())
            .or_insert_with(|| Value::Table(Table::new()));
        // Only checked values are inserted, and none of them is where another
        // setting needs a table.
        let Value::Table(next) = entry else { return };
        table = next;
    }
    if value.is_table() {
        table.entry(last.clone()).or_insert(value);
    } else {
        table.insert(last.clone(), value);
    }
}
