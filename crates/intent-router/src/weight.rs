//! The weight of stored values: as many bytes as they occupy on a 64-bit machine, so
//! that a bound in bytes bounds memory. The constants are measured:
//! `tests/memory.rs` fills stores under a counting allocator, and fails if they
//! are wrong by more than some percent.

use std::sync::Arc;

use crate::principal::{Owner, Principal};
use crate::response::Answer;

/// An answer without its texts and tags: key, answer, links, the history of its key,
/// and the spare room of tables.
const ANSWER: usize = 256;

/// A membership without its texts and tags.
const MEMBER: usize = 144;

/// A detection without its texts.
const DETECTION: usize = 120;

/// A tag: its link to the entry, and its place in the index. Names are not stored.
const TAG: usize = 42;

/// An answer with its weight, which depends on its tags.
#[derive(Clone)]
pub(crate) struct StoredAnswer {
    pub(crate) answer: Arc<Answer>,
    weight: u64,
}

impl StoredAnswer {
    pub(crate) fn new(answer: Arc<Answer>, tags: usize) -> Self {
        let owner = match answer.owner() {
            Owner::Everyone => 0,
            Owner::Person(who) => principal(who),
        };
        let texts = answer.json().len() + answer.intent().len() + owner;
        Self {
            answer,
            weight: (ANSWER + texts + tags * TAG) as u64,
        }
    }
}

/// The weight of a stored answer.
pub(crate) fn answer<K>(_: &K, stored: &StoredAnswer) -> u64 {
    stored.weight
}

/// The weight of the entry that says whether a principal is a member.
pub(crate) fn member<V>(who: &Principal, _: &V) -> u64 {
    // Its user and role are two tags; what was read, mostly one kind of records, are
    // two more.
    (MEMBER + principal(who) + 4 * TAG) as u64
}

/// The weight of a stored detection, whose intent has a short name.
pub(crate) fn detection(message: &str) -> u64 {
    (DETECTION + message.len()) as u64
}

fn principal(who: &Principal) -> usize {
    who.user_id().as_str().len() + who.role().as_str().len()
}
