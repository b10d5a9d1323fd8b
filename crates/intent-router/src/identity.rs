//! The identities of stored entries, and the keys they are found by. All of them
//! are built here.

use std::hash::{Hash, Hasher};

use cache_keys::{CacheKey, Digest, Field, KeyError, KeyParts, KeyScheme};
use equivalent::Equivalent;

use crate::context::RequestContext;
use crate::principal::{Owner, UserContext, field};

/// The identity of a stored answer: its key and its owner.
///
/// Two entries are the same only if digest, independent check, owner and role are
/// all equal, so a colliding digest is a miss and never another person's answer.
/// In a router's entries the check covers the rest of a [`RequestContext`] too:
/// an answer to another question, or by another definition of its intent, is a
/// miss as well. An `EntryKey` hashes as its [`Digest`] does, by which entries
/// can be invalidated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryKey {
    key: CacheKey,
    owner: Owner,
}

impl EntryKey {
    /// The identity of an answer that another process stored.
    pub(crate) fn kept(key: CacheKey, owner: Owner) -> Self {
        Self { key, owner }
    }

    /// What tells the answer from others with its digest.
    pub(crate) fn check(&self) -> u128 {
        self.key.check()
    }

    /// The digest that people see and invalidate by.
    pub fn digest(&self) -> Digest {
        *self.key.digest()
    }

    /// Whose entry it is.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }
}

impl Hash for EntryKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

/// Looks up every entry with a digest.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct ByDigest(pub(crate) Digest);

impl Equivalent<EntryKey> for ByDigest {
    fn equivalent(&self, entry: &EntryKey) -> bool {
        entry.digest() == self.0
    }
}

/// The identity of a stored detection: the message, and the number of the
/// detector, which is unique in the process.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct DetectionKey<M> {
    pub(crate) detector: u64,
    pub(crate) message: M,
}

impl Equivalent<DetectionKey<Box<str>>> for DetectionKey<&str> {
    fn equivalent(&self, stored: &DetectionKey<Box<str>>) -> bool {
        self.detector == stored.detector && *self.message == *stored.message
    }
}

/// The key of a message of a user, as the Python service computes it.
pub(crate) fn user_key(
    scheme: &dyn KeyScheme,
    intent: &str,
    context: &UserContext,
    message: &str,
) -> Result<CacheKey, KeyError> {
    let (user_id, user_role) = (context.user_id.as_ref(), context.user_role.as_ref());
    key(scheme, intent, [field(user_id), field(user_role)], message)
}

/// The key of a text of an owner.
pub(crate) fn owner_key(
    scheme: &dyn KeyScheme,
    intent: &str,
    owner: &Owner,
    text: &str,
) -> Result<CacheKey, KeyError> {
    let user = match owner {
        Owner::Everyone => [Field::Absent, Field::Absent],
        Owner::Person(who) => [
            Field::Canonical(who.user_id()),
            Field::Canonical(who.role()),
        ],
    };
    key(scheme, intent, user, text)
}

fn key(
    scheme: &dyn KeyScheme,
    intent: &str,
    [user_id, user_role]: [Field<'_>; 2],
    message: &str,
) -> Result<CacheKey, KeyError> {
    scheme.key(&KeyParts {
        intent,
        user_id,
        user_role,
        message,
    })
}

/// The identity of an owner's answer to a text.
pub(crate) fn of_text(
    scheme: &dyn KeyScheme,
    intent: &str,
    owner: Owner,
    text: &str,
) -> Result<EntryKey, KeyError> {
    let key = owner_key(scheme, intent, &owner, text)?;
    Ok(EntryKey { key, owner })
}

/// The identity of the answer to a request. The digest is the one that the Python
/// service computes; the other parameters of the source are part of the check.
pub(crate) fn of_context(
    scheme: &dyn KeyScheme,
    context: &RequestContext<'_>,
) -> Result<EntryKey, KeyError> {
    // Destructured in full, as for `RequestContext::ask`: what the source is
    // given must be part of the identity.
    let RequestContext {
        intent,
        storage,
        owner,
        text,
        parameters,
        // The stored answer is to the text, not to the message.
        message: _,
        confidence: _,
        policy: _,
    } = context;
    let key = owner_key(scheme, &intent.name, owner, text)?;
    let check = key.check() ^ storage.fingerprint.bits() ^ parameters.bits();
    Ok(EntryKey {
        key: CacheKey::new(*key.digest(), check),
        owner: owner.clone(),
    })
}

#[cfg(test)]
mod tests {
    use cache_keys::Md5Scheme;

    use super::*;
    use crate::catalogue::Catalogue;
    use crate::slots::{Date, Slots};

    #[test]
    fn every_parameter_is_part_of_the_identity() {
        let intent = Catalogue::built_in().get("payment_history").unwrap();
        let day = |day| Date::new(2025, 11, day).unwrap();
        let slots = |month: &str| Slots::from_iter([("period", month)]);
        let with = |slots| RequestContext::new(intent, None, slots, "text");
        let asked = [
            with(Slots::default()),
            with(Slots::default()).doubtful(),
            with(Slots::default()).on(day(1)),
            with(Slots::default()).on(day(2)),
            with(Slots::default()).doubtful().on(day(2)),
            with(slots("2025-10")),
            with(slots("2025-10")).on(day(1)),
            with(slots("2025-09")),
            with(Slots::from_iter([("day", "2025-10")])),
        ];
        let scheme = Md5Scheme::default();
        let identity = |context| of_context(&scheme, context).unwrap();
        for (at, one) in asked.iter().enumerate() {
            for other in &asked[at + 1..] {
                assert_eq!(identity(one).digest(), identity(other).digest());
                assert_ne!(identity(one), identity(other), "{one:?} and {other:?}");
            }
        }
        let plain = of_text(&scheme, &intent.name, Owner::Everyone, "text").unwrap();
        assert_eq!(identity(&asked[0]), plain);
    }
}
