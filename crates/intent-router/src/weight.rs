//! What is stored weighs about as many bytes as it occupies on a 64-bit machine,
//! so that a bound in bytes bounds memory. The constants are what a counting
//! allocator told of entries with and without tags.

use std::sync::Arc;

use crate::principal::{Owner, Principal};
use crate::response::Answer;
use crate::source::{Found, Profile};

/// An entry without its texts and tags: key, answer, links, and the
/// room that tables keep to grow.
const ENTRY: usize = 320;

/// A tag without its name, and its link to the entry.
const TAG: usize = 96;

/// An answer with its weight, which only those know who know its tags.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) answer: Arc<Answer>,
    weight: u64,
}

impl Kept {
    pub(crate) fn new(answer: Arc<Answer>, tags: &[String]) -> Self {
        let owner = match answer.owner() {
            Owner::Everyone => 0,
            Owner::Person(who) => principal(who),
        };
        let texts = answer.json().len() + answer.intent().len() + owner;
        let weight = ENTRY + texts + all(tags);
        Self {
            answer,
            weight: weight as u64,
        }
    }
}

/// The weight of a stored answer.
pub(crate) fn answer<K>(_: &K, kept: &Kept) -> u64 {
    kept.weight
}

/// The weight of a stored profile.
pub(crate) fn profile(who: &Principal, profile: &Found<Option<Arc<Profile>>>) -> u64 {
    let texts = profile.value.as_ref().map_or(0, |profile| {
        profile.member_id.len() + profile.kind.len() + profile.display_name.len()
    });
    // Its tags are made of the same two texts, and those of what was read, which
    // is mostly one kind of records, of the identifier.
    (ENTRY + texts + 4 * principal(who) + 4 * TAG) as u64
}

/// The weight of a stored detection, whose intent has a short name.
pub(crate) fn detection(message: &str) -> u64 {
    (ENTRY / 2 + message.len()) as u64
}

fn principal(who: &Principal) -> usize {
    who.user_id().as_str().len() + who.role().as_str().len()
}

fn all(tags: &[String]) -> usize {
    tags.iter().map(|tag| TAG + tag.len()).sum()
}
