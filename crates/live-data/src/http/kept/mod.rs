//! Responses with an `ETag`, kept so that the back end need not send them again while
//! they are current (RFC 9111, section 4.3).

mod response;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

pub(super) use self::response::Response;
use super::request::Key;

/// How long a response is kept after its last use. It holds a person's records.
const LONGEST_UNUSED: Duration = Duration::from_secs(24 * 60 * 60);

/// What an entry takes besides its texts: its places in both maps, and the lists of its
/// headers.
const OVERHEAD: usize = 512;

/// The kept responses, the least recently used of which make room for others.
///
/// A list of uses and a map are all there is, as the libraries for this bound the number
/// of entries instead of their bytes.
pub(super) struct Kept {
    /// The most bytes of all entries.
    room: usize,
    state: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    entries: HashMap<Arc<Key>, Entry>,
    /// The keys of the entries in the order of their last use.
    by_use: BTreeMap<u64, Arc<Key>>,
    uses: u64,
    bytes: usize,
    /// How often a user was forgotten.
    forgotten: u64,
}

struct Entry {
    response: Arc<Response>,
    bytes: usize,
    /// The key in `by_use`.
    use_number: u64,
    used: Instant,
}

/// A request, with the response that was kept for it when it was about to be sent.
pub(super) struct Known {
    key: Arc<Key>,
    pub(super) response: Option<Arc<Response>>,
    forgotten: u64,
}

impl Kept {
    /// Room for this many bytes of responses; 0 keeps none.
    pub(super) fn new(room: usize) -> Self {
        Self {
            room,
            state: Mutex::default(),
        }
    }

    /// What is kept for a request that is about to be sent.
    pub(super) fn find(&self, key: Key, now: Instant) -> Known {
        let mut state = self.state.lock();
        state.remove_unused(now);
        Known {
            response: state.touch(&key, now),
            key: Arc::new(key),
            forgotten: state.forgotten,
        }
    }

    /// Keeps the response to a request in place of the former one; `None` removes that.
    /// Nothing is kept if a user was forgotten since the request was sent, as the
    /// response may be theirs.
    pub(super) fn replace(&self, known: Known, response: Option<Response>, now: Instant) {
        let mut state = self.state.lock();
        state.remove_unused(now);
        state.remove(&known.key);
        let Some(response) = response else {
            return;
        };
        let bytes = known.key.bytes() + response.bytes() + OVERHEAD;
        if state.forgotten == known.forgotten && bytes <= self.room {
            while state.bytes > self.room - bytes {
                state.remove_oldest();
            }
            state.insert(known.key, Arc::new(response), bytes, now);
        }
    }

    /// Removes all responses of a user, and returns how many there were.
    pub(super) fn forget(&self, user: &str) -> usize {
        let mut state = self.state.lock();
        state.forgotten += 1;
        let of_user = |key: &&Arc<Key>| key.who.as_ref().is_some_and(|who| who.id_text() == user);
        let keys: Vec<_> = state.entries.keys().filter(of_user).cloned().collect();
        for key in &keys {
            state.remove(key);
        }
        keys.len()
    }
}

impl Entries {
    /// The response of a key, which is then the most recently used.
    fn touch(&mut self, key: &Key, now: Instant) -> Option<Arc<Response>> {
        let entry = self.entries.get_mut(key)?;
        if let Some(key) = self.by_use.remove(&entry.use_number) {
            self.uses += 1;
            self.by_use.insert(self.uses, key);
        }
        (entry.use_number, entry.used) = (self.uses, now);
        Some(Arc::clone(&entry.response))
    }

    fn insert(&mut self, key: Arc<Key>, response: Arc<Response>, bytes: usize, now: Instant) {
        self.uses += 1;
        self.bytes += bytes;
        self.by_use.insert(self.uses, Arc::clone(&key));
        let entry = Entry {
            response,
            bytes,
            use_number: self.uses,
            used: now,
        };
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.by_use.remove(&entry.use_number);
            self.bytes -= entry.bytes;
        }
    }

    fn remove_oldest(&mut self) {
        if let Some((_, key)) = self.by_use.pop_first() {
            self.remove(&key);
        }
    }

    fn remove_unused(&mut self, now: Instant) {
        while let Some((_, key)) = self.by_use.first_key_value() {
            let used = self.entries.get(key).map(|entry| entry.used);
            if used.is_some_and(|used| now.saturating_duration_since(used) < LONGEST_UNUSED) {
                return;
            }
            self.remove_oldest();
        }
    }
}
