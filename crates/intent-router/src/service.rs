//! The stores behind the router, and the invalidations that reach all of them.

pub(crate) mod builder;
mod capacity;
mod selector;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache_core::{Cache, Classes, Clock, Fill, Freshness, Maintained, Selection, Stats, TtlClass};
use cache_keys::{CacheKey, CanonicalJson, KeyError, KeyScheme};
use once_cell::sync::Lazy;

use crate::context::RequestContext;
use crate::detect::Detection;
use crate::identity::{self, DetectionKey, EntryKey};
use crate::pattern::Pattern;
use crate::policy::Storage;
use crate::principal::{Owner, Principal, UserContext};
use crate::response::Answer;
use crate::source::Found;
use crate::tags;
use crate::weight::StoredAnswer;

use self::selector::Reach;

pub use capacity::Capacity;
pub use selector::Selector;

/// A clock that all stores of a service share.
pub type SharedClock = Arc<dyn Clock>;

type AnswerStore = Cache<EntryKey, StoredAnswer, SharedClock>;
/// Whether a principal is a member, with the number of calls that the look-up took.
type MemberStore = Cache<Principal, Found<bool>, SharedClock>;
type DetectionStore = Cache<DetectionKey<Box<str>>, Detection, SharedClock>;

/// The stores behind a router: answers, memberships and costly detections.
///
/// Statistics and `cache_size` count answers. Of the other two stores, only an
/// invalidation of a class counts entries.
pub struct CacheService {
    pub(crate) answers: AnswerStore,
    pub(crate) members: MemberStore,
    pub(crate) detections: DetectionStore,
    pub(crate) member_class: TtlClass,
    pub(crate) detection_class: TtlClass,
    capacity: Capacity,
    classes: Classes,
    scheme: Arc<dyn KeyScheme>,
    enabled: AtomicBool,
}

/// How many live entries an erasure removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Erased {
    /// Answers.
    pub answers: usize,
    /// Memberships.
    pub members: usize,
}

static GLOBAL: Lazy<Arc<CacheService>> = Lazy::new(|| {
    let service = CacheService::builder().build();
    // The defaults are constants that the tests build: 64 MiB and four classes.
    Arc::new(service.expect("the default settings are valid"))
});

impl CacheService {
    /// The service of this process, built with the defaults on first use: the
    /// Python service's `get_cache_service()`.
    ///
    /// ```
    /// use intent_router::CacheService;
    ///
    /// let service = CacheService::global();
    /// assert_eq!(service.stats().hit_rate(), 0.0);
    /// ```
    pub fn global() -> &'static Arc<CacheService> {
        &GLOBAL
    }

    /// The key of a user's message, or of the text that the intent's key mode
    /// puts in its place: the Python service's `get_cache_key`.
    ///
    /// # Errors
    /// [`KeyError`] when the context holds a value that Python could not
    /// serialise.
    pub fn key(
        &self,
        intent: &str,
        context: &UserContext,
        message: &str,
    ) -> Result<CacheKey, KeyError> {
        identity::user_key(&*self.scheme, intent, context, message)
    }

    /// The identity of the stored answer to a request.
    ///
    /// # Errors
    /// [`KeyError`], as [`CacheService::key`].
    pub fn identity(&self, context: &RequestContext<'_>) -> Result<EntryKey, KeyError> {
        identity::of_context(&*self.scheme, context)
    }

    /// The identity of `owner`'s answer to `text` about `intent`, for answers
    /// that are stored with [`set`](Self::set). Answers of a router have the
    /// [identity](Self::identity) of their request.
    ///
    /// # Errors
    /// [`KeyError`], as [`CacheService::key`].
    pub fn entry_key(&self, intent: &str, owner: Owner, text: &str) -> Result<EntryKey, KeyError> {
        identity::of_text(&*self.scheme, intent, owner, text)
    }

    /// The key of a text of an owner.
    pub(crate) fn owner_key(
        &self,
        intent: &str,
        owner: &Owner,
        text: &str,
    ) -> Result<CacheKey, KeyError> {
        identity::owner_key(&*self.scheme, intent, owner, text)
    }

    /// The stored answer, if it is within the TTL of its class. Never returns a
    /// stale answer or a negative entry ("no such member"). The Python service's
    /// `get`.
    pub fn get(&self, entry: &EntryKey, class: TtlClass) -> Option<Arc<Answer>> {
        self.answers.get(entry, class).map(|stored| stored.answer)
    }

    /// Stores an answer with the records it was made of: the Python service's
    /// `set`. Returns whether it was stored. Refused are fallbacks, answers of
    /// another owner than the entry's, answers larger than the cache, and all
    /// answers while caching is off.
    pub fn set(
        &self,
        entry: EntryKey,
        answer: Arc<Answer>,
        class: TtlClass,
        records: &[String],
    ) -> bool {
        let owner = entry.owner();
        if Storage::of(&answer, owner, self.is_enabled()) != Storage::Positive {
            return false;
        }
        let tags = tags::of_answer(answer.intent(), owner, records, None);
        let stored = StoredAnswer::new(answer, tags.len());
        let fill = Fill::new(stored).tags(tags);
        self.answers.insert(entry, fill, class).is_ok()
    }

    /// Removes the entries that the selector names and returns the number of live
    /// ones. Answers in flight that it names are not stored.
    pub fn invalidate(&self, selector: &Selector) -> usize {
        self.invalidate_all_of(std::slice::from_ref(selector))
    }

    /// Removes the entries that any of the selectors names, in one step, and
    /// returns the number of live ones, each counted once. No answer in flight is
    /// stored between two of the selectors.
    pub fn invalidate_all_of(&self, selectors: &[Selector]) -> usize {
        let Reach {
            digests,
            answer_tags,
            shared_tags,
            classes,
            predicates,
            all_records,
            all,
        } = Reach::of(selectors, &self.classes);
        let mut tags = refs(&shared_tags);
        // Answers are removed last: an answer made between the two steps, from a
        // membership that was still stored, must be removed too.
        let mut counted = 0;
        for class in &classes {
            counted += self.detections.invalidate_class(*class);
            counted += self.members.invalidate_class(*class);
        }
        self.members.invalidate_any(&Selection::<_, _, Principal> {
            tags: &tags,
            all: all_records,
            ..Selection::default()
        });
        if all {
            self.detections.invalidate_all();
        }
        tags.extend(answer_tags.iter().map(String::as_str));
        counted
            + self.answers.invalidate_any(&Selection {
                keys: &digests,
                tags: &tags,
                classes: &classes,
                predicates: &predicates,
                all: all_records,
            })
    }

    /// Removes everything of a user, in every role, and tells how much of what was
    /// live. Answers in flight are not stored. Stored detections hold a message
    /// without its user, so none is known to be of the user.
    pub fn erase(&self, user: &CanonicalJson) -> Erased {
        let tag = tags::user(&user.text());
        // In the order of `invalidate_all_of`.
        let members = self.members.invalidate_tag(&tag);
        let answers = self.answers.invalidate_tag(&tag);
        Erased { answers, members }
    }

    /// The Python service's `invalidate_pattern`, over keys and readable scopes.
    pub fn invalidate_pattern(&self, pattern: &str) -> usize {
        self.invalidate(&Selector::Pattern(Pattern::new(pattern)))
    }

    /// Whether caching is on.
    pub fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Acquire)
    }

    /// Switches caching on or off. While it is off, nothing is stored, answers in
    /// flight included; entries stay, age, and can be invalidated.
    pub fn set_enabled(&self, enabled: bool) {
        self.enabled.store(enabled, Ordering::Release);
    }

    /// How large the stores may grow.
    pub fn capacity(&self) -> Capacity {
        self.capacity
    }

    /// The TTL classes, which can be changed while the service runs.
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// Statistics of the store of answers: the Python service's `get_performance_stats`.
    pub fn stats(&self) -> Stats {
        self.answers.stats()
    }

    /// Statistics of the store of memberships.
    pub fn member_stats(&self) -> Stats {
        self.members.stats()
    }

    /// Statistics of the store of costly detections.
    pub fn detection_stats(&self) -> Stats {
        self.detections.stats()
    }

    /// Removes expired entries, at most `budget` in each store, and returns what
    /// was done in the store of answers. Call it from time to time to free memory
    /// without traffic; nothing else depends on it.
    pub fn maintain(&self, budget: usize) -> Maintained {
        let _ = self.members.maintain(budget);
        let _ = self.detections.maintain(budget);
        self.answers.maintain(budget)
    }

    /// The TTL of the class of this name; the default TTL if the class is not
    /// defined.
    pub fn ttl_of(&self, class: &str) -> Duration {
        let class = self.classes.get(class);
        class
            .map_or_else(Freshness::default, |class| self.classes.freshness(class))
            .ttl
    }
}

fn refs(tags: &[String]) -> Vec<&str> {
    tags.iter().map(String::as_str).collect()
}
