//! The weight of stored values: about as many bytes as they occupy on a 64-bit
//! machine, so that a bound in bytes bounds memory. The constants were measured
//! with a counting allocator, for entries with and without tags.

use std::sync::Arc;

use crate::principal::{Owner, Principal};
use crate::response::Answer;

/// An entry without its texts and tags: key, answer, links, and the spare room
/// of tables.
const ENTRY: usize = 320;

/// A tag without its name, and its link to the entry.
const TAG: usize = 96;

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
            weight: (ENTRY + texts + tags * TAG) as u64,
        }
    }
}

/// The weight of a stored answer.
pub(crate) fn answer<K>(_: &K, stored: &StoredAnswer) -> u64 {
    stored.weight
}

/// The weight of the entry that says whether a principal is a member.
pub(crate) fn member<V>(who: &Principal, _: &V) -> u64 {
    // Two tags hold the user and the role; the tags of what was read, mostly one
    // kind of records, hold the user.
    (ENTRY + 4 * principal(who) + 4 * TAG) as u64
}

/// The weight of a stored detection, whose intent has a short name.
pub(crate) fn detection(message: &str) -> u64 {
    (ENTRY / 2 + message.len()) as u64
}

fn principal(who: &Principal) -> usize {
    who.user_id().as_str().len() + who.role().as_str().len()
}
