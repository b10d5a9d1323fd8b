//! Identifiers of members, in any spelling.

use std::ops::Range;

use super::MessageReferences;
use crate::phrases::Phrases;
use crate::slots::pattern;
use crate::text::Token;

/// The most signs between the letters and the digits of an identifier.
const MAX_GAP: usize = 3;

impl MessageReferences<'_> {
    /// Whether the message names the identifier of a member other than `asker`.
    ///
    /// An identifier is a match of a pattern; the letters of a pattern followed by a
    /// number in any spelling ("BEN_000002", "ben no. 2", "BEN-00O2"), even one that
    /// no member has; or a number after one of the words `members` ("member 2").
    /// Costs a pass over the text for each pattern.
    pub(crate) fn name_another(&self, asker: &str) -> bool {
        let (text, tokens) = (self.text, &*self.tokens);
        let members = &self.lexicon().references.members;
        let patterns = &self.catalogue.references().identifiers;
        let by_pattern = patterns.iter().any(|pattern| {
            let mut exact = pattern::values(pattern, text);
            exact.any(|(value, _)| !value.eq_ignore_ascii_case(asker))
                || named_by(letters(pattern), text, tokens).any(|name| !is_same(name, asker))
        });
        by_pattern || numbers_of(members, text, tokens).any(|number| !is_number_of(number, asker))
    }
}

/// The letters that a pattern begins with; empty if there are fewer than two, as
/// a single letter may precede any number.
fn letters(pattern: &str) -> &str {
    let end = pattern.find(|c: char| !c.is_ascii_alphabetic());
    let letters = &pattern[..end.unwrap_or(pattern.len())];
    if letters.len() > 1 { letters } else { "" }
}

/// The identifiers in the text that begin with these letters, each from its first
/// digit on.
fn named_by<'t>(
    letters: &str,
    text: &'t str,
    tokens: &[Token<'t>],
) -> impl Iterator<Item = &'t str> {
    let begins = move |token: &Token<'_>| {
        let word = &text[token.place.clone()];
        let head = word.get(..letters.len()).filter(|_| !letters.is_empty());
        head.is_some_and(|head| head.eq_ignore_ascii_case(letters))
    };
    let starts: Vec<_> = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| begins(token))
        .map(|(at, token)| (at, token.place.start + letters.len()))
        .collect();
    let ends: Vec<_> = starts
        .iter()
        .filter_map(|(at, end)| {
            let token = &tokens[*at];
            let next = if *end < token.place.end {
                // "BEN000002", but not "benefit"
                Some(*end)
            } else {
                number_after(text, tokens, *at)
            };
            let start = next.filter(|next| starts_with_digit(&text[*next..]))?;
            Some(run(text, start))
        })
        .collect();
    ends.into_iter().map(|place| &text[place])
}

/// The start of the number after a word, with or without "no." or "number"
/// between them.
fn number_after(text: &str, tokens: &[Token<'_>], at: usize) -> Option<usize> {
    const NUMBERS: [&str; 6] = ["no", "nr", "num", "number", "id", "nos"];
    let gap = |at: usize| {
        let (left, right) = (tokens.get(at)?, tokens.get(at + 1)?);
        let gap = &text[left.place.end..right.place.start];
        (gap.chars().count() <= MAX_GAP).then_some(right)
    };
    let mut next = gap(at)?;
    for at in at + 1..=at + 2 {
        if !NUMBERS.contains(&&*next.word) {
            break;
        }
        next = gap(at)?;
    }
    Some(next.place.start)
}

/// The run of letters and digits from `start` on, including signs that join
/// digits.
fn run(text: &str, start: usize) -> Range<usize> {
    let mut end = start;
    let mut rest = text[start..].char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let joins = !c.is_alphanumeric()
            && !c.is_whitespace()
            && rest.peek().is_some_and(|(_, next)| next.is_numeric());
        if !(c.is_alphanumeric() || joins) {
            break;
        }
        end = start + at + c.len_utf8();
    }
    start..end
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(char::is_numeric)
}

/// Whether the identifier has the same number part as the asker's.
fn is_same(name: &str, asker: &str) -> bool {
    let own = asker.find(char::is_numeric).map(|at| &asker[at..]);
    own.is_some_and(|own| own.eq_ignore_ascii_case(name))
}

/// The numbers after the words `members`.
fn numbers_of<'t>(
    members: &Phrases<()>,
    text: &'t str,
    tokens: &[Token<'t>],
) -> impl Iterator<Item = &'t str> {
    let found: Vec<_> = (0..tokens.len())
        .filter_map(|at| {
            let length = members.longest_at(&tokens[at..])?;
            let start = number_after(text, tokens, at + length - 1)?;
            starts_with_digit(&text[start..]).then(|| run(text, start))
        })
        .collect();
    found.into_iter().map(|place| &text[place])
}

/// Whether the asker's identifier ends in this number, ignoring leading zeros.
fn is_number_of(number: &str, asker: &str) -> bool {
    let digits = |text: &str| {
        let start = text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        text[start..].trim_start_matches('0').to_owned()
    };
    let own = digits(asker);
    number.chars().all(|c| c.is_ascii_digit()) && !own.is_empty() && own == digits(number)
}
