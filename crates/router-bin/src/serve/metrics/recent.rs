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

/// The most characters shown of a text, and the most bytes kept of an intent's
/// name.
const MOST_TEXT: usize = 80;

/// The most bytes of a user's identifier or role that are kept as they are. Of a
/// longer one the shown part is copied, so that a client cannot have the metrics hold
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

    /// The user's identifier; `guest` if there is none.
    pub(crate) fn user_id(&self) -> String {
        shown(self.user_id.as_ref())
    }

    /// The user's role; `guest` if there is none.
    pub(crate) fn user_role(&self) -> String {
        shown(self.user_role.as_ref())
    }

    /// Orders the latest first.
    fn latest_first(&self, other: &Self) -> Ordering {
        other.ended.cmp(&self.ended)
    }
}

fn shown(json: Option<&CanonicalJson>) -> String {
    json.map_or_else(|| "guest".to_owned(), beginning)
}

/// The part of a text that is shown.
fn beginning(json: &CanonicalJson) -> String {
    json.text().chars().take(MOST_TEXT).collect()
}

/// A value that shows the same and is short.
fn bounded(json: &CanonicalJson) -> CanonicalJson {
    if json.as_str().len() <= MOST_SHARED {
        json.clone()
    } else {
        CanonicalJson::string(&beginning(json))
    }
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

/// The last requests that were read, the latest first.
#[derive(Default)]
pub(super) struct History(Mutex<Vec<RecentRequest>>);

impl History {
    /// Takes the unread requests; returns the last [`RECENT`], the latest first.
    pub(super) fn read<'a>(&self, shards: impl Iterator<Item = &'a Unread>) -> Vec<RecentRequest> {
        let mut history = self.0.lock();
        for Unread(queue) in shards {
            // Bounded, as requests may be added as fast as they are taken.
            history.extend((0..RECENT).map_while(|_| queue.pop()));
        }
        history.sort_by(RecentRequest::latest_first);
        history.truncate(RECENT);
        history.clone()
    }
}
