//! Entries that leave: why, and who is told.

use smallvec::SmallVec;

/// Why an entry left the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// It had expired: it was of no use to anyone.
    Expired,
    /// It had to make room.
    Evicted,
    /// A newer value was stored under its key, or was too large to be.
    Replaced,
    /// It was invalidated or removed.
    Invalidated,
}

/// Who is told of each entry that left.
pub(crate) type Listener<K, V> = Box<dyn Fn(&K, &V, Cause) + Send + Sync>;

/// Entries that left, to be told of and dropped once the lock is released. Made
/// before the lock is taken, so that it is dropped after it in any case. Most
/// operations leave two at most.
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

    /// Tells of an entry that goes elsewhere.
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
