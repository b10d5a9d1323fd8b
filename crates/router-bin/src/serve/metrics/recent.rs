//! The last answered requests.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::time::{Instant, SystemTime};

use cache_keys::{CanonicalJson, Digest};
use crossbeam_queue::ArrayQueue;
use intent_router::{CacheOutcome, Routed, Source, UserContext};
use parking_lot::Mutex;

use super::clock::now;

/// The number of requests kept.
const RECENT: usize = 50;

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
    began: Instant,
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
        began: Instant,
        ended: Instant,
        latency_us: u64,
    ) -> Self {
        Self {
            at: now(),
            began,
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
    fn latest_first(&self, other: &Self) -> Ordering {
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

/// The last requests of a shard that no reader has taken yet.
pub(super) struct Unread(ArrayQueue<RecentRequest>);

impl Default for Unread {
    fn default() -> Self {
        Self(ArrayQueue::new(RECENT))
    }
}

impl Unread {
    /// Adds a request, in the place of the oldest if there is no room. Takes no lock.
    pub(super) fn push(&self, request: RecentRequest) {
        self.0.force_push(request);
    }
}

/// The last requests that were read.
#[derive(Default)]
pub(super) struct History(Mutex<Past>);

#[derive(Default)]
struct Past {
    /// The latest first.
    requests: Vec<RecentRequest>,
    /// When requests of a user were last removed.
    forgot: Option<Instant>,
}

impl History {
    /// Takes the unread requests; returns the last [`RECENT`], the latest first.
    pub(super) fn read<'a>(&self, shards: impl Iterator<Item = &'a Unread>) -> Vec<RecentRequest> {
        let mut past = self.0.lock();
        past.take(shards);
        past.requests.clone()
    }

    /// Removes the requests of a user, as of this time, and returns their number.
    pub(super) fn forget<'a>(
        &self,
        user: &CanonicalJson,
        now: Instant,
        shards: impl Iterator<Item = &'a Unread>,
    ) -> usize {
        let mut past = self.0.lock();
        past.take(shards);
        past.forgot = Some(now);
        let before = past.requests.len();
        let user = bounded(user);
        past.requests.retain(|request| !request.is_of(&user));
        before - past.requests.len()
    }
}

impl Past {
    /// Takes the unread requests, except those that were in flight when a user was
    /// forgotten, who may be their own.
    fn take<'a>(&mut self, shards: impl Iterator<Item = &'a Unread>) {
        for Unread(queue) in shards {
            // Bounded, as requests may be added as fast as they are taken.
            let unread = (0..RECENT).map_while(|_| queue.pop());
            let forgot = self.forgot;
            let listed =
                unread.filter(|request| forgot.is_none_or(|forgot| request.began > forgot));
            self.requests.extend(listed);
        }
        self.requests.sort_by(RecentRequest::latest_first);
        self.requests.truncate(RECENT);
    }
}
