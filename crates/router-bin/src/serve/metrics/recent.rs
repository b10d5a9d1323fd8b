//! The last answered requests.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::time::{Instant, SystemTime};

use cache_keys::{CanonicalJson, Digest};
use intent_router::{CacheOutcome, Routed, Source, UserContext};

use super::clock::now;

/// The number of requests kept.
pub(crate) const RECENT: usize = 50;

/// The most characters kept of a long text, and the most bytes kept of an intent's
/// name.
const MOST_TEXT: usize = 80;

/// The most bytes of a user's identifier or role that are kept as they are. Of a
/// longer one the beginning is copied, so that a client cannot have the metrics hold
/// whole request bodies.
const MOST_SHARED: usize = 512;

/// An answered request without its message and answer. Its texts are shared with
/// the request or stored inline, so recording it allocates nothing unless a text is
/// very long.
#[derive(Clone)]
pub(crate) struct RecentRequest {
    pub(crate) at: SystemTime,
    ended: Instant,
    intent: Name,
    user_id: Option<CanonicalJson>,
    user_role: Option<CanonicalJson>,
    pub(crate) source: Source,
    pub(crate) cache: CacheOutcome,
    pub(crate) key: Option<Digest>,
    pub(crate) latency_us: u64,
}

impl RecentRequest {
    pub(super) fn new(
        user: &UserContext,
        routed: &Routed,
        ended: Instant,
        latency_us: u64,
    ) -> Self {
        Self {
            at: now(),
            ended,
            intent: Name::new(routed.answer.intent()),
            user_id: user.user_id.as_ref().map(bounded),
            user_role: user.user_role.as_ref().map(bounded),
            source: routed.answer.source(),
            cache: routed.cache,
            key: routed.key,
            latency_us,
        }
    }

    /// The name of the intent.
    pub(crate) fn intent(&self) -> String {
        self.intent.text().into_owned()
    }

    /// The user's identifier, if there is one.
    pub(crate) fn user_id(&self) -> Option<&CanonicalJson> {
        self.user_id.as_ref()
    }

    /// The user's role, if there is one.
    pub(crate) fn user_role(&self) -> Option<&CanonicalJson> {
        self.user_role.as_ref()
    }

    /// Whether this may be a request of the user, in any role: `42` and `"42"` are
    /// one user. Of very long identifiers only the beginning is known.
    fn is_of(&self, user: &CanonicalJson) -> bool {
        let is_same = |id: &CanonicalJson| id.text() == user.text();
        self.user_id.as_ref().is_some_and(is_same)
    }

    /// Orders the latest first.
    pub(super) fn latest_first(&self, other: &Self) -> Ordering {
        other.ended.cmp(&self.ended)
    }
}

/// The same value if it is short, or else the beginning of its text.
fn bounded(json: &CanonicalJson) -> CanonicalJson {
    if json.as_str().len() <= MOST_SHARED {
        return json.clone();
    }
    let beginning: String = json.text().chars().take(MOST_TEXT).collect();
    CanonicalJson::string(&beginning)
}

/// The beginning of an intent's name, stored inline.
#[derive(Clone)]
struct Name {
    length: u8,
    bytes: [u8; MOST_TEXT],
}

impl Name {
    fn new(name: &str) -> Self {
        let length = name.len().min(MOST_TEXT);
        let mut bytes = [0; MOST_TEXT];
        bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
        Self {
            length: length as u8,
            bytes,
        }
    }

    /// The text. Intent names are ASCII; another text may end in a cut character.
    fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes[..usize::from(self.length)])
    }
}

/// The last requests of a shard, the latest first.
pub(super) struct Ring {
    requests: VecDeque<RecentRequest>,
    /// When requests of a user were last removed.
    forgot: Option<Instant>,
}

impl Ring {
    /// Allocates room for all requests that it will hold.
    pub(super) fn new() -> Self {
        Self {
            requests: VecDeque::with_capacity(RECENT),
            forgot: None,
        }
    }

    /// Adds a request that began at this time; returns one to drop: the oldest, or
    /// this one if it was in flight when a user was forgotten, who may be its own.
    pub(super) fn push(&mut self, request: RecentRequest, began: Instant) -> Option<RecentRequest> {
        if self.forgot.is_some_and(|forgot| began <= forgot) {
            return Some(request);
        }
        let oldest = if self.requests.len() == RECENT {
            self.requests.pop_back()
        } else {
            None
        };
        self.requests.push_front(request);
        oldest
    }

    /// Removes the requests of a user, as of this time, and returns their number.
    pub(super) fn forget(&mut self, user: &CanonicalJson, now: Instant) -> usize {
        self.forgot = Some(now);
        let before = self.requests.len();
        let user = bounded(user);
        self.requests.retain(|request| !request.is_of(&user));
        before - self.requests.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &RecentRequest> {
        self.requests.iter()
    }
}
