//! The table `[slots]`.

use std::collections::BTreeMap;

use super::document::{Diagnostics, Table, elements_as_texts};
use super::name::{NAME_RULE, is_name};
use crate::catalogue::SlotSpec;
use crate::catalogue::sql::BUILT_IN_PARAMETERS;
use crate::slots::pattern;
use crate::text::{normalise, words};

/// Slots by name; `None` for an invalid definition, so that uses of the slot are
/// not reported as well.
pub(super) type Specs<'t> = BTreeMap<&'t str, Option<SlotSpec>>;

pub(super) fn slots<'t>(root: &mut Table<'t>, diagnostics: &mut Diagnostics) -> Specs<'t> {
    let mut specs = Specs::new();
    let Some(value) = root.take("slots") else {
        return specs;
    };
    let Some(slots) = Table::from_value("slots".to_owned(), value, diagnostics) else {
        return specs;
    };
    for (name, value) in slots.entries() {
        let path = slots.key_path(name.value);
        if BUILT_IN_PARAMETERS.contains(&name.value) {
            diagnostics.add(
                &path,
                name.at,
                "the name is reserved for a parameter that every query has; choose another",
            );
        } else if !is_name(name.value) {
            diagnostics.add(&path, name.at, NAME_RULE);
        }
        let spec =
            Table::from_value(path, value, diagnostics).and_then(|table| spec(table, diagnostics));
        specs.insert(name.value, spec);
    }
    specs
}

fn spec(mut table: Table<'_>, diagnostics: &mut Diagnostics) -> Option<SlotSpec> {
    let kind = table.required_text("kind", diagnostics)?;
    let spec = match kind.value {
        "date" => Some(SlotSpec::Date),
        "period" => Some(SlotSpec::Period),
        "range" => Some(SlotSpec::Range),
        "amount" => amount(&mut table, diagnostics),
        "enum" => enumeration(&mut table, diagnostics),
        "pattern" => {
            let text = table.required_text("pattern", diagnostics);
            text.and_then(|text| match pattern::problem(text.value) {
                None => Some(SlotSpec::Pattern {
                    pattern: text.value.to_owned(),
                }),
                Some(message) => {
                    diagnostics.add(&table.key_path("pattern"), text.at, message);
                    None
                }
            })
        }
        other => {
            let message = format!(
                "unknown kind \"{other}\"; known kinds are amount, date, enum, pattern, period, range"
            );
            diagnostics.add(&table.key_path("kind"), kind.at, message);
            return None;
        }
    };
    table.finish(diagnostics);
    spec
}

fn amount(table: &mut Table<'_>, diagnostics: &mut Diagnostics) -> Option<SlotSpec> {
    let is_code =
        |code: &str| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    let rule = "invalid currency; it must be three capital letters (ISO 4217), such as USD";
    // A mark may be a sign such as `$`, which is not a word.
    let normal = |mark: &str| Some(normalise(mark).into_owned()).filter(|mark| !mark.is_empty());
    let currencies = lists(table, "currencies", (is_code, rule), normal, diagnostics);
    let decimal = match table.text("decimal", diagnostics) {
        None => '.',
        Some(text) => match text.value {
            "." => '.',
            "," => ',',
            other => {
                let message = format!("unknown decimal separator \"{other}\"; use \".\" or \",\"");
                diagnostics.add(&table.key_path("decimal"), text.at, message);
                return None;
            }
        },
    };
    Some(SlotSpec::Amount {
        currencies: currencies?,
        decimal,
    })
}

fn enumeration(table: &mut Table<'_>, diagnostics: &mut Diagnostics) -> Option<SlotSpec> {
    let is_value = |value: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        !value.is_empty() && value.chars().all(allowed)
    };
    let rule = "invalid value; it must contain only ASCII letters, digits, _, - and .";
    let normal = |phrase: &str| {
        let normal = normalise(phrase);
        let words: Vec<_> = words(&normal).collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    let values = lists(table, "values", (is_value, rule), normal, diagnostics)?;
    Some(SlotSpec::Enum { values })
}

/// A table of names, each with a list of texts. Texts with the same `normal` form
/// must occur once; a text without one is a problem.
fn lists(
    table: &mut Table<'_>,
    key: &'static str,
    (is_name, rule): (impl Fn(&str) -> bool, &str),
    normal: impl Fn(&str) -> Option<String>,
    diagnostics: &mut Diagnostics,
) -> Option<BTreeMap<String, Vec<String>>> {
    let path = table.key_path(key);
    let Some(value) = table.take(key) else {
        diagnostics.add(&table.path, table.at, format_args!("`{key}` is missing"));
        return None;
    };
    let at = value.span().start;
    let names = Table::from_value(path.clone(), value, diagnostics)?;
    let before = diagnostics.list.len();
    let mut lists = BTreeMap::new();
    let mut seen = BTreeMap::<String, &str>::new();
    for (name, value) in names.entries() {
        let path = names.key_path(name.value);
        if !is_name(name.value) {
            diagnostics.add(&path, name.at, rule);
        }
        let mut list = Vec::new();
        for (path, text) in elements_as_texts(&path, value, diagnostics) {
            let Some(normal) = normal(text.value) else {
                diagnostics.add(
                    &path,
                    text.at,
                    format_args!("\"{}\" contains no word", text.value),
                );
                continue;
            };
            if let Some(other) = seen.insert(normal, name.value) {
                let message = format!("\"{}\" is already listed under \"{other}\"", text.value);
                diagnostics.add(&path, text.at, message);
            }
            list.push(text.value.to_owned());
        }
        if list.is_empty() && diagnostics.list.len() == before {
            diagnostics.add(
                &path,
                name.at,
                "has no words, so it can never be found; add some",
            );
        }
        lists.insert(name.value.to_owned(), list);
    }
    if lists.is_empty() {
        diagnostics.add(&path, at, "is empty");
    }
    (diagnostics.list.len() == before).then_some(lists)
}
