//! The table `[guards]`.

use super::document::{Diagnostics, Table, number};
use crate::catalogue::Guards;
use crate::text::{normalise, words};

/// `guards` with the keys of the table replaced.
pub(super) fn guards(
    root: &mut Table<'_>,
    mut guards: Guards,
    diagnostics: &mut Diagnostics,
) -> Guards {
    let Some(value) = root.take("guards") else {
        return guards;
    };
    let Some(mut table) = Table::from_value("guards".to_owned(), value, diagnostics) else {
        return guards;
    };
    if let Some(value) = table.take("confidence") {
        let (path, at) = (table.key_path("confidence"), value.span().start);
        match number(value.get_ref()) {
            Ok(confidence) if (0.0..=1.0).contains(&confidence) => guards.confidence = confidence,
            Ok(confidence) => {
                diagnostics.add(
                    &path,
                    at,
                    format_args!("{confidence} is out of range; it must be from 0 to 1"),
                );
            }
            Err(message) => diagnostics.add(&path, at, message),
        }
    }
    let lists: [(&'static str, &mut Vec<String>); 9] = [
        ("negations", &mut guards.negations),
        ("numbers", &mut guards.numbers),
        ("times", &mut guards.times),
        ("comparisons", &mut guards.comparisons),
        ("opposites", &mut guards.opposites),
        ("directions", &mut guards.directions),
        ("conjunctions", &mut guards.conjunctions),
        ("articles", &mut guards.articles),
        ("neutral", &mut guards.neutral),
    ];
    for (key, list) in lists {
        if table.take(key).is_some() {
            *list = phrases(&mut table, key, diagnostics);
        }
    }
    if table.take("amounts").is_some() {
        guards.amounts = marks(&mut table, diagnostics);
    }
    table.finish(diagnostics);
    guards
}

/// A list of words and phrases; an entry without a word is a problem.
pub(super) fn phrases(
    table: &mut Table<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Vec<String> {
    let texts = table.texts(key, diagnostics);
    let read = |(path, text): (String, super::document::At<&str>)| {
        if words(&normalise(text.value)).next().is_none() {
            diagnostics.add(
                &path,
                text.at,
                format_args!("\"{}\" contains no word", text.value),
            );
            return None;
        }
        Some(text.value.to_owned())
    };
    texts.into_iter().filter_map(read).collect()
}

/// The words and signs of amounts; an entry of white space and closing
/// punctuation alone is a problem.
fn marks(table: &mut Table<'_>, diagnostics: &mut Diagnostics) -> Vec<String> {
    let texts = table.texts("amounts", diagnostics);
    let read = |(path, text): (String, super::document::At<&str>)| {
        if normalise(text.value).is_empty() {
            let message = format_args!("\"{}\" contains neither a word nor a symbol", text.value);
            diagnostics.add(&path, text.at, message);
            return None;
        }
        Some(text.value.to_owned())
    };
    texts.into_iter().filter_map(read).collect()
}
