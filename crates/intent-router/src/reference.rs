//! References of a message to other people and to previous messages.

mod identifier;
mod person;

use std::ops::Range;

use crate::catalogue::{Catalogue, Intent, Lexicon, Role, SlotSpec};
use crate::slots::pattern;
use crate::text::{Token, is_apostrophe, tokens};

/// Finds the references among the words of a message.
pub(crate) struct MessageReferences<'a> {
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
    /// It has none, and begins with an opener such as "and" or has a pronoun such
    /// as "it".
    Sequel,
    /// It is a sequel that names a record.
    SequelOfRecord,
}

impl<'a> MessageReferences<'a> {
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

    /// Whether a word may name another person: a word of the lists, or a possible
    /// possessive of a name. Most messages have no such word.
    fn may_name_another(&self, at: usize) -> bool {
        let words = &self.lexicon().references;
        let (token, rest) = (&self.tokens[at], &self.tokens[at..]);
        words.relations.at(rest).next().is_some()
            || words.absent.longest_at(rest).is_some()
            || words.possessives.longest_at(rest).is_some()
            || token.word.len() < token.place.len()
    }

    /// Whether a phrase of an intent about personal records begins at this word.
    fn is_record(&self, at: usize) -> bool {
        let lexicon = self.lexicon();
        let mut known = lexicon.phrases.at(&self.tokens[at..]);
        known.any(|(_, word)| lexicon.is_of_records(word))
    }

    /// Whether the word exists and has only spaces and apostrophes before it.
    fn follows(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map_or(0, |at| self.tokens[at].place.end);
        let next = self.tokens.get(at);
        next.is_some_and(|next| {
            let gap = &self.text[before..next.place.start];
            gap.chars().all(|c| c == ' ' || is_apostrophe(c))
        })
    }

    /// Whether the word is the possessive of a name: a word that is in no intent
    /// and no list, and does not follow an article.
    fn is_name(&self, at: usize) -> bool {
        let token = &self.tokens[at];
        let written = &self.text[token.place.clone()];
        let stem = written
            .strip_suffix('s')
            .and_then(|stem| stem.strip_suffix(is_apostrophe));
        let Some(stem) = stem.filter(|stem| stem.chars().all(char::is_alphabetic)) else {
            return false;
        };
        let phrases = &self.lexicon().phrases;
        let is_known = tokens(stem)
            .any(|stem| phrases.at(std::slice::from_ref(&stem)).next().is_some())
            || phrases.at(std::slice::from_ref(token)).next().is_some();
        let is_article = |before: usize| {
            let mut known = phrases.at(&self.tokens[before..=before]);
            known.any(|(_, word)| word.role == Some(Role::Article))
        };
        !is_known && !at.checked_sub(1).is_some_and(is_article)
    }

    /// Whether the message says what it is about.
    pub(crate) fn standing(&self) -> Standing {
        let lexicon = self.lexicon();
        let words = &lexicon.references;
        let records = self.records();
        let mut is_sequel = words.openers.longest_at(&self.tokens).is_some();
        let mut at = 0;
        while at < self.tokens.len() {
            let rest = &self.tokens[at..];
            let pronoun = words.pronouns.longest_at(rest);
            is_sequel |= pronoun.is_some();
            let role = lexicon
                .phrases
                .at(rest)
                .find(|(_, word)| word.role.is_some());
            let role = role.map(|(length, _)| length);
            let opener = words.openers.longest_at(rest).filter(|_| at == 0);
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

    /// Whether the message needs no context, or has a phrase of this intent.
    pub(crate) fn speak_for(&self, intent: &Intent) -> bool {
        let lexicon = self.lexicon();
        let own = lexicon.number(&intent.name);
        let speaks = |at: usize| {
            let mut known = lexicon.phrases.at(&self.tokens[at..]);
            known.any(|(_, word)| word.speaks.iter().any(|(number, _)| Some(*number) == own))
        };
        self.standing() == Standing::Alone || (0..self.tokens.len()).any(speaks)
    }

    /// The byte ranges of the identifiers of records.
    fn records(&self) -> Vec<Range<usize>> {
        let patterns = self.catalogue.slots().filter_map(|(_, slot)| match slot {
            SlotSpec::Pattern { pattern } => Some(pattern),
            _ => None,
        });
        let values = patterns.flat_map(|pattern| pattern::values(pattern, self.text));
        values.map(|(_, place)| place).collect()
    }
}

#[cfg(test)]
mod tests;
