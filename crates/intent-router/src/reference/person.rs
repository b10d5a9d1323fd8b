//! Whether a message asks for the records of a person other than the asker.
//!
//! A relation ("my wife") is the owner if a record follows it ("my wife's claim")
//! or belongs to it ("the claim of my wife"), or if the message does not mention
//! the asker and names no record ("has my wife been paid"). Otherwise the
//! relation is only mentioned: "my wife lost my claim form".

use std::ops::Range;

use super::MessageReferences;
use crate::catalogue::{Relation, Role};

/// The most words between "of" and the relation that follows it: "of my old
/// colleague".
const MAX_BETWEEN: usize = 2;
/// The most words of a phrase of `owners`.
const MAX_OWNER: usize = 3;

/// A person that a message names.
struct Person {
    /// The words, including "my" before them.
    place: Range<usize>,
    relation: Relation,
}

/// The people that a message mentions.
struct Persons<'a> {
    references: &'a MessageReferences<'a>,
    people: Vec<Person>,
    /// For each word, whether it refers to the asker.
    own: Vec<bool>,
    /// For each word, whether it belongs to questions about records.
    records: Vec<bool>,
    /// One past the last possessive pronoun with a record ("his claim").
    owned_to: usize,
}

impl MessageReferences<'_> {
    /// Whether the message asks for the records of another person: "my wife's
    /// claim", "the claim of my wife", "has my wife been paid". `is_personal` is
    /// true if the message is known to be about a person's records; otherwise it
    /// must have a word of such questions. Costs a pass over its words.
    pub(crate) fn are_of_another(&self, is_personal: bool) -> bool {
        let words = &self.lexicon().references;
        let tokens = &self.tokens;
        let mut places = 0..tokens.len();
        if !places.clone().any(|at| self.may_name_another(at))
            || places.any(|at| words.bereaved.longest_at(&tokens[at..]).is_some())
        {
            return false;
        }
        let persons = Persons::read(self);
        // A message that names a record asks for that record, which is answered if it
        // is the asker's.
        let is_told = persons.own.contains(&true) || !self.records().is_empty();
        let is_about_records = is_personal || persons.records.contains(&true);
        persons.people.iter().any(|person| {
            persons.has_record(person)
                || is_about_records && persons.is_owner(person)
                || persons.owns_by_pronoun(person)
                || is_about_records && !is_told && persons.is_meant(person)
        }) || is_personal && !is_told && persons.is_someone_unnamed()
    }
}

impl<'a> Persons<'a> {
    fn read(references: &'a MessageReferences<'a>) -> Self {
        let words = &references.lexicon().references;
        let tokens = &references.tokens;
        let count = tokens.len();
        let records: Vec<_> = (0..count).map(|at| references.is_record(at)).collect();
        let mut own = vec![false; count];
        let mut people = Vec::new();
        // The ends of the longest phrases read so far.
        let (mut asked_to, mut named_to) = (0, 0);
        for at in 0..count {
            let rest = &tokens[at..];
            // "Show me" does not refer to the asker's records.
            if let Some(length) = words.requests.longest_at(rest) {
                asked_to = asked_to.max(at + length);
            }
            own[at] = at >= asked_to && words.own.longest_at(rest).is_some();
            // A word inside a longer phrase is part of it.
            if at < named_to {
                own[at] = false;
                continue;
            }
            let found = words.relations.at(rest).max_by_key(|(length, _)| *length);
            let Some((length, relation)) = found else {
                continue;
            };
            named_to = at + length;
            own[at] = false;
            // "My old neighbour"
            let mut start = at;
            let before = at.saturating_sub(MAX_BETWEEN)..at;
            let my = before.rev().find(|before| own[*before]);
            if let Some(my) = my.filter(|my| is_run(references, &records, my + 1..at)) {
                own[my] = false;
                start = my;
            }
            people.push(Person {
                place: start..named_to,
                relation: *relation,
            });
        }
        let mut persons = Self {
            references,
            people,
            own,
            records,
            owned_to: 0,
        };
        let owned = (0..count).rev().find(|at| persons.is_owned(*at, 2));
        persons.owned_to = owned.map_or(0, |at| at + 1);
        persons
    }

    fn is_run(&self, between: Range<usize>) -> bool {
        is_run(self.references, &self.records, between)
    }

    /// Whether a possessive ("his") is here, with a record among the next words.
    fn is_owned(&self, at: usize, reach: usize) -> bool {
        let words = &self.references.lexicon().references;
        let length = words.possessives.longest_at(&self.references.tokens[at..]);
        length.is_some_and(|length| self.has_record_after(at + length, reach))
    }

    /// Whether one of the next `reach` words belongs to questions about records,
    /// before any punctuation and any word for the asker.
    fn has_record_after(&self, at: usize, reach: usize) -> bool {
        let end = self.records.len().min(at + reach);
        (at..end)
            .take_while(|at| self.references.follows(*at) && !self.own[*at])
            .any(|at| self.records[at])
    }

    /// Whether a record follows the person's possessive: "my wife's last
    /// payments", but not "send my payment to my wife's account".
    fn has_record(&self, person: &Person) -> bool {
        let start = person.place.start;
        let is_goal = start > 0
            && self.references.tokens[start - 1].word == "to"
            && self.own[..start].contains(&true);
        person.relation.is_possessive && !is_goal && self.has_record_after(person.place.end, 4)
    }

    /// Whether a record belongs to the person: "claims of my wife", "on behalf of
    /// my mother", but not "my claim for my wife".
    fn is_owner(&self, person: &Person) -> bool {
        let words = &self.references.lexicon().references;
        let tokens = &self.references.tokens;
        let at = person.place.start;
        let from = at.saturating_sub(MAX_OWNER + MAX_BETWEEN)..at;
        let owner = from.into_iter().find(|from| {
            let length = words.owners.longest_at(&tokens[*from..at]);
            let end = length.map(|length| from + length);
            end.is_some_and(|end| end + MAX_BETWEEN >= at && self.is_run(end..at))
        });
        owner.is_some_and(|owner| !self.own[owner.saturating_sub(4)..owner].contains(&true))
    }

    /// Whether a possessive pronoun after the person has a record: "my brother
    /// wants to know his claim status".
    fn owns_by_pronoun(&self, person: &Person) -> bool {
        person.place.end < self.owned_to
    }

    /// Whether a message that mentions neither the asker nor a record is about
    /// this person: not if the person acts on the asker's behalf or is addressed.
    fn is_meant(&self, person: &Person) -> bool {
        !person.relation.is_superior && !self.is_addressed(person)
    }

    /// Whether the message addresses the person: "hi brother, is the claim
    /// approved".
    fn is_addressed(&self, person: &Person) -> bool {
        let references = self.references;
        let polite = |at: usize| {
            let mut known = references.lexicon().phrases.at(&references.tokens[at..]);
            known.any(|(_, word)| word.role == Some(Role::Neutral))
        };
        !references.follows(person.place.end) && (0..person.place.start).all(polite)
    }

    /// Whether the message is about a person without a relation: "has she been
    /// paid", "her claim", "Mary's claim".
    fn is_someone_unnamed(&self) -> bool {
        let words = &self.references.lexicon().references;
        (0..self.records.len()).any(|at| {
            words
                .absent
                .longest_at(&self.references.tokens[at..])
                .is_some()
                || self.is_owned(at, 1)
                || self.references.is_name(at) && self.has_record_after(at + 1, 2)
        })
    }
}

/// Whether these words contain no record, and no punctuation is among them or
/// directly before or after them.
fn is_run(references: &MessageReferences<'_>, records: &[bool], between: Range<usize>) -> bool {
    between.clone().all(|at| !records[at])
        && (between.start..=between.end).all(|at| references.follows(at))
}
