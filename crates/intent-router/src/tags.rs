//! The tags of stored entries, through which invalidations reach them.
//!
//! Prefixes keep users, roles, intents, keys and records apart, whatever their
//! names.

use cache_keys::Digest;

use crate::principal::{Owner, Principal};
use crate::source::{Extent, Read};

/// The tags of every entry of a person.
fn person(who: &Principal) -> Vec<String> {
    vec![user(&who.id_text()), role(who.role().as_str())]
}

/// The tags of a membership entry.
pub(crate) fn of_member(who: &Principal, reads: &[Read]) -> Vec<String> {
    let mut tags = person(who);
    of_reads(reads, Some(who), &mut tags);
    tags
}

/// The tags of an answer. `reads` is what was read to find the records; `None`
/// means all records of their kinds.
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

/// Adds the tags by which an invalidation of records reaches the entries that
/// read them. An entry without a principal has no part of its own.
fn of_reads(reads: &[Read], who: Option<&Principal>, tags: &mut Vec<String>) {
    for Read { kind, extent } in reads {
        let kind = kind.as_deref().unwrap_or(UNKNOWN_KIND);
        match (extent, who) {
            (Extent::Whole, _) | (_, None) => tags.push(whole(kind)),
            (Extent::Named, Some(who)) => {
                let id = who.id_text();
                tags.push(record(&format!("{kind}:{id}")));
                tags.push(part(kind, &id));
                tags.push(any_named(kind));
            }
            (Extent::Part, Some(who)) => {
                tags.push(any_part(kind));
                tags.push(part(kind, &who.id_text()));
            }
        }
    }
}

/// The tags that an invalidation of a record reaches: a record of `user`, or of
/// any member if the user is not known.
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

/// The tags that a change of rows reaches: of rows of these users, or of any
/// rows. A kind that is not known is always read as a whole.
pub(crate) fn reached_by_rows(kind: Option<&str>, users: Option<&[String]>) -> Vec<String> {
    let mut tags = vec![whole(UNKNOWN_KIND)];
    if let Some(kind) = kind {
        tags.push(whole(kind));
        match users {
            Some(users) => tags.extend(users.iter().map(|user| part(kind, user))),
            None => tags.extend([any_part(kind), any_named(kind)]),
        }
    }
    tags
}

/// The kind of a record: `payment` of `payment:PAY-1`.
fn kind_of(record: &str) -> &str {
    record.split_once(':').map_or(record, |(kind, _)| kind)
}

/// Stands for a kind that the source does not name. No catalogue declares it.
const UNKNOWN_KIND: &str = "*";

/// The tag of answers that read all records of a kind.
fn whole(kind: &str) -> String {
    format!("whole={kind}")
}

/// The tag of answers that read one member's records of a kind.
fn part(kind: &str, user: &str) -> String {
    format!("part={kind}/{user}")
}

/// The tag of answers that read the records of a kind of any one member.
fn any_part(kind: &str) -> String {
    format!("parts={kind}")
}

/// The tag of answers that read the records of a kind that name their one member,
/// of any member. The tag of such a record does not reach it.
fn any_named(kind: &str) -> String {
    format!("named={kind}")
}

/// The tag of every entry of a user, by the identifier as text: `42` and `"42"`
/// are one user.
pub(crate) fn user(id_text: &str) -> String {
    format!("user={id_text}")
}

/// The tag of every entry of the users in a role.
pub(crate) fn role(canonical_role: &str) -> String {
    format!("role={canonical_role}")
}

/// The tag of every answer of an intent.
pub(crate) fn intent(name: &str) -> String {
    format!("intent={name}")
}

/// The tag of answers whose message has this key, if another text enters their
/// own key.
pub(crate) fn key(digest: Digest) -> String {
    format!("key={digest}")
}

/// The tag of every answer made of a record.
fn record(name: &str) -> String {
    format!("record={name}")
}
