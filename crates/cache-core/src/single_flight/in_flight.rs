//! InFlightFills: the fills under way in a shard, and who waits for them.
//!
//! A fill is born with the permit of the first miss and ends when its value
//! is stored or shared, when a newer value supersedes it, or when its permit is
//! dropped and nobody waits. As long as it lasts, exactly one of these holds
//! the right to fill: a permit, or the cell of one elected waiter. All changes
//! are made under the lock of the shard; a cell's own lock nests inside it and
//! holds nothing else.

use std::{collections::BTreeMap, sync::Arc, task::Waker};

use hashbrown::HashTable;

use crate::{error::FillError, fill::FillKind, hit::Hit, seeded_bugs, sync::Mutex};

/// What a fill came to, for those who waited for it.
#[derive(Clone)]
pub(crate) enum FillResult<V> {
    Value(V),
    Negative(V),
    Failed {
        error: FillError,
        /// What may stand in for the value, as far as its own class goes.
        stand_in: Option<Hit<V>>,
    },
}

impl<V> FillResult<V> {
    /// What a value of this kind is to those who waited for it.
    pub(crate) fn value(value: V, kind: FillKind) -> Self {
        match kind {
            FillKind::Negative => Self::Negative(value),
            FillKind::Value | FillKind::Shared => Self::Value(value),
        }
    }
}

/// What a waiter finds when it looks.
pub(crate) enum CellState<V> {
    /// Nothing yet; whom to wake when there is.
    Waiting(Option<Waker>),
    /// What the fill came to. The waiter clones it in its own time, so that no
    /// code of the user runs while it is handed out.
    Ready(Arc<FillResult<V>>),
    /// The right to fill, at this epoch: the permit before was dropped.
    Elected { epoch: u64 },
    /// The waiter took what there was, or left.
    Done,
}

pub(crate) type Cell<V> = Mutex<CellState<V>>;

/// Puts `state` into a cell and returns whom to wake, once no lock is held.
fn put<V>(cell: &Cell<V>, state: CellState<V>) -> Option<Waker> {
    let mut guard = cell.lock();
    match &mut *guard {
        CellState::Waiting(waker) => {
            let waker = waker.take();
            *guard = state;
            waker
        }
        // Only a waiter that waits is in a fill, and it is taken out of the
        // fill before anything is put: there is nothing to replace, unless
        // it left meanwhile.
        CellState::Ready(_) | CellState::Elected { .. } | CellState::Done => None,
    }
}

/// Wakes all, in order, even when one of the wakers panics.
struct WakeAll(std::vec::IntoIter<Waker>);

impl WakeAll {
    fn wake(mut self) {
        self.0.by_ref().for_each(Waker::wake);
    }
}

impl Drop for WakeAll {
    fn drop(&mut self) {
        // Something is left only if a waker panicked.
        self.0.by_ref().for_each(Waker::wake);
    }
}

/// One who waits, and the epoch at which it began.
pub(crate) struct QueuedWaiter<V> {
    epoch: u64,
    cell: Arc<Cell<V>>,
}

pub(crate) struct InFlightFill<K, V> {
    key: K,
    hash: u64,
    id: u64,
    /// When the permit was issued, in the shard's order of permits.
    issued: u64,
    /// Whether other misses may wait for it.
    joinable: bool,
    /// Whether any other value ends it, even one that was read before.
    exclusive: bool,
    waiters: BTreeMap<u64, QueuedWaiter<V>>,
    /// Who was elected last. Once it takes its permit, this means nothing.
    elected: Option<QueuedWaiter<V>>,
}

/// The outcome of a miss.
pub(crate) enum Join<V> {
    /// The miss got a fill of its own.
    Started { id: u64 },
    /// The miss waits for a fill under way.
    Joined {
        id: u64,
        waiter: u64,
        cell: Arc<Cell<V>>,
    },
}

/// What became of a fill whose permit was given up.
pub(crate) enum HandOver<K, V> {
    /// A waiter has the right to fill now; whom to wake.
    Elected(Option<Waker>),
    /// The fill is over: nobody waited (then this is the fill, to be dropped
    /// unlocked), or it had ended before.
    Over(Option<InFlightFill<K, V>>),
}

/// The in_flight of a shard.
pub(crate) struct InFlightFills<K, V> {
    table: HashTable<InFlightFill<K, V>>,
    /// Source of ids and of the order of permits.
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

    /// Takes a waiter out of its fill; `false` if it was no longer there.
    pub(crate) fn leave(&mut self, hash: u64, id: u64, waiter: u64) -> bool {
        self.get_mut(hash, id)
            .is_some_and(|fill| fill.waiters.remove(&waiter).is_some())
    }

    /// Elects the longest-waiting waiter in place of a permit that was given
    /// up, with a fresh `epoch`; ends the fill if nobody waits.
    pub(crate) fn hand_over(&mut self, hash: u64, id: u64, epoch: u64) -> HandOver<K, V> {
        let issued = self.next();
        let Some(fill) = self.get_mut(hash, id) else {
            return HandOver::Over(None);
        };
        match fill.waiters.pop_first() {
            Some((_, joined)) => {
                fill.issued = issued;
                let waker = put(&joined.cell, CellState::Elected { epoch });
                fill.elected = Some(joined);
                HandOver::Elected(waker)
            }
            None => HandOver::Over(self.end(hash, id)),
        }
    }

    /// Ends a fill; its waiters are the caller's to serve.
    pub(crate) fn end(&mut self, hash: u64, id: u64) -> Option<InFlightFill<K, V>> {
        let entry = self.table.find_entry(hash, |fill| fill.id == id).ok()?;
        let (fill, _) = entry.remove();
        // InFlightFills come and go in bursts: after one, the table is given back.
        if self.table.is_empty() && self.table.capacity() > 64 {
            self.table = HashTable::new();
        }
        Some(fill)
    }

    /// How many wait for these in_flight, at most.
    pub(crate) fn waiting(&self, hash: u64, ids: &[u64]) -> usize {
        ids.iter()
            .filter_map(|id| self.table.find(hash, |fill| fill.id == *id))
            .map(|fill| fill.waiters.len() + usize::from(fill.elected.is_some()))
            .sum()
    }

    /// Takes out the waiters of a fill that began before invalidation
    /// `conflict`: a value read before it is still good for them.
    pub(crate) fn split_before(
        &mut self,
        hash: u64,
        id: u64,
        conflict: u64,
    ) -> Vec<QueuedWaiter<V>> {
        let Some(fill) = self.get_mut(hash, id) else {
            return Vec::new();
        };
        // The epoch never falls, so waiters stand in its order: one cut
        // separates those who began earlier.
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
    /// Joins the fill for `key`, or starts one. A `solo` fill is always
    /// new, and nobody can join it. `epoch` is the present one.
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

    /// Starts a fill that makes an entry anew, unless one that could be
    /// joined is making it already.
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

    /// Makes a fill exclusive: no other value for its key is stored while it lasts
    /// without ending it.
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

    /// The in_flight for `key` that a value read by fill `by` ends: itself, those
    /// whose permits are older, and those that are exclusive. A value from outside any
    /// fill (`None`) ends them all.
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
    /// What an ended fill leaves. Called under the lock of the shard.
    pub(crate) fn into_parts(self) -> Ended<K, V> {
        let mut waiters: Vec<_> = self.waiters.into_values().collect();
        let mut recalled = false;
        if let Some(joined) = self.elected {
            let mut state = joined.cell.lock();
            // One who has not taken its permit yet need not fill any more: it
            // waits again, like the others, for the value that ended the
            // fill. It was woken, and will look.
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

/// What an ended fill leaves.
pub(crate) struct Ended<K, V> {
    /// To be dropped unlocked.
    pub(crate) key: K,
    /// To be served.
    pub(crate) waiters: Vec<QueuedWaiter<V>>,
    /// Whether a permit was called back, which must be uncounted.
    pub(crate) recalled: bool,
}

/// Gives what the fill came to to waiters who were taken out of their in_flight,
/// then wakes them and the one who was elected. No lock may be held.
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
