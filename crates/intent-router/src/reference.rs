//! Whom and what a message refers to: another person, or another message.

use std::ops::Range;

use crate::catalogue::{Catalogue, Lexicon, SlotSpec};
use crate::phrases::Phrases;
use crate::slots::pattern;
use crate::text::{Token, tokens};

/// The words of a message, read for what they refer to.
pub(crate) struct References<'a> {
    catalogue: &'a Catalogue,
    text: &'a str,
    tokens: Vec<Token<'a>>,
}

/// Whether a message can be understood without the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has a word that says what it is about.
    Alone,
    /// It has none.
    Bare,
    /// It has none, and begins as a sequel does or has a pronoun in its place.
    Sequel,
    /// It is a sequel that names a record.
    SequelOfRecord,
}

impl<'a> References<'a> {
    /// Reads a text in normal form. Costs a pass over it.
    pub(crate) fn read(catalogue: &'a Catalogue, text: &'a str) -> Self {
        Self {
            catalogue,
            text,
            tokens: tokens(text).collect(),
        }
    }

    fn lexicon(&self) -> &'a Lexicon {
        self.catalogue.lexicon()
    }

    /// Whether the message names the identifier of a member other than `asker`.
    pub(crate) fn name_another(&self, asker: &str) -> bool {
        let patterns = &self.catalogue.references().identifiers;
        let mut named = patterns
            .iter()
            .flat_map(|pattern| pattern::values(pattern, self.text));
        named.any(|(value, _)| !value.eq_ignore_ascii_case(asker))
    }

    /// Whether the message asks for the records of a relative or colleague:
    /// "my wife's claim", "the claim of my wife", "my wife wants to know her
    /// claim status". `is_personal` tells whether it is known to be about
    /// somebody's records; if not, a word of such a question must say so.
    pub(crate) fn are_of_another(&self, is_personal: bool) -> bool {
        let words = &self.lexicon().references;
        let mut places = (0..self.tokens.len()).peekable();
        let mut found = false;
        while let Some(at) = places.next() {
            if has(&words.bereaved, &self.tokens[at..]).is_some() {
                return false;
            }
            let relations = words.relations.at(&self.tokens[at..]);
            let Some((length, is_possessive)) = relations.max_by_key(|(length, _)| *length) else {
                continue;
            };
            found |= self.is_owner(at, length, *is_possessive, is_personal);
            // What stands inside of a longer phrase is part of it.
            while places.next_if(|next| *next < at + length).is_some() {}
        }
        found
    }

    /// Whether the relation at this place is the one whose records are meant.
    fn is_owner(&self, at: usize, length: usize, is_possessive: bool, is_personal: bool) -> bool {
        let words = &self.lexicon().references;
        let after = at + length;
        // "my wife's last payments", "my wife claim"
        let reach = if is_possessive { 4 } else { 1 };
        if self.any_record(after..after + reach) {
            return true;
        }
        // "claims of my wife", "on behalf of my old colleague"
        let before = (at.saturating_sub(5)..at).find_map(|from| {
            let length = has(&words.owners, &self.tokens[from..at])?;
            (from + length + 2 >= at).then_some(())
        });
        if before.is_some() && (is_personal || self.any_record(0..self.tokens.len())) {
            return true;
        }
        // "my brother wants to know his claim status"
        (after..self.tokens.len()).any(|at| {
            let owned = has(&words.possessives, &self.tokens[at..]);
            owned.is_some_and(|length| self.any_record(at + length..at + length + 2))
        })
    }

    /// Whether a word at one of these places is one of questions about records.
    fn any_record(&self, places: Range<usize>) -> bool {
        let lexicon = self.lexicon();
        let places = places.start..places.end.min(self.tokens.len());
        places.into_iter().any(|at| {
            let mut known = lexicon.phrases.at(&self.tokens[at..]);
            known.any(|(_, word)| lexicon.is_of_records(word))
        })
    }

    /// Whether the message says what it is about.
    pub(crate) fn standing(&self) -> Standing {
        let lexicon = self.lexicon();
        let words = &lexicon.references;
        let records = self.records();
        let mut is_sequel = has(&words.openers, &self.tokens).is_some();
        let mut at = 0;
        while at < self.tokens.len() {
            let rest = &self.tokens[at..];
            let pronoun = has(&words.pronouns, rest);
            is_sequel |= pronoun.is_some();
            let role = lexicon
                .phrases
                .at(rest)
                .find(|(_, word)| word.role.is_some());
            let role = role.map(|(length, _)| length);
            let opener = has(&words.openers, rest).filter(|_| at == 0);
            let start = rest[0].place.start;
            let is_taken = records.iter().any(|place| place.contains(&start));
            let is_number = is_taken || rest[0].word.contains(char::is_numeric);
            let lengths = [role, pronoun, opener, is_number.then_some(1)];
            match lengths.into_iter().flatten().max() {
                Some(length) => at += length,
                None => return Standing::Alone,
            }
        }
        match (is_sequel, records.is_empty()) {
            _ if self.tokens.is_empty() => Standing::Alone,
            (false, _) => Standing::Bare,
            (true, true) => Standing::Sequel,
            (true, false) => Standing::SequelOfRecord,
        }
    }

    /// Where identifiers of records stand.
    fn records(&self) -> Vec<Range<usize>> {
        let patterns = self.catalogue.slots().filter_map(|(_, slot)| match slot {
            SlotSpec::Pattern { pattern } => Some(pattern),
            _ => None,
        });
        let values = patterns.flat_map(|pattern| pattern::values(pattern, self.text));
        values.map(|(_, place)| place).collect()
    }
}

/// The length of the longest of these phrases that the words begin with.
fn has(phrases: &Phrases<()>, tokens: &[Token<'_>]) -> Option<usize> {
    phrases.at(tokens).map(|(length, ())| length).max()
}

#[cfg(test)]
mod tests;
