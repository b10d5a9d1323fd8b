//! The word lists that tell whom and what a message refers to.

use once_cell::sync::Lazy;

use super::parse;
use crate::phrases::Phrases;

/// By which words a message is about another person, or leaves out what a
/// message before it said.
///
/// Every list has whole words, or phrases of several. The default ones are
/// English; the catalogue's `[references]` replaces any of them.
/// `docs/catalogue.md` tells what each is for.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct References {
    /// The forms of members' identifiers, such as `BEN-######`, written as the
    /// patterns of slots. None by default.
    pub identifiers: Vec<String>,
    /// Other people, such as "wife" and "colleague".
    pub relations: Vec<String>,
    /// What stands between a record and whose it is, such as "of".
    pub owners: Vec<String>,
    /// Words for what is somebody else's, such as "his".
    pub possessives: Vec<String>,
    /// Words by which a question that names a relation is the asker's own
    /// after all, such as "late" in "my late husband's pension".
    pub bereaved: Vec<String>,
    /// What a message begins with that goes on from another, such as "and".
    pub openers: Vec<String>,
    /// Words that stand for what was said before, such as "it".
    pub pronouns: Vec<String>,
}

impl References {
    /// The English lists.
    pub(super) fn english() -> &'static Self {
        static ENGLISH: Lazy<References> = Lazy::new(|| {
            // The text is part of the program, and every test of a catalogue
            // parses it.
            let lists = parse::english(include_str!("english.toml"));
            lists.expect("the built-in word lists are valid").1
        });
        &ENGLISH
    }
}

/// The lists as they are looked for in a text in normal form.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ReferenceWords {
    /// With whether the phrase is a possessive, as "wife's" is.
    pub(crate) relations: Phrases<bool>,
    pub(crate) owners: Phrases<()>,
    pub(crate) possessives: Phrases<()>,
    pub(crate) bereaved: Phrases<()>,
    pub(crate) openers: Phrases<()>,
    pub(crate) pronouns: Phrases<()>,
}

impl ReferenceWords {
    pub(super) fn new(references: &References) -> Self {
        let mut words = Self {
            owners: phrases(&references.owners),
            possessives: phrases(&references.possessives),
            bereaved: phrases(&references.bereaved),
            openers: phrases(&references.openers),
            pronouns: phrases(&references.pronouns),
            relations: Phrases::default(),
        };
        for relation in &references.relations {
            words.relations.entry(relation);
        }
        for relation in &references.relations {
            // An apostrophe is no part of a word in normal form.
            if let Some(is_possessive) = words.relations.entry(&format!("{relation}s")) {
                *is_possessive = true;
            }
        }
        words
    }
}

fn phrases(list: &[String]) -> Phrases<()> {
    let mut phrases = Phrases::default();
    for phrase in list {
        phrases.entry(phrase);
    }
    phrases
}
