//! The invalidation log: recent invalidations, which fills in flight are checked against.
//!
//! Each invalidation increments the *epoch* and is recorded with it before it removes
//! entries. A permit carries the epoch at which it was issued. A fill is stored only if
//! no recorded invalidation after that epoch reaches it, and if the epoch has not moved
//! between this check and the store, under the lock of the shard.
//! `docs/invalidation.md` has the complete argument. Its two halves:
//!
//! 1. *Either the fill sees the invalidation, or the invalidation sees the entry.* Both
//!    lock the shard. If the invalidation is first, the fill reads a moved epoch under
//!    that lock. If the fill is first, the invalidation finds the entry and removes it.
//! 2. *Without outstanding permits, nothing need be recorded.* An invalidation moves the
//!    epoch, then reads the number of permits; a permit increments that number, then reads
//!    the epoch. In the single total order of these four operations, an invalidation that
//!    reads zero precedes the increment, so the permit's epoch includes it.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    class::TtlClass,
    seeded_bugs,
    store::tags::{TagId, TagSet},
    sync::{AtomicU64, Mutex, Ordering},
};

/// The capacity of the log. The fill of a permit that is older than a dropped event is
/// refused. (Small under shuttle and loom, whose schedules are short, so that they exceed
/// it.)
const REMEMBERED: usize = if cfg!(any(shuttle, memory_model)) {
    2
} else {
    1_024
};

/// The memory order of counting a permit. It must be sequentially consistent: a permit
/// writes one atomic and reads the other, an invalidation does the reverse, and with
/// acquire and release each could miss the write of the other.
const COUNTING: Ordering = if seeded_bugs::count_weakly() {
    Ordering::AcqRel
} else {
    Ordering::SeqCst
};

/// A predicate on keys and values.
pub type Predicate<K, V> = Arc<dyn Fn(&K, &V) -> bool + Send + Sync>;

/// What an invalidation selects.
pub(crate) enum Selector<K, V> {
    /// Keys with this hash. A different key with the same hash is reached too, which is
    /// harmless and rare.
    Key(u64),
    Tag(TagId),
    Class(TtlClass),
    If(Predicate<K, V>),
    All,
    /// The union of these selectors.
    Any(Arc<[Selector<K, V>]>),
}

impl<K, V> Clone for Selector<K, V> {
    fn clone(&self) -> Self {
        match self {
            Self::Key(hash) => Self::Key(*hash),
            Self::Tag(tag) => Self::Tag(*tag),
            Self::Class(class) => Self::Class(*class),
            Self::If(predicate) => Self::If(Arc::clone(predicate)),
            Self::All => Self::All,
            Self::Any(selectors) => Self::Any(Arc::clone(selectors)),
        }
    }
}

/// What a fill stores or shares, as selectors see it.
pub(crate) struct Subject<'a, K, V> {
    pub(crate) hash: u64,
    pub(crate) key: &'a K,
    /// `None` for an error, which every predicate reaches.
    pub(crate) value: Option<&'a V>,
    pub(crate) class: TtlClass,
    /// `None` if the records that it depends on are unknown; then every tag reaches it.
    pub(crate) tags: Option<&'a TagSet>,
}

impl<K, V> Selector<K, V> {
    fn reaches(&self, subject: &Subject<'_, K, V>) -> bool {
        match self {
            Self::Key(hash) => *hash == subject.hash,
            Self::Tag(tag) => subject.tags.is_none_or(|tags| tags.contains(*tag)),
            Self::Class(class) => *class == subject.class,
            Self::If(predicate) => subject
                .value
                .is_none_or(|value| predicate(subject.key, value)),
            Self::All => true,
            Self::Any(selectors) => selectors.iter().any(|selector| selector.reaches(subject)),
        }
    }
}

struct Recent<K, V> {
    events: VecDeque<(u64, Selector<K, V>)>,
    /// The newest epoch whose event was dropped because the log was full.
    floor: u64,
}

/// The result of checking a fill against the log.
pub(crate) struct Verdict {
    /// All events up to this epoch were checked.
    pub(crate) upto: u64,
    /// The first epoch whose event reaches the subject.
    pub(crate) conflict: Option<u64>,
}

pub(crate) struct InvalidationLog<K, V> {
    epoch: AtomicU64,
    permits: AtomicU64,
    recent: Mutex<Recent<K, V>>,
}

impl<K, V> InvalidationLog<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            epoch: AtomicU64::new(0),
            permits: AtomicU64::new(0),
            recent: Mutex::new(Recent {
                events: VecDeque::new(),
                floor: 0,
            }),
        }
    }

    /// The number of invalidations so far.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Records an invalidation that is about to begin.
    pub(crate) fn record(&self, selector: Selector<K, V>) {
        // A forgotten selector may own a predicate of the user, whose drop must
        // not run under the lock: this lives longer than the guard.
        let mut _forgotten = None;
        let mut recent = self.recent.lock();
        // The epoch moves under the lock, so that a thread that sees it moved finds the
        // event after taking the lock.
        let epoch = self.epoch.fetch_add(1, Ordering::SeqCst) + 1;
        if self.permits.load(Ordering::SeqCst) == 0 {
            return;
        }
        if recent.events.len() >= REMEMBERED {
            _forgotten = recent.events.pop_front();
            if let Some((oldest, _)) = &_forgotten
                && !seeded_bugs::forget_floor()
            {
                recent.floor = *oldest;
            }
        }
        recent.events.push_back((epoch, selector));
    }

    /// Counts a new permit and returns the epoch it is issued at.
    pub(crate) fn open(&self) -> u64 {
        if seeded_bugs::read_epoch_before_counting() {
            let epoch = self.epoch();
            self.permits.fetch_add(1, Ordering::SeqCst);
            return epoch;
        }
        self.permits.fetch_add(1, COUNTING);
        self.epoch()
    }

    /// Ends a permit. The last one to end empties the log.
    pub(crate) fn close(&self) {
        if self.permits.fetch_sub(1, Ordering::SeqCst) > 1 {
            return;
        }
        let mut _forgotten = VecDeque::new();
        let mut recent = self.recent.lock();
        // A permit reads the epoch after it is counted. If none is counted now, all later
        // permits start at the present epoch or a later one, and need none of these events.
        let none_left = self.permits.load(Ordering::SeqCst) == 0;
        if none_left || seeded_bugs::close_without_recheck() {
            _forgotten = std::mem::take(&mut recent.events);
        }
    }

    /// Checks a subject that was read at epoch `after`. Predicates run without a lock.
    pub(crate) fn check(&self, after: u64, subject: &Subject<'_, K, V>) -> Verdict {
        if self.epoch() == after {
            return Verdict {
                upto: after,
                conflict: None,
            };
        }
        let (upto, forgotten, events) = {
            let recent = self.recent.lock();
            let start = recent.events.partition_point(|(epoch, _)| *epoch <= after);
            let events: Vec<_> = recent.events.range(start..).cloned().collect();
            (self.epoch(), recent.floor > after, events)
        };
        let conflict = if forgotten {
            // The dropped event may have reached the subject.
            Some(after.saturating_add(1))
        } else {
            events
                .iter()
                .find(|(_, selector)| selector.reaches(subject))
                .map(|(epoch, _)| *epoch)
        };
        Verdict { upto, conflict }
    }

    /// The number of recorded events, and of outstanding permits.
    #[cfg(test)]
    pub(crate) fn size(&self) -> (usize, u64) {
        let remembered = self.recent.lock().events.len();
        (remembered, self.permits.load(Ordering::SeqCst))
    }
}

#[cfg(all(test, not(any(shuttle, memory_model))))]
mod tests {
    use super::*;

    fn subject<'a>(hash: u64) -> Subject<'a, u32, u32> {
        Subject {
            hash,
            key: &0,
            value: Some(&0),
            class: TtlClass::DEFAULT,
            tags: None,
        }
    }

    #[test]
    fn nothing_is_remembered_without_permits() {
        let log = InvalidationLog::<u32, u32>::new();
        log.record(Selector::All);
        assert_eq!((log.epoch(), log.size()), (1, (0, 0)));

        assert_eq!((log.open(), log.open()), (1, 1));
        log.record(Selector::Key(7));
        assert_eq!(log.size(), (1, 2));
        log.close();
        assert_eq!(log.check(1, &subject(7)).conflict, Some(2));
        assert_eq!(log.check(1, &subject(8)).conflict, None);
        log.close();
        assert_eq!(log.size(), (0, 0));
    }

    #[test]
    fn what_was_forgotten_counts_against_the_fill() {
        let log = InvalidationLog::<u32, u32>::new();
        let old = log.open();
        log.record(Selector::Key(1));
        let young = log.open();
        for _ in 0..REMEMBERED {
            log.record(Selector::Key(2));
        }
        assert_eq!(log.size(), (REMEMBERED, 2));
        assert_eq!(log.check(old, &subject(3)).conflict, Some(old + 1));
        assert_eq!(log.check(young, &subject(3)).conflict, None);
    }
}
