//! Stored answers outside of the process: what a snapshot holds of them.

use std::cell::LazyCell;
use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use cache_core::{Exported, Imported, TagId};
use cache_keys::{CacheKey, CanonicalJson};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::identity::EntryKey;
use crate::principal::{Owner, Principal, UserContext};
use crate::response::{Answer, Source};
use crate::weight::StoredAnswer;

use super::Router;

/// A stored answer with its identity, age and tags, to be kept in a file and
/// [imported](Router::import) by another process. A record of JSON.
///
/// It holds personal data: the user, the role, and the records of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptAnswer {
    intent: String,
    /// The fingerprint of the intent's definition.
    definition: Bits,
    /// The digest in hex digits.
    key: String,
    /// The rest of the identity: text, parameters, definition.
    check: Bits,
    /// `None` for everyone.
    owner: Option<KeptOwner>,
    class: String,
    /// In nanoseconds, as all times here.
    age: u64,
    idle: u64,
    ttl: Option<u64>,
    negative: bool,
    tags: Vec<Bits>,
    source: Source,
    calls: u32,
    json: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptOwner {
    user: CanonicalJson,
    role: CanonicalJson,
}

/// 128 bits as hex digits: few readers of JSON keep so large a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bits(u128);

impl Serialize for Bits {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{:x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Bits {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(from)?;
        let bits = u128::from_str_radix(&digits, 16);
        bits.map(Self).map_err(D::Error::custom)
    }
}

impl Router {
    /// Copies of the stored answers with their identities and ages, the oldest
    /// first. Memberships and detections are not among them.
    ///
    /// Locks a shard of the store for a bounded number of entries at a time. The
    /// answers' texts are shared with the store until each is returned; sorting
    /// takes some 300 bytes an entry. An answer that an invalidation removes after
    /// this call began may be among them: make every such invalidation again after
    /// the import.
    ///
    /// The keys of another process find the answers only if its key scheme has the
    /// [secret](cache_keys::Md5Scheme::with_secret) of this one's.
    pub fn export(&self) -> impl Iterator<Item = KeptAnswer> {
        let mut entries: Vec<_> = self.cache().answers.export().collect();
        entries.sort_by_key(|entry| Reverse(entry.age));
        entries.into_iter().filter_map(|entry| self.kept(entry))
    }

    /// Stores answers with the ages that they have when the call begins; `passed`
    /// returns the time since the export began. Returns how many are stored and how many are left
    /// out: those of intents that are gone or have another definition, expired
    /// ones, and those that an invalidation reaches which is made during the call.
    ///
    /// Give them in the order of their export.
    pub fn import(
        &self,
        answers: impl IntoIterator<Item = KeptAnswer>,
        passed: impl FnOnce() -> Duration,
    ) -> Imported {
        let mut foreign = 0;
        // Asked after the store has noted when the import began, so that the time
        // between the two counts twice rather than not at all.
        let passed = LazyCell::new(passed);
        let entries = answers.into_iter().filter_map(|kept| {
            let entry = self.entry(kept, *passed);
            foreign += usize::from(entry.is_none());
            entry
        });
        let mut imported = self.cache().answers.import(entries);
        imported.left_out += foreign;
        imported
    }

    /// `None` for an answer of an intent that the catalogue does not have.
    fn kept(&self, entry: Exported<EntryKey, StoredAnswer>) -> Option<KeptAnswer> {
        let Exported {
            key,
            value,
            class,
            age,
            idle,
            ttl,
            negative,
            tags,
        } = entry;
        let answer = value.answer;
        let (_, storage) = self.intent(answer.intent())?;
        let owner = match key.owner() {
            Owner::Everyone => None,
            Owner::Person(who) => Some(KeptOwner {
                user: who.user_id().clone(),
                role: who.role().clone(),
            }),
        };
        Some(KeptAnswer {
            intent: answer.intent().to_owned(),
            definition: Bits(storage.fingerprint.bits()),
            key: key.digest().to_string(),
            check: Bits(key.check()),
            owner,
            class: self.cache().classes().name(class).to_string(),
            age: nanos(age),
            idle: nanos(idle),
            ttl: ttl.map(nanos),
            negative,
            tags: tags.into_iter().map(|tag| Bits(tag.bits())).collect(),
            source: answer.source(),
            calls: answer.calls(),
            json: answer.json().to_owned(),
        })
    }

    /// The entry as the store has it; `None` for one that this router cannot find.
    fn entry(
        &self,
        kept: KeptAnswer,
        passed: Duration,
    ) -> Option<Exported<EntryKey, StoredAnswer>> {
        let (_, storage) = self.intent(&kept.intent)?;
        if storage.fingerprint.bits() != kept.definition.0 {
            return None;
        }
        let owner = match kept.owner {
            None => Owner::Everyone,
            Some(KeptOwner { user, role }) => Owner::Person(Principal::identify(&UserContext {
                user_id: Some(user),
                user_role: Some(role),
                conversation: None,
            })?),
        };
        let key = CacheKey::new(kept.key.parse().ok()?, kept.check.0);
        let answer = Answer::kept(
            kept.source,
            kept.intent,
            owner.clone(),
            kept.json,
            kept.calls,
        );
        Some(Exported {
            key: EntryKey::kept(key, owner),
            value: StoredAnswer::new(Arc::new(answer), kept.tags.len()),
            class: self.cache().classes().get(&kept.class)?,
            age: Duration::from_nanos(kept.age).saturating_add(passed),
            idle: Duration::from_nanos(kept.idle).saturating_add(passed),
            ttl: kept.ttl.map(Duration::from_nanos),
            negative: kept.negative,
            tags: kept
                .tags
                .iter()
                .map(|tag| TagId::from_bits(tag.0))
                .collect(),
        })
    }
}

/// Whole nanoseconds of an age, of which 64 bits hold 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
