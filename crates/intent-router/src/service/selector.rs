//! What an invalidation removes, and how it is found in the stores.

use std::sync::Arc;

use cache_core::{Classes, Predicate, TtlClass};
use cache_keys::{CanonicalJson, Digest};
use serde::{Deserialize, Serialize};

use crate::identity::{ByDigest, EntryKey};
use crate::pattern::Pattern;
use crate::tags;
use crate::weight::StoredAnswer;

/// What an invalidation removes.
///
/// Serialised, it is what a log of invalidations keeps, so the names of its
/// variants and members stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Selector {
    /// Answers stored under this digest, and the answer whose original message
    /// hashes to it when the key mode substitutes other text. Another wording
    /// that shares such an answer does not name it.
    Key(#[serde(with = "as_text")] Digest),
    /// Everything of one user, in every role. A source gets the identifier as
    /// text, so `42` and `"42"` are one user here.
    User(CanonicalJson),
    /// Every answer of one intent.
    Intent(String),
    /// Everything of the users in one role.
    Role(CanonicalJson),
    /// Every entry of one TTL class.
    Class(String),
    /// Every answer made of one record, such as `claim:CLM-2025-000123`, or of a
    /// collection that it may belong to: the records of its kind, of any member.
    Tag(String),
    /// Like `Tag`, for a record whose owner is known: reaches only this user's
    /// part of a collection, and collections that are read as a whole.
    TagOf {
        /// The record.
        record: String,
        /// Whose it is, or was before it changed.
        user: CanonicalJson,
    },
    /// Every answer and membership that depends on changed rows of one kind, whether
    /// or not it returns any: what a feed of changes invalidates.
    ///
    /// Unlike `Tag`, it names no record. It reaches what reads the kind as a whole
    /// or is of one of the users; without `users`, everything that reads the kind.
    /// Without a `kind`, it reaches what reads tables that the catalogue does not
    /// declare; without both, everything but detections.
    Records {
        /// The kind of the records, such as `payment`; `None` if the catalogue does
        /// not declare their table.
        kind: Option<String>,
        /// Whose rows they are and were, as text; `None` if that is not known.
        users: Option<Vec<String>>,
    },
    /// Every answer whose key or readable scope `intent/user/role` matches.
    Pattern(#[serde(with = "as_text")] Pattern),
    /// Everything.
    All,
}

/// Serialises a value as the text that it is read from.
mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &impl Display, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A list of selectors, sorted by how their entries are found.
#[derive(Default)]
pub(super) struct Reach {
    pub(super) digests: Vec<ByDigest>,
    /// Tags that only answers have.
    pub(super) answer_tags: Vec<String>,
    /// Tags that answers and memberships have.
    pub(super) shared_tags: Vec<String>,
    pub(super) classes: Vec<TtlClass>,
    pub(super) predicates: Vec<Predicate<EntryKey, StoredAnswer>>,
    /// Whether everything that a source of records made is reached.
    pub(super) all_records: bool,
    pub(super) all: bool,
}

impl Reach {
    pub(super) fn of(selectors: &[Selector], classes: &Classes) -> Self {
        let mut reach = Self::default();
        for selector in selectors {
            reach.add(selector, classes);
        }
        reach
    }

    fn add(&mut self, selector: &Selector, classes: &Classes) {
        match selector {
            Selector::Key(digest) => {
                self.digests.push(ByDigest(*digest));
                self.answer_tags.push(tags::key(*digest));
            }
            Selector::Intent(name) => self.answer_tags.push(tags::intent(name)),
            Selector::User(id) => self.shared_tags.push(tags::user(&id.text())),
            Selector::Role(role) => self.shared_tags.push(tags::role(role.as_str())),
            Selector::Tag(record) => self.shared_tags.extend(tags::reached_by(record, None)),
            Selector::TagOf { record, user } => {
                let reached = tags::reached_by(record, Some(&user.text()));
                self.shared_tags.extend(reached);
            }
            Selector::Records {
                kind: None,
                users: None,
            } => self.all_records = true,
            Selector::Records { kind, users } => {
                let reached = tags::reached_by_rows(kind.as_deref(), users.as_deref());
                self.shared_tags.extend(reached);
            }
            Selector::Class(name) => self.classes.extend(classes.get(name)),
            Selector::Pattern(pattern) => {
                let pattern = pattern.clone();
                self.predicates
                    .push(Arc::new(move |key: &EntryKey, stored: &StoredAnswer| {
                        pattern.matches(&key.digest().to_string())
                            || pattern.matches(&stored.answer.scope())
                    }));
            }
            Selector::All => {
                self.all_records = true;
                self.all = true;
            }
        }
    }
}
