//! The word lists for references to people and messages.

use crate::phrases::Phrases;

/// The word lists that recognise messages about another person, and messages that
/// continue a previous one.
///
/// Each entry is a word or a phrase of whole words. The default lists are
/// English; the catalogue's `[references]` replaces any of them.
/// `docs/catalogue.md` describes each list.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct References {
    /// Patterns of members' identifiers, such as `BEN-######`, in the syntax of
    /// slot patterns. None by default.
    pub identifiers: Vec<String>,
    /// Words before a member's number, such as "member" in "member 2".
    pub members: Vec<String>,
    /// Other people, such as "wife" and "colleague".
    pub relations: Vec<String>,
    /// Other people who act on the asker's behalf, such as "manager".
    pub superiors: Vec<String>,
    /// Words between a record and its owner, such as "of".
    pub owners: Vec<String>,
    /// Possessive pronouns of other people, such as "his".
    pub possessives: Vec<String>,
    /// Pronouns of other people, such as "she".
    pub absent: Vec<String>,
    /// Words for the asker, such as "my".
    pub own: Vec<String>,
    /// Requests that mention the asker without being about their records, such as
    /// "show me".
    pub requests: Vec<String>,
    /// Words that make a question about a relation the asker's own, such as
    /// "late" in "my late husband's pension".
    pub bereaved: Vec<String>,
    /// Words that begin a message that continues another, such as "and".
    pub openers: Vec<String>,
    /// Pronouns that refer to a previous message, such as "it".
    pub pronouns: Vec<String>,
}

/// A word for another person.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Relation {
    /// Whether the word is a possessive, such as "wife's".
    pub(crate) is_possessive: bool,
    /// Whether the person acts on the asker's behalf.
    pub(crate) is_superior: bool,
}

/// The lists, indexed for look-up in a text in normal form.
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
            // Words in normal form have no apostrophes.
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
