//! How a request uses the cache: what it accepts, what may be stored, and which
//! text enters the key.

use std::borrow::Cow;

use cache_core::Reuse;

use crate::catalogue::{Intent, KeyMode, Kind};
use crate::outcome::Bypass;
use crate::principal::{Owner, Principal};
use crate::request::CacheUse;
use crate::response::{Answer, Source};
use crate::slots::Reading;
use crate::text::{self, Folded};

/// How a request uses the cache. Decided here, once per request.
///
/// ```
/// use intent_router::{Bypass, CachePolicy, CacheUse, Catalogue, Reuse};
///
/// let catalogue = Catalogue::built_in();
/// let claim = catalogue.get("claim_status").ok_or("no such intent")?;
/// let decide = |cache_use| CachePolicy::decide(claim, None, cache_use, true);
///
/// // Records are cached for an identified user only.
/// let anybody = decide(CacheUse::Allowed(Reuse::Any));
/// assert_eq!(anybody, CachePolicy::Bypass(Bypass::Unidentified));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CachePolicy {
    /// The cache is not asked, and the answer is not stored.
    Bypass(Bypass),
    /// The cache is asked for an entry of the request's [owner](Owner); [`Reuse`]
    /// says which stored values are accepted.
    Use(Reuse),
}

impl CachePolicy {
    /// The policy of a request whose intent is known.
    ///
    /// A live-data answer needs an identified owner; a knowledge-base answer is
    /// everyone's. Nothing is cached while caching is off, when the request
    /// forbids it, or when the answer must show a write of the client.
    pub fn decide(
        intent: &Intent,
        principal: Option<&Principal>,
        cache_use: CacheUse,
        caching_enabled: bool,
    ) -> Self {
        Self::of_request(cache_use, caching_enabled)
            .for_intent(intent, principal)
            .unless_unseen(cache_use, false)
    }

    /// The policy of stored detections, which depends on neither the intent nor
    /// the user.
    pub(crate) fn of_request(cache_use: CacheUse, caching_enabled: bool) -> Self {
        match cache_use {
            _ if !caching_enabled => Self::Bypass(Bypass::CachingOff),
            CacheUse::Forbidden => Self::Bypass(Bypass::NoStore),
            CacheUse::ReadAfter { is_applied, .. } if !is_applied => {
                Self::Bypass(Bypass::ReadAfter)
            }
            CacheUse::Allowed(reuse) | CacheUse::ReadAfter { reuse, .. } => Self::Use(reuse),
        }
    }

    /// The same policy for an intent and a user.
    pub(crate) fn for_intent(self, intent: &Intent, principal: Option<&Principal>) -> Self {
        match (intent.kind, principal) {
            (Kind::LiveData, None) => Self::Bypass(Bypass::Unidentified),
            (Kind::LiveData, Some(_)) | (Kind::KnowledgeBase, _) => self,
        }
    }

    /// The same policy, unless the answer depends on changes that are not seen at
    /// present.
    pub(crate) fn unless_behind(self, is_behind: bool) -> Self {
        match self {
            Self::Use(_) if is_behind => Self::Bypass(Bypass::ChangesBehind),
            other => other,
        }
    }

    /// The same policy, unless the answer must show a write of the client and depends
    /// on tables whose changes nobody reports.
    pub(crate) fn unless_unseen(self, cache_use: CacheUse, is_covered: bool) -> Self {
        match (self, cache_use) {
            (Self::Use(_), CacheUse::ReadAfter { .. }) if !is_covered => {
                Self::Bypass(Bypass::ReadAfter)
            }
            (other, _) => other,
        }
    }

    /// Which stored values are accepted; `None` for a bypass.
    pub(crate) fn reuse(self) -> Option<Reuse> {
        match self {
            Self::Use(reuse) => Some(reuse),
            Self::Bypass(_) => None,
        }
    }
}

/// Whether and how an answer may be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// It may be stored.
    Positive,
    /// It says that there is no such member, and may be stored as a negative
    /// entry.
    Negative,
    /// It may not be stored.
    Refused,
}

impl Storage {
    /// Decides how an answer may be stored in an entry of `owner`. Answers of
    /// another owner are refused, and all answers while caching is off.
    ///
    /// `caching_enabled` is read after the fetch, so that an answer in flight
    /// when caching is switched off is not stored.
    pub(crate) fn of(answer: &Answer, owner: &Owner, caching_enabled: bool) -> Self {
        if !caching_enabled || answer.owner() != owner {
            return Self::Refused;
        }
        match answer.source() {
            Source::LiveData | Source::KnowledgeBase => Self::Positive,
            // Of the fallbacks, only "no such member" is made by a fill.
            Source::Fallback => Self::Negative,
        }
    }
}

/// The owner of an answer: the user, or everyone for a knowledge-base intent.
/// Without a principal the owner is everyone, as there is no user whose records
/// could be asked for.
pub(crate) fn owner(intent: &Intent, principal: Option<Principal>) -> Owner {
    match (intent.kind, principal) {
        (Kind::LiveData, Some(who)) => Owner::Person(who),
        (Kind::LiveData, None) | (Kind::KnowledgeBase, _) => Owner::Everyone,
    }
}

/// The text whose hash enters the cache key, by the intent's key mode. `reading`
/// is of the same message and intent.
///
/// In the key mode `normalised`, a message whose folding would change a number,
/// such as `m²`, is used unchanged after a space. No normal form begins with a
/// space, so the text never equals the normal form of another message. The same
/// applies to a message that is too long to be folded: over 64 KiB and not ASCII,
/// or with a normal form of more than twice its bytes and 1,024.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::catalogue::Catalogue;
    use crate::principal::UserContext;
    use crate::response::Response;

    #[test]
    fn the_policy_names_the_first_reason_that_applies() {
        let catalogue = Catalogue::built_in();
        let who = Principal::identify(&UserContext::new("BEN-000001", "beneficiary"));
        let (live, shared) = ("claim_status", "greeting");
        let some = Reuse::MaxAge(Duration::from_secs(1));
        let (allowed, forbidden) = (CacheUse::Allowed(some), CacheUse::Forbidden);
        for (intent, who, cache_use, on, expect) in [
            (live, &who, allowed, true, CachePolicy::Use(some)),
            (shared, &None, allowed, true, CachePolicy::Use(some)),
            (
                live,
                &None,
                forbidden,
                false,
                CachePolicy::Bypass(Bypass::Unidentified),
            ),
            (
                live,
                &who,
                forbidden,
                false,
                CachePolicy::Bypass(Bypass::CachingOff),
            ),
            (
                live,
                &who,
                forbidden,
                true,
                CachePolicy::Bypass(Bypass::NoStore),
            ),
            (
                shared,
                &None,
                forbidden,
                true,
                CachePolicy::Bypass(Bypass::NoStore),
            ),
        ] {
            let intent = catalogue.get(intent).unwrap();
            let policy = CachePolicy::decide(intent, who.as_ref(), cache_use, on);
            assert_eq!(policy, expect);
        }
    }

    #[test]
    fn only_an_owners_own_answer_is_stored_and_nothing_while_caching_is_off() {
        let owner = |id| {
            let who = Principal::identify(&UserContext::new(id, "beneficiary"));
            Owner::Person(who.unwrap())
        };
        let answer = |source| {
            let response = Response {
                source,
                intent: "claim_status".to_owned(),
                confidence: 1.0,
                data: serde_json::Value::Null,
                timestamp: String::new(),
            };
            Answer::new(response, owner("BEN-000001"), 1)
        };
        for (source, storage) in [
            (Source::LiveData, Storage::Positive),
            (Source::KnowledgeBase, Storage::Positive),
            (Source::Fallback, Storage::Negative),
        ] {
            let answer = answer(source);
            let of = |id, enabled| Storage::of(&answer, &owner(id), enabled);
            assert_eq!(of("BEN-000001", true), storage);
            assert_eq!(of("BEN-000001", false), Storage::Refused);
            assert_eq!(of("BEN-000002", true), Storage::Refused);
        }
    }
}
