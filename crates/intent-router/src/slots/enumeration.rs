//! Values of an enumeration, found by their words.

use super::taken::Taken;
use crate::phrases::Phrases;
use crate::text::Token;

/// The words of an enumeration, each with its value.
pub(crate) type Synonyms = Phrases<String>;

/// The values in a text with these words, from left to right. The longest phrase
/// that begins at a word is taken; matches do not overlap.
pub(super) fn find(synonyms: &Synonyms, tokens: &[Token<'_>]) -> Vec<Taken<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = tokens.get(at) {
        let Some((length, value)) = synonyms.at(&tokens[at..]).next() else {
            at += 1;
            continue;
        };
        let last = &tokens[at + length - 1];
        found.push(Taken {
            value: value.clone(),
            place: first.place.start..last.place.end,
        });
        at += length;
    }
    found
}
