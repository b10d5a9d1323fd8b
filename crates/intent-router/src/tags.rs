//! The tags of stored entries, by which invalidations reach them.
//!
//! Prefixes keep users, roles, intents, keys and records apart, whatever their
//! names.

use cache_keys::Digest;

use crate::principal::{Owner, Principal};
use crate::source::{Extent, Read};

/// The tags that everything of a person carries.
fn person(who: &Principal) -> Vec<String> {
    vec![user(&who.id_text()), role(who.role().as_str())]
}

/// The tags of the entry that says whether there is such a member.
pub(crate) fn of_member(who: &Principal, reads: &[Read]) -> Vec<String> {
    let mut tags = person(who);
    of_reads(reads, Some(who), &mut tags);
    tags
}

/// The tags of an answer. `reads` says what was read to find the records; `None`
/// stands for all records of their kinds.
pub(crate) fn of_answer(
    intent_name: &str,
    owner: &Owner,
    records: &[String],
    reads: Option<&[Read]>,
) -> Vec<String> {
    let (mut tags, who) = match owner {
        Owner::Person(who) => (person(who), Some(who)),
        Owner::Everyone => (Vec::new(), None),
    };
    tags.push(intent(intent_name));
    tags.extend(records.iter().map(|name| record(name)));
    match reads {
        Some(reads) => of_reads(reads, who, &mut tags),
        None => tags.extend(records.iter().map(|record| whole(kind_of(record)))),
    }
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// Adds the tags by which a change of records reaches what was made by reading
/// them. An answer of nobody's has no part of its own.
fn of_reads(reads: &[Read], who: Option<&Principal>, tags: &mut Vec<String>) {
    for Read { kind, extent } in reads {
        let kind = kind.as_deref().unwrap_or(UNKNOWN_KIND);
        match (extent, who) {
            (Extent::Whole, _) | (_, None) => tags.push(whole(kind)),
            (Extent::Named, Some(who)) => {
                let id = who.id_text();
                tags.push(record(&format!("{kind}:{id}")));
                tags.push(part(kind, &id));
            }
            (Extent::Part, Some(who)) => {
                tags.push(any_part(kind));
                tags.push(part(kind, &who.id_text()));
            }
        }
    }
}

/// The tags that a change of a record reaches: of one of a user's records where
/// the user is known, else of anybody's.
pub(crate) fn reached_by(changed: &str, user: Option<&str>) -> [String; 4] {
    let kind = kind_of(changed);
    [
        record(changed),
        match user {
            Some(user) => part(kind, user),
            None => any_part(kind),
        },
        whole(kind),
        whole(UNKNOWN_KIND),
    ]
}

/// The kind of a record: `payment` of `payment:PAY-1`.
fn kind_of(record: &str) -> &str {
    record.split_once(':').map_or(record, |(kind, _)| kind)
}

/// Stands for a kind that the source does not name. No catalogue declares it.
const UNKNOWN_KIND: &str = "*";

/// Answers made of the records of a kind, of any member.
fn whole(kind: &str) -> String {
    format!("whole={kind}")
}

/// Answers made of a member's part of the records of a kind.
fn part(kind: &str, user: &str) -> String {
    format!("part={kind}/{user}")
}

/// Answers made of the part of any member.
fn any_part(kind: &str) -> String {
    format!("parts={kind}")
}

/// Everything of a user, by the identifier as a source is given it, to which `42`
/// and `"42"` are one user.
pub(crate) fn user(id_text: &str) -> String {
    format!("user={id_text}")
}

/// Everything of the users in a role.
pub(crate) fn role(canonical_role: &str) -> String {
    format!("role={canonical_role}")
}

/// Every answer of an intent.
pub(crate) fn intent(name: &str) -> String {
    format!("intent={name}")
}

/// The answers to a message with this key, where other text enters their own.
pub(crate) fn key(digest: Digest) -> String {
    format!("key={digest}")
}

/// Every answer made of a record.
fn record(name: &str) -> String {
    format!("record={name}")
}
