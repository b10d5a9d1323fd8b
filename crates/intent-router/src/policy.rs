//! May the cache be used for a request, and which entry is it?

use std::borrow::Cow;

use cache_core::Reuse;
use cache_keys::Digest;

use crate::catalogue::{Intent, KeyMode, Kind};
use crate::principal::{Owner, Principal};
use crate::request::CacheUse;
use crate::response::Bypass;
use crate::slots::Reading;
use crate::source::{Extent, Read};
use crate::text::{self, Folded};

/// What the policy decided for a request whose intent is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The cache is not asked, and the answer not stored.
    Bypass(Bypass),
    /// The cache is asked for an entry of the question's [owner](crate::Owner).
    Use(Reuse),
}

/// Decides whether the cache may be used: the one home of that decision.
///
/// A live-data answer needs an identified owner; a knowledge-base answer is
/// everyone's. Nothing is cached while caching is off or when the request
/// forbids it.
pub fn decide(
    intent: &Intent,
    principal: Option<&Principal>,
    cache_use: CacheUse,
    caching_enabled: bool,
) -> Decision {
    if intent.kind == Kind::LiveData && principal.is_none() {
        return Decision::Bypass(Bypass::Unidentified);
    }
    match reuse(cache_use, caching_enabled) {
        Ok(reuse) => Decision::Use(reuse),
        Err(why) => Decision::Bypass(why),
    }
}

/// Whose the answer is: a person's own records, or what is the same for all.
/// Nobody's records are asked for where no principal is identified.
pub(crate) fn owner(intent: &Intent, principal: Option<&Principal>) -> Owner {
    match (intent.kind, principal) {
        (Kind::LiveData, Some(who)) => Owner::Person(who.clone()),
        (Kind::LiveData, None) | (Kind::KnowledgeBase, _) => Owner::Everyone,
    }
}

/// Which stored values a request accepts, whoever it is from; or why it may
/// neither take nor store any.
pub(crate) fn reuse(cache_use: CacheUse, caching_enabled: bool) -> Result<Reuse, Bypass> {
    match cache_use {
        _ if !caching_enabled => Err(Bypass::CachingOff),
        CacheUse::Forbidden => Err(Bypass::NoStore),
        CacheUse::Allowed(reuse) => Ok(reuse),
    }
}

/// The text whose hash enters the cache key, by the intent's key mode, from a
/// reading of the same message by the same intent.
///
/// In the key mode `normalised` a message whose folding would change a number,
/// such as `m²`, keeps its form, with a space before it: no normal form begins
/// with one, so it is not taken for another message's. So does a message that is
/// too long to be folded: over 64 KiB and not ASCII, or with a normal form of
/// more than twice its bytes and 1,024.
pub fn key_text<'a>(intent: &Intent, message: &'a str, reading: &Reading) -> Cow<'a, str> {
    let normal = match intent.key {
        KeyMode::Normalised => text::fold_message(message),
        KeyMode::Message | KeyMode::Slots => None,
    };
    key_text_of(intent, Folded { message, normal }, reading)
}

/// The [`key_text`] of a message that is folded already.
pub(crate) fn key_text_of<'a>(
    intent: &Intent,
    folded: Folded<'a>,
    reading: &Reading,
) -> Cow<'a, str> {
    let Folded { message, normal } = folded;
    match intent.key {
        KeyMode::Message => Cow::Borrowed(message),
        KeyMode::Normalised => normal
            .filter(|_| !text::folds_a_number(message))
            .unwrap_or_else(|| Cow::Owned(format!(" {message}"))),
        KeyMode::Slots => reading.key_text(message),
    }
}

/// The tags that everything of a person carries. The prefixes keep users,
/// roles, intents and records apart, whatever their names.
pub(crate) fn person_tags(who: &Principal) -> Vec<String> {
    vec![user_tag(&who.id_text()), role_tag(who.role().as_str())]
}

/// The tags by which a change of records reaches what was made by reading them.
/// An answer of nobody's has no part of its own.
pub(crate) fn read_tags(reads: &[Read], who: Option<&Principal>) -> Vec<String> {
    let mut tags = Vec::new();
    for Read { kind, extent } in reads {
        let kind = kind.as_deref().unwrap_or(UNKNOWN_KIND);
        match (extent, who) {
            (Extent::Whole, _) | (_, None) => tags.push(whole_tag(kind)),
            (Extent::Named, Some(who)) => {
                let id = who.id_text();
                tags.push(record_tag(&format!("{kind}:{id}")));
                tags.push(part_tag(kind, &id));
            }
            (Extent::Part, Some(who)) => {
                tags.push(any_part_tag(kind));
                tags.push(part_tag(kind, &who.id_text()));
            }
        }
    }
    tags
}

/// The tags that a change of a record reaches; of one of a member's records
/// where the caller says whose it is, or else of anybody's.
pub(crate) fn reached_by(record: &str, user: Option<&str>) -> Vec<String> {
    let kind = kind_of(record);
    vec![
        record_tag(record),
        match user {
            Some(user) => part_tag(kind, user),
            None => any_part_tag(kind),
        },
        whole_tag(kind),
        whole_tag(UNKNOWN_KIND),
    ]
}

/// The kind of a record: `payment` of `payment:PAY-1`.
fn kind_of(record: &str) -> &str {
    record.split_once(':').map_or(record, |(kind, _)| kind)
}

/// No kind that a catalogue declares.
const UNKNOWN_KIND: &str = "*";

/// Answers made of the records of a kind, whoever they belong to.
fn whole_tag(kind: &str) -> String {
    format!("whole={kind}")
}

/// Answers made of a member's part of the records of a kind.
fn part_tag(kind: &str, user: &str) -> String {
    format!("part={kind}/{user}")
}

/// Answers made of the part of any member.
fn any_part_tag(kind: &str) -> String {
    format!("parts={kind}")
}

/// All tags of an answer. `reads` says what was read to find the records; `None`
/// stands for all records of their kinds.
pub(crate) fn answer_tags(
    intent: &str,
    owner: &Owner,
    records: &[String],
    reads: Option<&[Read]>,
) -> Vec<String> {
    let (mut tags, who) = match owner {
        Owner::Person(who) => (person_tags(who), Some(who)),
        Owner::Everyone => (Vec::new(), None),
    };
    tags.push(intent_tag(intent));
    tags.extend(records.iter().map(|record| record_tag(record)));
    match reads {
        Some(reads) => tags.extend(read_tags(reads, who)),
        None => tags.extend(records.iter().map(|record| whole_tag(kind_of(record)))),
    }
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// By the identifier as a source is given it, to which `42` and `"42"` are one user.
pub(crate) fn user_tag(id_text: &str) -> String {
    format!("user={id_text}")
}

pub(crate) fn role_tag(canonical_role: &str) -> String {
    format!("role={canonical_role}")
}

pub(crate) fn intent_tag(intent: &str) -> String {
    format!("intent={intent}")
}

pub(crate) fn key_tag(digest: Digest) -> String {
    format!("key={digest}")
}

pub(crate) fn record_tag(record: &str) -> String {
    format!("record={record}")
}
