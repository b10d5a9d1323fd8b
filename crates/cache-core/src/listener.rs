//! Removed entries, their causes, and the listener.

use smallvec::SmallVec;

/// Why an entry was removed from the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// It had expired: it could no longer be served to any reader.
    Expired,
    /// It was evicted to keep the cache within its bound.
    Evicted,
    /// A newer value was stored under its key, or was refused as too large.
    Replaced,
    /// It was invalidated or removed.
    Invalidated,
}

/// A function that is called for each removed entry.
pub(crate) type Listener<K, V> = Box<dyn Fn(&K, &V, Cause) + Send + Sync>;

/// Removed entries. Calls the listener and drops the entries when it is dropped itself:
/// it is made before the lock of the shard is taken, so that it drops after the lock is
/// released. Most operations remove at most two entries.
pub(crate) struct Removed<'a, K, V> {
    entries: SmallVec<[(K, V, Cause); 2]>,
    listener: Option<&'a Listener<K, V>>,
}

impl<'a, K, V> Removed<'a, K, V> {
    pub(crate) fn new(listener: &'a Option<Listener<K, V>>) -> Self {
        Self {
            entries: SmallVec::new(),
            listener: listener.as_ref(),
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, (key, value): (K, V), cause: Cause) {
        self.entries.push((key, value, cause));
    }

    /// Calls the listener for an entry that the caller keeps.
    pub(crate) fn tell(&self, key: &K, value: &V, cause: Cause) {
        if let Some(listener) = self.listener {
            listener(key, value, cause);
        }
    }
}

impl<K, V> Drop for Removed<'_, K, V> {
    fn drop(&mut self) {
        if let Some(listener) = self.listener {
            for (key, value, cause) in &self.entries {
                listener(key, value, *cause);
            }
        }
    }
}
