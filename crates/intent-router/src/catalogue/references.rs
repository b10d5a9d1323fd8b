//! The word lists that tell whom and what a message refers to.

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
    /// Words before a member's number, such as "member" in "member 2".
    pub members: Vec<String>,
    /// Other people, such as "wife" and "colleague".
    pub relations: Vec<String>,
    /// Those of them who act in the asker's matters, such as "manager".
    pub superiors: Vec<String>,
    /// What stands between a record and whose it is, such as "of".
    pub owners: Vec<String>,
    /// Words for what is somebody else's, such as "his".
    pub possessives: Vec<String>,
    /// Words for somebody who is neither asking nor asked, such as "she".
    pub absent: Vec<String>,
    /// Words for the asker, such as "my".
    pub own: Vec<String>,
    /// Requests that name the asker and say nothing of them, such as "show me".
    pub requests: Vec<String>,
    /// Words by which a question that names a relation is the asker's own
    /// after all, such as "late" in "my late husband's pension".
    pub bereaved: Vec<String>,
    /// What a message begins with that goes on from another, such as "and".
    pub openers: Vec<String>,
    /// Words that stand for what was said before, such as "it".
    pub pronouns: Vec<String>,
}

/// A word for another person.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Relation {
    /// Whether it says what is theirs, as "wife's" does.
    pub(crate) is_possessive: bool,
    /// Whether they act in the asker's matters.
    pub(crate) is_superior: bool,
}

/// The lists as they are looked for in a text in normal form.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ReferenceWords {
    pub(crate) members: Phrases<()>,
    pub(crate) relations: Phrases<Relation>,
    pub(crate) owners: Phrases<()>,
    pub(crate) possessives: Phrases<()>,
    pub(crate) absent: Phrases<()>,
    pub(crate) own: Phrases<()>,
    pub(crate) requests: Phrases<()>,
    pub(crate) bereaved: Phrases<()>,
    pub(crate) openers: Phrases<()>,
    pub(crate) pronouns: Phrases<()>,
}

impl ReferenceWords {
    pub(super) fn new(references: &References) -> Self {
        let mut words = Self {
            owners: phrases(&references.owners),
            members: phrases(&references.members),
            possessives: phrases(&references.possessives),
            absent: phrases(&references.absent),
            own: phrases(&references.own),
            requests: phrases(&references.requests),
            bereaved: phrases(&references.bereaved),
            openers: phrases(&references.openers),
            pronouns: phrases(&references.pronouns),
            relations: Phrases::default(),
        };
        let superiors = references.superiors.iter().map(|word| (word, true));
        let relations = references.relations.iter().map(|word| (word, false));
        let all: Vec<_> = relations.chain(superiors).collect();
        for (relation, is_superior) in &all {
            if let Some(entry) = words.relations.entry(relation) {
                entry.is_superior = *is_superior;
            }
        }
        for (relation, is_superior) in &all {
            // An apostrophe is no part of a word in normal form.
            if let Some(entry) = words.relations.entry(&format!("{relation}s")) {
                *entry = Relation {
                    is_possessive: true,
                    is_superior: *is_superior,
                };
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
