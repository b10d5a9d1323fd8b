//! The fills in flight of a shard, and their waiters.
//!
//! A fill starts with the permit of the first miss. It ends when its value is stored or
//! shared, when it fails, when a newer value supersedes it, or when its permit is dropped
//! and nobody waits. Until then exactly one holder has the right to fill: a permit, or the
//! cell of one elected waiter. All changes are made under the lock of the shard. The lock
//! of a cell nests inside it, and no other lock is taken under that.

use std::{collections::BTreeMap, sync::Arc, task::Waker};

use hashbrown::HashTable;

use crate::{error::FillError, fill::FillKind, hit::Hit, seeded_bugs, sync::Mutex};

/// The result of a fill, for its waiters.
#[derive(Clone)]
pub(crate) enum FillResult<V> {
    Value(V),
    Negative(V),
    Failed {
        error: FillError,
        /// The entry that may be served instead, by the policy of its own class.
        stand_in: Option<Hit<V>>,
    },
}

impl<V> FillResult<V> {
    /// The result for waiters of a value of this kind.
    pub(crate) fn value(value: V, kind: FillKind) -> Self {
        match kind {
            FillKind::Negative => Self::Negative(value),
            FillKind::Value | FillKind::Shared => Self::Value(value),
        }
    }
}

/// The state of a waiter's cell.
pub(crate) enum CellState<V> {
    /// The fill is in flight; the waker of the waiter's task.
    Waiting(Option<Waker>),
    /// The fill has ended. The waiter clones the result when it is polled, so that no
    /// user code runs while the result is handed out.
    Ready(Arc<FillResult<V>>),
    /// The permit was dropped, and this waiter has the right to fill, at this epoch.
    Elected { epoch: u64 },
    /// The waiter took the result or the right, or was dropped.
    Done,
}

pub(crate) type Cell<V> = Mutex<CellState<V>>;

/// Sets the state of a waiting cell and returns the waker, to be woken without a lock.
fn put<V>(cell: &Cell<V>, state: CellState<V>) -> Option<Waker> {
    let mut guard = cell.lock();
    match &mut *guard {
        CellState::Waiting(waker) => {
            let waker = waker.take();
            *guard = state;
            waker
        }
        // Only waiting cells are in a fill, and each is taken out before its state is
        // set. So the state differs only if the waiter was dropped in the meantime.
        CellState::Ready(_) | CellState::Elected { .. } | CellState::Done => None,
    }
}

/// Wakes all wakers in order, even if one of them panics.
struct WakeAll(std::vec::IntoIter<Waker>);

impl WakeAll {
    fn wake(mut self) {
        self.0.by_ref().for_each(Waker::wake);
    }
}

impl Drop for WakeAll {
    fn drop(&mut self) {
        // Wakers are left only if one panicked.
        self.0.by_ref().for_each(Waker::wake);
    }
}

/// A waiter of a fill, and the epoch at which it began to wait.
pub(crate) struct QueuedWaiter<V> {
    epoch: u64,
    cell: Arc<Cell<V>>,
}

/// A fill in flight.
pub(crate) struct InFlightFill<K, V> {
    key: K,
    hash: u64,
    id: u64,
    /// The number of the permit, in the order in which the shard issued them.
    issued: u64,
    /// Whether other misses may wait for it.
    joinable: bool,
    /// Whether any other value ends it, even one that was read earlier.
    exclusive: bool,
    waiters: BTreeMap<u64, QueuedWaiter<V>>,
    /// The waiter that was elected last. Irrelevant once it has taken its permit.
    elected: Option<QueuedWaiter<V>>,
}

/// The outcome of a miss.
pub(crate) enum Join<V> {
    /// The miss started a fill.
    Started { id: u64 },
    /// The miss waits for a fill in flight.
    Joined {
        id: u64,
        waiter: u64,
        cell: Arc<Cell<V>>,
    },
}

/// The outcome of handing over a fill whose permit was dropped.
pub(crate) enum HandOver<K, V> {
    /// A waiter has the right to fill; its waker.
    Elected(Option<Waker>),
    /// The fill has ended: just now because nobody waited (this is the fill, to be
    /// dropped without a lock), or earlier (`None`).
    Over(Option<InFlightFill<K, V>>),
}

/// The fills in flight of a shard.
pub(crate) struct InFlightFills<K, V> {
    table: HashTable<InFlightFill<K, V>>,
    /// The last id, waiter number or permit number that was issued.
    counter: u64,
}

impl<K, V> InFlightFills<K, V> {
    pub(crate) const fn new() -> Self {
        Self {
            table: HashTable::new(),
            counter: 0,
        }
    }

    fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn get_mut(&mut self, hash: u64, id: u64) -> Option<&mut InFlightFill<K, V>> {
        self.table.find_mut(hash, |fill| fill.id == id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    pub(crate) fn contains(&self, hash: u64, id: u64) -> bool {
        self.table.find(hash, |fill| fill.id == id).is_some()
    }

    /// Takes a waiter out of its fill; `false` if it is not there.
    pub(crate) fn leave(&mut self, hash: u64, id: u64, waiter: u64) -> bool {
        self.get_mut(hash, id)
            .is_some_and(|fill| fill.waiters.remove(&waiter).is_some())
    }

    /// Passes the right to fill from a dropped permit to the waiter that waits longest,
    /// at the present `epoch`. Ends the fill if nobody waits.
    pub(crate) fn hand_over(&mut self, hash: u64, id: u64, epoch: u64) -> HandOver<K, V> {
        let issued = self.next();
        let Some(fill) = self.get_mut(hash, id) else {
            return HandOver::Over(None);
        };
        match fill.waiters.pop_first() {
            Some((_, joined)) => {
                fill.issued = issued;
                // That was the wish of the permit that was given up.
                fill.exclusive = false;
                let waker = put(&joined.cell, CellState::Elected { epoch });
                fill.elected = Some(joined);
                HandOver::Elected(waker)
            }
            None => HandOver::Over(self.end(hash, id)),
        }
    }

    /// Ends a fill. The caller must serve its waiters.
    pub(crate) fn end(&mut self, hash: u64, id: u64) -> Option<InFlightFill<K, V>> {
        let entry = self.table.find_entry(hash, |fill| fill.id == id).ok()?;
        let (fill, _) = entry.remove();
        // Fills come in bursts. The memory of a large table is freed after one.
        if self.table.is_empty() && self.table.capacity() > 64 {
            self.table = HashTable::new();
        }
        Some(fill)
    }

    /// An upper bound on the number of waiters of these fills.
    pub(crate) fn waiting(&self, hash: u64, ids: &[u64]) -> usize {
        ids.iter()
            .filter_map(|id| self.table.find(hash, |fill| fill.id == *id))
            .map(|fill| fill.waiters.len() + usize::from(fill.elected.is_some()))
            .sum()
    }

    /// Takes out the waiters that began before the invalidation `conflict`. They may get
    /// a value that was read before it.
    pub(crate) fn split_before(
        &mut self,
        hash: u64,
        id: u64,
        conflict: u64,
    ) -> Vec<QueuedWaiter<V>> {
        let Some(fill) = self.get_mut(hash, id) else {
            return Vec::new();
        };
        // Epochs never decrease, so waiters are ordered by epoch and one cut separates
        // the earlier ones.
        let later = fill
            .waiters
            .iter()
            .find(|(_, joined)| joined.epoch >= conflict && !seeded_bugs::serve_later_waiters())
            .map(|(&waiter, _)| waiter);
        let rest = later.map_or_else(BTreeMap::new, |first| fill.waiters.split_off(&first));
        let served = std::mem::replace(&mut fill.waiters, rest);
        served.into_values().collect()
    }
}

impl<K: Eq + Clone, V> InFlightFills<K, V> {
    /// Joins the fill of `key`, or starts one. A `solo` fill is always a new one, and
    /// cannot be joined. `epoch` is the present epoch.
    pub(crate) fn join(&mut self, hash: u64, key: &K, epoch: u64, solo: bool) -> Join<V> {
        let counter = self.next();
        if !solo {
            let open = self.table.find_mut(hash, |fill| {
                fill.joinable && fill.hash == hash && fill.key == *key
            });
            if let Some(fill) = open {
                let cell = Arc::new(Mutex::new(CellState::Waiting(None)));
                let joined = QueuedWaiter {
                    epoch,
                    cell: Arc::clone(&cell),
                };
                fill.waiters.insert(counter, joined);
                return Join::Joined {
                    id: fill.id,
                    waiter: counter,
                    cell,
                };
            }
        }
        self.start(hash, key, counter, !solo, false);
        Join::Started { id: counter }
    }

    /// Starts a fill that refreshes an entry, unless a fill of the key that can be joined
    /// is in flight.
    pub(crate) fn refresh(&mut self, hash: u64, key: &K) -> Option<u64> {
        let open = self.table.find(hash, |fill| {
            fill.joinable && fill.hash == hash && fill.key == *key
        });
        if open.is_some() && !seeded_bugs::refresh_twice() {
            return None;
        }
        let id = self.next();
        self.start(hash, key, id, true, false);
        Some(id)
    }

    /// Makes a fill exclusive: any other value that is stored under its key ends it.
    pub(crate) fn make_exclusive(&mut self, hash: u64, id: u64) {
        if let Some(fill) = self.get_mut(hash, id) {
            fill.exclusive = true;
        }
    }

    fn start(&mut self, hash: u64, key: &K, id: u64, joinable: bool, exclusive: bool) {
        let fill = InFlightFill {
            key: key.clone(),
            hash,
            id,
            issued: id,
            joinable,
            exclusive,
            waiters: BTreeMap::new(),
            elected: None,
        };
        self.table.insert_unique(hash, fill, |fill| fill.hash);
    }

    /// The fills of `key` that a value of fill `by` ends: that fill, those with older
    /// permits, and exclusive ones. An inserted value (`None`) ends all of them.
    pub(crate) fn ended_by(&self, hash: u64, key: &K, by: Option<u64>) -> Vec<u64> {
        let own = by.and_then(|id| self.table.find(hash, |fill| fill.id == id));
        let limit = own.map_or(u64::MAX, |fill| fill.issued);
        self.table
            .iter_hash(hash)
            .filter(|fill| {
                let excludes = fill.exclusive && !seeded_bugs::ignore_older_fills();
                fill.issued <= limit || excludes
            })
            .filter(|fill| fill.hash == hash && fill.key == *key)
            .map(|fill| fill.id)
            .collect()
    }
}

impl<K, V> InFlightFill<K, V> {
    /// Takes an ended fill apart. Called under the lock of the shard.
    pub(crate) fn into_parts(self) -> Ended<K, V> {
        let mut waiters: Vec<_> = self.waiters.into_values().collect();
        let mut recalled = false;
        if let Some(joined) = self.elected {
            let mut state = joined.cell.lock();
            // An elected waiter that has not taken its permit yet need not fill: it gets
            // the value that ended the fill, like the others. It is woken already.
            if let CellState::Elected { .. } = *state {
                *state = CellState::Waiting(None);
                recalled = !seeded_bugs::forget_recall();
            }
            drop(state);
            if recalled {
                waiters.push(joined);
            }
        }
        Ended {
            key: self.key,
            waiters,
            recalled,
        }
    }
}

/// The parts of an ended fill.
pub(crate) struct Ended<K, V> {
    /// To be dropped without a lock.
    pub(crate) key: K,
    /// To be served.
    pub(crate) waiters: Vec<QueuedWaiter<V>>,
    /// Whether the permit of an elected waiter was recalled and must be uncounted.
    pub(crate) recalled: bool,
}

/// Gives the result to waiters that were taken out of their fills, then wakes them and the
/// elected waiter. No lock may be held.
pub(crate) fn serve<V>(
    waiters: Vec<QueuedWaiter<V>>,
    result: Option<FillResult<V>>,
    elected: Option<Waker>,
) {
    if waiters.is_empty() && elected.is_none() {
        return;
    }
    let mut wakers: Vec<_> = elected.into_iter().collect();
    if let Some(result) = result.filter(|_| !waiters.is_empty()) {
        let result = Arc::new(result);
        let served = waiters
            .iter()
            .filter_map(|joined| put(&joined.cell, CellState::Ready(Arc::clone(&result))));
        wakers.extend(served);
    }
    if !seeded_bugs::forget_wake() {
        WakeAll(wakers.into_iter()).wake();
    }
}
