//! An index of the words of a catalogue, for reading messages.

use std::collections::{BTreeMap, BTreeSet};

use super::guards::{Guards, Role};
use super::intent::{Intent, Kind, SlotSpec};
use super::references::{ReferenceWords, References};
use crate::phrases::Phrases;
use crate::slots::amount::Marks;
use crate::slots::enumeration::Synonyms;
use crate::text::{normalise, words};

/// A word or a phrase of the catalogue.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Word {
    /// Its role in the catalogue's word lists.
    pub(crate) role: Option<Role>,
    /// The numbers of the intents that have it in their vocabulary.
    pub(crate) known_to: BTreeSet<u32>,
    /// The intents that have it as a phrase, with its weights.
    pub(crate) speaks: Vec<(u32, f64)>,
}

/// The words of a catalogue, indexed for reading messages.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lexicon {
    /// The words and phrases of all intents and of the word lists.
    pub(crate) phrases: Phrases<Word>,
    numbers: BTreeMap<String, u32>,
    yielding: BTreeSet<u32>,
    synonyms: BTreeMap<String, Synonyms>,
    marks: BTreeMap<String, Marks>,
    /// The numbers of the intents whose answers are a person's own records.
    personal: BTreeSet<u32>,
    /// The words of references to people and messages.
    pub(crate) references: ReferenceWords,
    amounts: Marks,
}

/// The least number of an intent's examples that a word of its vocabulary occurs
/// in. A word of a single example may be specific to it, such as "back" in "the
/// claim for my back injury".
const EXAMPLES: usize = 2;

impl Lexicon {
    pub(super) fn new(
        intents: &[Intent],
        slots: &BTreeMap<String, SlotSpec>,
        guards: &Guards,
        references: &References,
    ) -> Self {
        let mut lexicon = Self {
            references: ReferenceWords::new(references),
            ..Self::default()
        };
        for (number, intent) in (0..).zip(intents) {
            lexicon.numbers.insert(intent.name.clone(), number);
            if intent.yields {
                lexicon.yielding.insert(number);
            }
            if intent.kind == Kind::LiveData {
                lexicon.personal.insert(number);
            }
            lexicon.vocabulary(number, intent);
        }
        for (role, list) in guards.lists() {
            for phrase in list {
                if let Some(word) = lexicon.phrases.entry(phrase) {
                    word.role = Some(word.role.map_or(role, |other| other.min(role)));
                }
            }
        }
        let amounts = guards
            .amounts
            .iter()
            .map(|mark| normalise(mark).into_owned());
        let amounts = amounts.map(|mark| (mark, String::new()));
        lexicon.amounts.marks.extend(amounts);
        for (name, spec) in slots {
            match spec {
                SlotSpec::Enum { values } => {
                    let synonyms = synonyms(values);
                    lexicon.synonyms.insert(name.clone(), synonyms);
                }
                SlotSpec::Amount {
                    currencies,
                    decimal,
                } => {
                    let marks = marks(currencies, *decimal);
                    lexicon.amounts.marks.extend(marks.marks.iter().cloned());
                    lexicon.marks.insert(name.clone(), marks);
                }
                SlotSpec::Pattern { .. } | SlotSpec::Date | SlotSpec::Period | SlotSpec::Range => {}
            }
        }
        lexicon
    }

    /// Adds the vocabulary of an intent: its phrases, and the words that its
    /// examples share.
    fn vocabulary(&mut self, number: u32, intent: &Intent) {
        for phrase in &intent.phrases {
            if let Some(word) = self.phrases.entry(&phrase.text) {
                word.speaks.push((number, phrase.weight));
                word.known_to.insert(number);
            }
        }
        for phrase in &intent.neutral {
            if let Some(word) = self.phrases.entry(phrase) {
                word.known_to.insert(number);
            }
        }
        let mut counts = BTreeMap::<String, usize>::new();
        for example in &intent.examples {
            let normal = normalise(example);
            let distinct: BTreeSet<_> = words(&normal).collect();
            for word in distinct {
                *counts.entry(word.into_owned()).or_default() += 1;
            }
        }
        for (word, _) in counts.iter().filter(|(_, count)| **count >= EXAMPLES) {
            if let Some(word) = self.phrases.entry(word) {
                word.known_to.insert(number);
            }
        }
    }

    /// The number of the intent of that name.
    pub(crate) fn number(&self, intent: &str) -> Option<u32> {
        self.numbers.get(intent).copied()
    }

    /// Whether this word is in the vocabulary of an intent about personal records
    /// and has no role in the word lists.
    pub(crate) fn is_of_records(&self, word: &Word) -> bool {
        word.role.is_none() && !word.known_to.is_disjoint(&self.personal)
    }

    /// Whether the intent of that number gives way to any other.
    pub(crate) fn yields(&self, number: u32) -> bool {
        self.yielding.contains(&number)
    }

    /// The words of an enumeration.
    pub(crate) fn synonyms(&self, slot: &str) -> Option<&Synonyms> {
        self.synonyms.get(slot)
    }

    /// The marks of an amount's currencies.
    pub(crate) fn marks(&self, slot: &str) -> Option<&Marks> {
        self.marks.get(slot)
    }

    /// The marks next to a number that is an amount of money, not a year.
    pub(crate) fn amounts(&self) -> &Marks {
        &self.amounts
    }
}

fn synonyms(values: &BTreeMap<String, Vec<String>>) -> Synonyms {
    let mut synonyms = Synonyms::default();
    for (value, phrases) in values {
        for phrase in phrases {
            if let Some(named) = synonyms.entry(phrase) {
                named.clone_from(value);
            }
        }
    }
    synonyms
}

fn marks(currencies: &BTreeMap<String, Vec<String>>, decimal: char) -> Marks {
    let mark = |code: &String, mark: &String| (normalise(mark).into_owned(), code.clone());
    let mut marks: Vec<_> = currencies
        .iter()
        .flat_map(|(code, marks)| marks.iter().map(move |text| mark(code, text)))
        .collect();
    marks.sort_by_key(|(mark, _)| std::cmp::Reverse(mark.len()));
    Marks { marks, decimal }
}
