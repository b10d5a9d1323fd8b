//! Keeps what a request says out of the texts of errors, which are logged.

use std::collections::HashSet;

use intent_router::SourceError;

use super::failure::Failure;
use super::input::Values;

/// The shortest word in bytes that is looked for inside of other words. Shorter ones
/// are inside of most texts.
const LEAST_JOINED: usize = 3;

/// The same failure without what is made of a bound value. Databases quote values in
/// some of its errors, such as `bad JSON path: 'what is my claim status?'`.
pub(crate) fn without_values(failure: Failure, values: &Values) -> Failure {
    match failure {
        Failure::TimedOut => Failure::TimedOut,
        Failure::Connection(error) => Failure::Connection(without(error, values)),
        Failure::Source(error) => Failure::Source(without(error, values)),
    }
}

fn without(mut error: SourceError, values: &Values) -> SourceError {
    if let SourceError::Unavailable(text)
    | SourceError::Damaged(text)
    | SourceError::Query { reason: text, .. } = &mut error
    {
        *text = redacted(text, values);
    }
    error
}

/// The text with an ellipsis for each word that a value has, and for what it quotes
/// if a word of a value occurs there: a query may have joined several values.
fn redacted(text: &str, values: &Values) -> String {
    let lower: Vec<String> = values.iter().flatten().map(|v| v.to_lowercase()).collect();
    let withheld: HashSet<&str> = lower.iter().flat_map(|value| words(value)).collect();
    let quote = text.find(['\'', '"', '[', '`']).unwrap_or(text.len());
    let (mut rest, quoted) = text.split_at(quote);
    let mut kept = String::with_capacity(text.len());
    // Each piece is a word with the characters that follow it.
    while !rest.is_empty() {
        let word = rest.find(|c: char| !c.is_alphanumeric());
        let (word, after) = rest.split_at(word.unwrap_or(rest.len()));
        let next = after.find(char::is_alphanumeric).unwrap_or(after.len());
        let (between, following) = after.split_at(next);
        let is_withheld = withheld.contains(word.to_lowercase().as_str());
        kept.push_str(if is_withheld { "…" } else { word });
        kept.push_str(between);
        rest = following;
    }
    let quoted_lower = quoted.to_lowercase();
    let is_withheld = words(&quoted_lower).any(|word| withheld.contains(word))
        || withheld
            .iter()
            .any(|word| word.len() >= LEAST_JOINED && quoted_lower.contains(word));
    kept.push_str(if is_withheld { "…" } else { quoted });
    kept
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_of_values_is_left_out() {
        let values = vec![
            Some("What's my claim's status?".to_owned()),
            None,
            Some("BEN-000001".to_owned()),
        ];
        for (text, kept) in [
            ("", ""),
            ("no such table: claims", "no such table: claims"),
            ("malformed JSON", "malformed JSON"),
            ("bad JSON path: 'What''s my claim''s'", "bad JSON path: …"),
            ("bad JSON path: 'xbEN-000001x'", "bad JSON path: …"),
            ("near \"FROM\": syntax error", "near \"FROM\": syntax error"),
            ("no row of BEN-000001", "no row of …-…"),
            ("STATUS", "…"),
            ("é status é", "é … é"),
            ("statuses", "statuses"),
        ] {
            assert_eq!(redacted(text, &values), kept, "{text}");
        }
    }
}
