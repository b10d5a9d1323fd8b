//! Guards: whether a message may say more than its slots.
//!
//! In the key mode `slots`, the slots of a message replace it in the key. That is
//! safe only if every other word of the message is known not to change what is
//! asked. So guards apply not only to words that change the meaning, but to
//! every unknown word.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::pattern::is_dash;
use crate::catalogue::{Catalogue, Intent, Lexicon, Role, Word};
use crate::text::{Token, is_apostrophe, is_closing, tokens};

/// Why a message is not replaced by its slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Guard {
    /// Its intent was detected with less confidence than the catalogue requires.
    LowConfidence,
    /// It has more than [`Guard::MAX_WORDS`] words, counting a slot's value as
    /// one; or more than three times as many in all; or it is too long to be
    /// folded.
    Length,
    /// It names several values of one slot, and not as a list of records.
    SeveralValues,
    /// It holds a negation that no slot took.
    Negation,
    /// It holds a number or an identifier that no slot took.
    Number,
    /// It names a time that no slot took.
    Time,
    /// It compares, or has a preposition of direction before a slot's value.
    Comparison,
    /// It joins a slot's value with something of another kind.
    Conjunction,
    /// It holds one of two opposite words that no slot took.
    Polarity,
    /// Part of it is about another intent.
    SecondIntent,
    /// It holds a word or a sign that the intent does not know.
    UnknownWord,
}

impl Guard {
    /// The most words of a message that its slots can replace. Questions have
    /// fewer; the bound limits the work.
    pub const MAX_WORDS: usize = 200;

    /// Every guard.
    pub const ALL: [Self; 11] = [
        Self::LowConfidence,
        Self::Length,
        Self::SeveralValues,
        Self::Negation,
        Self::Number,
        Self::Time,
        Self::Comparison,
        Self::Conjunction,
        Self::Polarity,
        Self::SecondIntent,
        Self::UnknownWord,
    ];

    /// Its name, such as `second_intent`.
    pub fn name(self) -> &'static str {
        match self {
            Self::LowConfidence => "low_confidence",
            Self::Length => "length",
            Self::SeveralValues => "several_values",
            Self::Negation => "negation",
            Self::Number => "number",
            Self::Time => "time",
            Self::Comparison => "comparison",
            Self::Conjunction => "conjunction",
            Self::Polarity => "polarity",
            Self::SecondIntent => "second_intent",
            Self::UnknownWord => "unknown_word",
        }
    }
}

/// A part of the text that a slot took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cover {
    pub(super) place: Range<usize>,
    /// The number of the slot among those of the intent.
    pub(super) slot: usize,
    /// Whether it consists of words, which are also evidence for intents; an
    /// identifier or a date does not.
    pub(super) is_words: bool,
}

/// The first guard that forbids replacing a text in normal form by what
/// its slots took. `covers` are sorted by where they start.
///
/// Costs a pass over the text, and for each of the first [`Guard::MAX_WORDS`]
/// words a comparison with the phrases that begin with it.
pub(super) fn check(
    catalogue: &Catalogue,
    intent: &Intent,
    text: &str,
    covers: &[Cover],
) -> Option<Guard> {
    let message = match Message::read(text, covers) {
        Ok(message) => message,
        Err(guard) => return Some(guard),
    };
    let judge = Judge {
        lexicon: catalogue.lexicon(),
        own: catalogue.lexicon().number(&intent.name),
        message: &message,
    };
    let clauses = match judge.words() {
        Ok(clauses) => clauses,
        Err(guard) => return Some(guard),
    };
    judge.evidence(&clauses, intent.yields).err()
}

/// The words of a message, including those that slots took.
#[derive(Default)]
struct Message<'t> {
    /// An identifier, a date or an amount is one token without a word.
    tokens: Vec<Token<'t>>,
    /// For each token, the slot that took it.
    taken: Vec<Option<usize>>,
    /// For each token, whether punctuation precedes it.
    breaks: Vec<bool>,
}

impl<'t> Message<'t> {
    /// Reads a text, up to the first sign or word to which a guard applies
    /// whatever the catalogue says.
    fn read(text: &'t str, covers: &[Cover]) -> Result<Self, Guard> {
        let mut message = Self::default();
        let mut at = 0;
        // Two slots may take the same words.
        for cover in covers {
            let (start, end) = (cover.place.start.max(at), cover.place.end);
            if start >= end {
                continue;
            }
            let ends_clause = message.rest(text, at..start)?;
            message.taken(text, start..end, cover, ends_clause)?;
            at = end;
        }
        message.rest(text, at..text.len())?;
        Ok(message)
    }

    /// Adds the words of a slot's value.
    fn taken(
        &mut self,
        text: &'t str,
        place: Range<usize>,
        cover: &Cover,
        mut breaks: bool,
    ) -> Result<(), Guard> {
        let slot = Some(cover.slot);
        if !cover.is_words {
            let word = Cow::Borrowed("");
            return self.push(Token { word, place }, slot, breaks);
        }
        for token in tokens(&text[place]) {
            self.push(token, slot, std::mem::take(&mut breaks))?;
        }
        Ok(())
    }

    /// Adds the words that no slot took; returns whether punctuation follows the
    /// last.
    fn rest(&mut self, text: &'t str, place: Range<usize>) -> Result<bool, Guard> {
        let (starts, ends) = (place.start == 0, place.end == text.len());
        let text = &text[place];
        let (mut at, mut breaks) = (0, false);
        for token in tokens(text) {
            breaks |= is_break(&text[at..token.place.start], starts && at == 0, false)?;
            at = token.place.end;
            if token.word.contains(char::is_numeric) {
                return Err(Guard::Number);
            }
            self.push(token, None, std::mem::take(&mut breaks))?;
        }
        Ok(breaks | is_break(&text[at..], starts && at == 0, ends)?)
    }

    fn push(&mut self, token: Token<'t>, taken: Option<usize>, breaks: bool) -> Result<(), Guard> {
        if self.tokens.len() >= Guard::MAX_WORDS {
            return Err(Guard::Length);
        }
        self.tokens.push(token);
        self.taken.push(taken);
        self.breaks.push(breaks);
        Ok(())
    }

    /// Whether the conjunction of `length` words at `at` joins two values of one
    /// slot. Also true if it begins the message or no slot took anything.
    fn is_list(&self, at: usize, length: usize) -> bool {
        let after = self.taken.get(at + length).copied().flatten();
        let before = at.checked_sub(1).and_then(|before| self.taken[before]);
        at == 0 || self.taken.iter().all(Option::is_none) || before.is_some() && before == after
    }

    /// Whether the `length` words from `at` on are one run, with no part taken by
    /// a slot.
    fn is_free(&self, at: usize, length: usize) -> bool {
        self.taken[at..at + length].iter().all(Option::is_none)
            && !self.breaks[at + 1..at + length].contains(&true)
    }
}

/// Whether the signs between two words separate clauses. Returns
/// [`Guard::UnknownWord`] for a sign that is not punctuation, a dash that is not
/// between two words or clauses ("-2025", "2025 -"), two dots, and an exclamation
/// mark before a word ("!x").
///
/// `starts` is true if no word is before the signs, `ends` if none is after them.
fn is_break(signs: &str, starts: bool, ends: bool) -> Result<bool, Guard> {
    /// Stands for a word next to the signs; `NONE` for no word.
    const WORD: char = 'w';
    const NONE: char = '\0';
    let mut breaks = false;
    let mut before = if starts { NONE } else { WORD };
    let mut signs = signs.chars().peekable();
    while let Some(c) = signs.next() {
        // "Status -- claim"
        while is_dash(c) && signs.next_if(|next| is_dash(*next)).is_some() {}
        let at_end = if ends { NONE } else { WORD };
        let after = signs.peek().copied().unwrap_or(at_end);
        if is_dash(c) {
            // "at - what", and "x-ray", which is one word.
            match (before, after) {
                (' ', ' ') => breaks = true,
                (WORD, WORD) => {}
                _ => return Err(Guard::UnknownWord),
            }
        } else if c == '.' && after == '.' || c == '!' && after == WORD {
            return Err(Guard::UnknownWord);
        } else if is_closing(c) && c != ' ' || matches!(c, '/' | '⁄' | '(' | ')' | '[' | ']' | '—')
        {
            breaks = true;
        } else if !(c == ' ' || is_apostrophe(c) || is_quiet(c)) {
            return Err(Guard::UnknownWord);
        }
        before = c;
    }
    Ok(breaks)
}

/// Whether a sign is ignored: quotation marks, and the `#` before a number.
fn is_quiet(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '«' | '»' | '‘' | '‚' | '#')
}

struct Judge<'a, 't> {
    lexicon: &'a Lexicon,
    /// The intent's number; `None` for an intent of another catalogue, which has
    /// no vocabulary.
    own: Option<u32>,
    message: &'a Message<'t>,
}

impl Judge<'_, '_> {
    /// Checks each word that no slot took. Returns the clause of each word, and
    /// which clauses have words of the intent.
    fn words(&self) -> Result<Clauses, Guard> {
        let message = self.message;
        let mut clauses = Clauses::default();
        // The ends of the longest phrases read so far.
        let (mut roles_to, mut known_to) = (0, 0);
        // Whether a direction applies to the next slot's value.
        let mut directed = false;
        for at in 0..message.tokens.len() {
            clauses.push(message.breaks[at]);
            directed &= !message.breaks[at];
            if let Some(slot) = message.taken[at] {
                if directed && message.tokens[at].word.is_empty() {
                    return Err(Guard::Comparison);
                }
                // "CLM-2025-000001, PAY-00000002" is a list of two kinds.
                let before = at.checked_sub(1).and_then(|before| message.taken[before]);
                if message.breaks[at] && before.is_some_and(|other| other != slot) {
                    return Err(Guard::Conjunction);
                }
                // "Past 25 March" is after it.
                if message.tokens[at].word.is_empty() && before.is_some() && self.compares(at - 1) {
                    return Err(Guard::Comparison);
                }
                continue;
            }
            let rest = &message.tokens[at..];
            let found = self.lexicon.phrases.at(rest);
            let found: Vec<_> = found.filter(|(n, _)| message.is_free(at, *n)).collect();
            let knows = |word: &Word| self.own.is_some_and(|own| word.known_to.contains(&own));
            if let Some((length, _)) = found.iter().find(|(_, word)| knows(word)) {
                known_to = known_to.max(at + length);
            }
            if at >= roles_to {
                let is_time = found
                    .iter()
                    .any(|(n, word)| *n == 1 && word.role == Some(Role::Time));
                // "May I" is a request where a clause begins with it, and may
                // be a month anywhere else.
                let anchored = !is_time || at == 0 || message.breaks[at];
                let role = found.iter().find_map(|(length, word)| {
                    let role = word
                        .role
                        .filter(|role| anchored || *length == 1 || *role != Role::Neutral);
                    Some((*length, role?))
                });
                if let Some((length, role)) = role {
                    roles_to = at + length;
                    match role {
                        Role::Negation => return Err(Guard::Negation),
                        Role::Number => return Err(Guard::Number),
                        Role::Time => return Err(Guard::Time),
                        Role::Comparison => return Err(Guard::Comparison),
                        Role::Opposite => return Err(Guard::Polarity),
                        // "Into my account" is the direction of nothing else.
                        Role::Direction => directed = known_to <= at + 1,
                        Role::Conjunction => {
                            if !message.is_list(at, length) {
                                return Err(Guard::Conjunction);
                            }
                            directed = false;
                            clauses.end();
                        }
                        Role::Neutral => directed = false,
                        Role::Article => {}
                    }
                }
            }
            if at < roles_to {
                continue;
            }
            if at >= known_to {
                return Err(Guard::UnknownWord);
            }
            clauses.has_content();
        }
        Ok(clauses)
    }

    /// Whether the word there compares, even if a slot took it.
    fn compares(&self, at: usize) -> bool {
        let mut words = self.lexicon.phrases.at(&self.message.tokens[at..=at]);
        words.any(|(_, word)| word.role == Some(Role::Comparison))
    }

    /// Compares the evidence for other intents with the evidence for this one, in
    /// each clause and in the whole message.
    fn evidence(&self, clauses: &Clauses, yields: bool) -> Result<(), Guard> {
        let mut all = Evidence::default();
        let mut of_clauses: Vec<_> = clauses
            .content
            .iter()
            .map(|_| Evidence::default())
            .collect();
        let mut seen = BTreeSet::new();
        let mut end = 0;
        for at in 0..self.message.tokens.len() {
            let mut found = self.lexicon.phrases.at(&self.message.tokens[at..]);
            let Some((length, word)) = found.find(|(_, word)| !word.speaks.is_empty()) else {
                continue;
            };
            // A phrase inside a longer one does not count.
            if at + length <= end {
                continue;
            }
            end = at + length;
            let is_new = seen.insert(std::ptr::from_ref(word));
            for (intent, weight) in &word.speaks {
                // A phrase of this intent is not evidence for another.
                let is_own = Some(*intent) == self.own;
                let shared = word
                    .speaks
                    .iter()
                    .any(|(intent, _)| Some(*intent) == self.own);
                let counts = is_own || !shared && (yields || !self.lexicon.yields(*intent));
                if counts {
                    let key = (!is_own).then_some(*intent);
                    of_clauses[clauses.of[at]].add(key, *weight);
                    if is_new {
                        all.add(key, *weight);
                    }
                }
            }
        }
        let with_content: Vec<_> = of_clauses
            .iter()
            .zip(&clauses.content)
            .filter_map(|(evidence, content)| content.then_some(evidence))
            .collect();
        let strays = |evidence: &&Evidence| evidence.other() > evidence.own;
        let is_lost = |evidence: &&Evidence| evidence.own <= 0.0;
        let second = of_clauses.iter().any(|evidence| strays(&evidence))
            || with_content.len() > 1 && with_content.iter().any(is_lost)
            || all.other() > 0.0 && all.other() >= all.own * 2.0 / 3.0;
        if second {
            Err(Guard::SecondIntent)
        } else {
            Ok(())
        }
    }
}

/// The clauses of a message, separated by punctuation and conjunctions.
#[derive(Default)]
struct Clauses {
    /// For each word, the number of its clause.
    of: Vec<usize>,
    /// For each clause, whether it has words of the intent that no slot took.
    content: Vec<bool>,
    ended: bool,
}

impl Clauses {
    /// Adds a word, to a new clause if `breaks` or if the previous clause has ended.
    fn push(&mut self, breaks: bool) {
        if breaks || self.ended || self.content.is_empty() {
            self.content.push(false);
        }
        self.ended = false;
        self.of.push(self.content.len() - 1);
    }

    /// Ends the clause with the last word.
    fn end(&mut self) {
        self.ended = true;
    }

    fn has_content(&mut self) {
        if let Some(content) = self.content.last_mut() {
            *content = true;
        }
    }
}

/// The weights of the phrases in a clause.
#[derive(Default)]
struct Evidence {
    own: f64,
    others: BTreeMap<u32, f64>,
}

impl Evidence {
    /// Adds a phrase of the intent itself, or of another one.
    fn add(&mut self, other: Option<u32>, weight: f64) {
        match other {
            None => self.own += weight,
            Some(intent) => *self.others.entry(intent).or_default() += weight,
        }
    }

    /// The largest weight for any one other intent.
    fn other(&self) -> f64 {
        self.others.values().copied().fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests;
