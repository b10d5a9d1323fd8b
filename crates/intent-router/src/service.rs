//! The cache service: the stores behind the router, their keys, and the
//! invalidations that reach all of them.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache_core::{
    Cache, Classes, Clock, Fill, Freshness, Maintained, Predicate, Selection, Stats, SystemClock,
    TtlClass,
};
use cache_keys::{CacheKey, CanonicalJson, Digest, KeyError, KeyParts, KeyScheme, Md5Scheme};
use equivalent::Equivalent;
use once_cell::sync::Lazy;

use crate::classes;
use crate::detect::Detection;
use crate::error::BuildError;
use crate::pattern::Pattern;
use crate::policy;
use crate::principal::{Owner, Principal, UserContext, field};
use crate::question::Question;
use crate::response::{Answer, Source};
use crate::source::{Found, Profile};
use crate::weight::{self, Kept};

/// A clock that all stores of a service share.
pub type SharedClock = Arc<dyn Clock>;

pub(crate) type AnswerStore = Cache<EntryKey, Kept, SharedClock>;
/// Profiles with the number of calls that each look-up took; no profile for
/// whom the source does not know.
pub(crate) type ProfileStore = Cache<Principal, Found<Option<Arc<Profile>>>, SharedClock>;
pub(crate) type DetectionStore = Cache<Asked<Box<str>>, Detection, SharedClock>;

/// The identity of a stored answer: its key and whose it is.
///
/// Two entries are the same only if digest, independent check, owner and role
/// all agree, so a colliding digest is a miss and never somebody else's answer.
/// A router's entries have in the check what else makes a [`Question`]: an answer
/// to another one, or by another definition of its intent, is a miss as well.
/// It hashes as its [`Digest`] does, by which entries can be invalidated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryKey {
    key: CacheKey,
    owner: Owner,
}

impl EntryKey {
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

/// A message as a detector was asked about it. Detectors have numbers, of which
/// none is used twice in a process, so that what one found is never taken for
/// what another finds.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Asked<M> {
    pub(crate) detector: u64,
    pub(crate) message: M,
}

impl Equivalent<Asked<Box<str>>> for Asked<&str> {
    fn equivalent(&self, asked: &Asked<Box<str>>) -> bool {
        self.detector == asked.detector && *self.message == *asked.message
    }
}

/// A digest as the name of every entry that has it.
#[derive(PartialEq, Eq, Hash)]
struct ByDigest(Digest);

impl Equivalent<EntryKey> for ByDigest {
    fn equivalent(&self, entry: &EntryKey) -> bool {
        entry.digest() == self.0
    }
}

/// What an invalidation removes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selector {
    /// The answers with this cache key, and those that were made for the message
    /// of which this is the key, where its key mode has another text enter the
    /// key. Another wording that shares such an answer does not name it.
    Key(Digest),
    /// Everything of one user, in every role. A source is given the identifier as
    /// text, so `42` and `"42"` are one user here.
    User(CanonicalJson),
    /// Every answer of one intent.
    Intent(String),
    /// Everything of the users in one role.
    Role(CanonicalJson),
    /// Every entry of one TTL class.
    Class(String),
    /// Every answer made of one record, such as `claim:CLM-2025-000123`, or of a
    /// collection that it may belong to: the records of its kind, of any member.
    Tag(String),
    /// The same where it is known whose record it is: of the collections, only
    /// this user's part and those that are read as a whole.
    TagOf {
        /// The record.
        record: String,
        /// Whose it is, or was before it changed.
        user: CanonicalJson,
    },
    /// Every answer whose key or readable scope `intent/user/role` matches.
    Pattern(Pattern),
    /// Everything.
    All,
}

/// What a list of selectors reaches, put together by how it is found.
#[derive(Default)]
struct Reached {
    digests: Vec<ByDigest>,
    /// Tags of answers alone.
    tags: Vec<String>,
    /// Tags of answers and of profiles.
    person_tags: Vec<String>,
    classes: Vec<TtlClass>,
    predicates: Vec<Predicate<EntryKey, Kept>>,
    all: bool,
}

impl Reached {
    fn by(selectors: &[Selector], classes: &Classes) -> Self {
        let mut reached = Self::default();
        for selector in selectors {
            match selector {
                Selector::Key(digest) => {
                    reached.digests.push(ByDigest(*digest));
                    reached.tags.push(policy::key_tag(*digest));
                }
                Selector::User(id) => reached.person_tags.push(policy::user_tag(&id.text())),
                Selector::Role(role) => reached.person_tags.push(policy::role_tag(role.as_str())),
                Selector::Intent(intent) => reached.tags.push(policy::intent_tag(intent)),
                Selector::Tag(record) => {
                    reached.person_tags.extend(policy::reached_by(record, None));
                }
                Selector::TagOf { record, user } => {
                    let tags = policy::reached_by(record, Some(&user.text()));
                    reached.person_tags.extend(tags);
                }
                Selector::Class(name) => reached.classes.extend(classes.get(name)),
                Selector::Pattern(pattern) => {
                    let pattern = pattern.clone();
                    reached
                        .predicates
                        .push(Arc::new(move |key: &EntryKey, kept: &Kept| {
                            pattern.matches(&key.digest().to_string())
                                || pattern.matches(&kept.answer.scope())
                        }));
                }
                Selector::All => reached.all = true,
            }
        }
        reached
    }
}

/// How large the store of answers may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// At most so many answers.
    Entries(usize),
    /// At most so many bytes of answers, their bookkeeping included by estimate.
    Bytes(u64),
}

impl Default for Capacity {
    /// 64 MiB.
    fn default() -> Self {
        Self::Bytes(64 << 20)
    }
}

/// How many bytes the profiles kept may occupy, by estimate. A bound on their
/// number would be none: identifiers and roles come from requests, and may be
/// long.
const PROFILE_BYTES: u64 = 32 << 20;

/// The same for detections, which hold the messages.
const DETECTION_BYTES: u64 = 16 << 20;

/// Settings of a [`CacheService`]; each has a default.
pub struct ServiceBuilder {
    capacity: Capacity,
    classes: Classes,
    clock: SharedClock,
    scheme: Arc<dyn KeyScheme>,
    enabled: bool,
}

impl ServiceBuilder {
    /// How large the store of answers may grow. Default: 64 MiB.
    pub fn capacity(mut self, capacity: Capacity) -> Self {
        self.capacity = capacity;
        self
    }

    /// The TTL classes. Default: the four standard ones.
    pub fn classes(mut self, classes: Classes) -> Self {
        self.classes = classes;
        self
    }

    /// The clock that ages are measured by. Default: the system's monotonic one.
    pub fn clock(mut self, clock: SharedClock) -> Self {
        self.clock = clock;
        self
    }

    /// The key scheme. Default: [`Md5Scheme`] with a secret of this process.
    pub fn scheme(mut self, scheme: Arc<dyn KeyScheme>) -> Self {
        self.scheme = scheme;
        self
    }

    /// Whether caching is on at first. Default: on.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// The service.
    ///
    /// # Errors
    /// [`BuildError`] when the capacity is zero or a class cannot be defined.
    pub fn build(self) -> Result<CacheService, BuildError> {
        let Self {
            capacity,
            classes,
            clock,
            scheme,
            enabled,
        } = self;
        let answers = Cache::builder()
            .classes(classes.clone())
            .clock(Arc::clone(&clock));
        let answers = match capacity {
            Capacity::Entries(most) => answers.max_entries(most),
            Capacity::Bytes(most) => answers.max_weight(most, weight::answer),
        };
        let profiles = Cache::builder()
            .classes(classes.clone())
            .clock(Arc::clone(&clock))
            .max_weight(PROFILE_BYTES, weight::profile);
        let detections = Cache::<Asked<Box<str>>, Detection>::builder()
            .classes(classes.clone())
            .clock(clock)
            .max_weight(DETECTION_BYTES, |asked, _| {
                weight::detection(&asked.message)
            });
        Ok(CacheService {
            answers: answers.build()?,
            profiles: profiles.build()?,
            detections: detections.build()?,
            profile_class: classes.define("user_context")?,
            detection_class: classes.define("intent_routing")?,
            capacity,
            classes,
            scheme,
            enabled: AtomicBool::new(enabled),
        })
    }
}

/// The stores behind a router: answers, user profiles and costly detections.
///
/// Statistics and `cache_size` speak of answers; the other two are aids whose
/// entries only a class invalidation counts.
pub struct CacheService {
    pub(crate) answers: AnswerStore,
    pub(crate) profiles: ProfileStore,
    pub(crate) detections: DetectionStore,
    pub(crate) profile_class: TtlClass,
    pub(crate) detection_class: TtlClass,
    capacity: Capacity,
    classes: Classes,
    scheme: Arc<dyn KeyScheme>,
    enabled: AtomicBool,
}

static GLOBAL: Lazy<Arc<CacheService>> = Lazy::new(|| {
    let service = CacheService::builder().build();
    // The defaults are constants that the tests build: 64 MiB and four classes.
    Arc::new(service.expect("the default settings are valid"))
});

impl CacheService {
    /// Settings to build a service from.
    pub fn builder() -> ServiceBuilder {
        ServiceBuilder {
            capacity: Capacity::default(),
            classes: classes::standard(),
            clock: Arc::new(SystemClock::default()),
            scheme: Arc::new(Md5Scheme::default()),
            enabled: true,
        }
    }

    /// The service of this process, built with the defaults when first asked
    /// for: what the Python service called `get_cache_service()`.
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

    /// The Python service's `get_cache_key`: the key of a message (or of the text that
    /// the intent's key mode puts in its place) of a user.
    ///
    /// # Errors
    /// [`KeyError`] when the context holds a value that Python could not write.
    pub fn key(
        &self,
        intent: &str,
        context: &UserContext,
        message: &str,
    ) -> Result<CacheKey, KeyError> {
        self.scheme.key(&KeyParts {
            intent,
            user_id: field(context.user_id.as_ref()),
            user_role: field(context.user_role.as_ref()),
            message,
        })
    }

    /// The identity of the answer to a question.
    ///
    /// # Errors
    /// [`KeyError`], as [`CacheService::key`].
    pub fn question_key(&self, question: &Question<'_>) -> Result<EntryKey, KeyError> {
        let intent = &question.intent().name;
        let EntryKey { key, owner } =
            self.entry_key(intent, question.owner().clone(), question.text())?;
        let key = CacheKey::new(*key.digest(), key.check() ^ question.check());
        Ok(EntryKey { key, owner })
    }

    /// The identity of `owner`'s answer about `intent` to `text`, for answers
    /// that you make yourself. Those of a router have the identity of their
    /// [question](Self::question_key).
    ///
    /// # Errors
    /// [`KeyError`], as [`CacheService::key`].
    pub fn entry_key(&self, intent: &str, owner: Owner, text: &str) -> Result<EntryKey, KeyError> {
        let (user_id, user_role) = match &owner {
            Owner::Everyone => (None, None),
            Owner::Person(who) => (Some(who.user_id()), Some(who.role())),
        };
        let key = self.scheme.key(&KeyParts {
            intent,
            user_id: field(user_id),
            user_role: field(user_role),
            message: text,
        })?;
        Ok(EntryKey { key, owner })
    }

    /// The stored answer, if there is one that is not older than the TTL of its
    /// class; never a stale one, nor one that says that there is no such member.
    /// The Python service's `get`.
    pub fn get(&self, entry: &EntryKey, class: TtlClass) -> Option<Arc<Answer>> {
        self.answers.get(entry, class).map(|kept| kept.answer)
    }

    /// Stores an answer with the records it was made of: the Python service's `set`.
    /// Returns whether it was stored: a fallback, an answer of another owner
    /// than the entry's, or one that is larger than the cache, is not.
    pub fn set(
        &self,
        entry: EntryKey,
        answer: Arc<Answer>,
        class: TtlClass,
        records: &[String],
    ) -> bool {
        if answer.source() == Source::Fallback || *answer.owner() != entry.owner {
            return false;
        }
        let tags = policy::answer_tags(answer.intent(), &entry.owner, records, None);
        let kept = Kept::new(answer, &tags);
        let fill = Fill::new(kept).tags(tags);
        self.answers.insert(entry, fill, class).is_ok()
    }

    /// Removes what the selector names and returns how many live entries that
    /// were. Answers and profiles being fetched meanwhile are not stored.
    pub fn invalidate(&self, selector: &Selector) -> usize {
        self.invalidate_all_of(std::slice::from_ref(selector))
    }

    /// Removes what any of the selectors names, in one step, and returns how many
    /// live entries that were, each counted once. No answer that is being fetched
    /// is stored between two of them.
    pub fn invalidate_all_of(&self, selectors: &[Selector]) -> usize {
        let Reached {
            digests,
            tags,
            person_tags,
            classes,
            predicates,
            all,
        } = Reached::by(selectors, &self.classes);
        let people: Vec<&str> = person_tags.iter().map(String::as_str).collect();
        let tags: Vec<&str> = tags
            .iter()
            .chain(&person_tags)
            .map(String::as_str)
            .collect();
        // Answers always go last: one that is made between the two steps, with
        // a profile that is still stored, must not outlast them.
        let mut counted = 0;
        for class in &classes {
            counted += self.detections.invalidate_class(*class);
            counted += self.profiles.invalidate_class(*class);
        }
        self.profiles.invalidate_any(&Selection::<_, _, Principal> {
            tags: &people,
            all,
            ..Selection::default()
        });
        if all {
            self.detections.invalidate_all();
        }
        counted
            + self.answers.invalidate_any(&Selection {
                keys: &digests,
                tags: &tags,
                classes: &classes,
                predicates: &predicates,
                all,
            })
    }

    /// The Python service's `invalidate_pattern`, over keys and readable scopes.
    pub fn invalidate_pattern(&self, pattern: &str) -> usize {
        self.invalidate(&Selector::Pattern(Pattern::new(pattern)))
    }

    /// Whether caching is on.
    pub fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    /// Switches caching on or off. Entries stay, age, and can be invalidated
    /// while it is off.
    pub fn set_enabled(&self, enabled: bool) {
        self.enabled.store(enabled, Ordering::Relaxed);
    }

    /// How large the store of answers may grow.
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

    /// Statistics of the store of user profiles.
    pub fn profile_stats(&self) -> Stats {
        self.profiles.stats()
    }

    /// Statistics of the store of costly detections.
    pub fn detection_stats(&self) -> Stats {
        self.detections.stats()
    }

    /// Removes expired entries, at most `budget` in each store, and tells what
    /// was done in the store of answers. Whoever owns a runtime calls this now
    /// and then; nothing else depends on it.
    pub fn maintain(&self, budget: usize) -> Maintained {
        let _ = self.profiles.maintain(budget);
        let _ = self.detections.maintain(budget);
        self.answers.maintain(budget)
    }

    /// How long an entry of the class of this name is fresh; the default for a
    /// class that nobody defined.
    pub fn ttl_of(&self, class: &str) -> Duration {
        let class = self.classes.get(class);
        class
            .map_or_else(Freshness::default, |class| self.classes.freshness(class))
            .ttl
    }
}
