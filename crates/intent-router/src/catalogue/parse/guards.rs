//! The table `[guards]`.

use super::document::{Problems, Table, number};
use crate::catalogue::Guards;
use crate::text::{normalise, words};

/// The guards with those keys replaced that the table has.
pub(super) fn guards(root: &mut Table<'_>, mut guards: Guards, problems: &mut Problems) -> Guards {
    let Some(value) = root.take("guards") else {
        return guards;
    };
    let Some(mut table) = Table::from_value("guards".to_owned(), value, problems) else {
        return guards;
    };
    if let Some(value) = table.take("confidence") {
        let (path, at) = (table.key_path("confidence"), value.span().start);
        match number(value.get_ref()) {
            Ok(confidence) if (0.0..=1.0).contains(&confidence) => guards.confidence = confidence,
            Ok(confidence) => {
                problems.add(&path, at, format_args!("{confidence} is not from 0 to 1"));
            }
            Err(message) => problems.add(&path, at, message),
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
            *list = phrases(&mut table, key, problems);
        }
    }
    if table.take("amounts").is_some() {
        guards.amounts = marks(&mut table, problems);
    }
    table.finish(problems);
    guards
}

/// A list of words and phrases. One without a word is a problem.
pub(super) fn phrases(
    table: &mut Table<'_>,
    key: &'static str,
    problems: &mut Problems,
) -> Vec<String> {
    let texts = table.texts(key, problems);
    let read = |(path, text): (String, super::document::At<&str>)| {
        if words(&normalise(text.value)).next().is_none() {
            problems.add(
                &path,
                text.at,
                format_args!("\"{}\" has no word", text.value),
            );
            return None;
        }
        Some(text.value.to_owned())
    };
    texts.into_iter().filter_map(read).collect()
}

/// The words and signs of amounts. One of white space and closing punctuation
/// alone is a problem.
fn marks(table: &mut Table<'_>, problems: &mut Problems) -> Vec<String> {
    let texts = table.texts("amounts", problems);
    let read = |(path, text): (String, super::document::At<&str>)| {
        if normalise(text.value).is_empty() {
            let message = format_args!("\"{}\" has neither a word nor a sign", text.value);
            problems.add(&path, text.at, message);
            return None;
        }
        Some(text.value.to_owned())
    };
    texts.into_iter().filter_map(read).collect()
}
