//! Flights: the fills under way in a shard, and who waits for them.
//!
//! A flight is born with the permit of the first miss and ends when its value
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
pub(crate) enum Given<V> {
    Value(V),
    Negative(V),
    Failed {
        error: FillError,
        /// What may stand in for the value, as far as its own class goes.
        stand_in: Option<Hit<V>>,
    },
}

impl<V> Given<V> {
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
    Given(Arc<Given<V>>),
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
        // Only a waiter that waits is in a flight, and it is taken out of the
        // flight before anything is put: there is nothing to replace, unless
        // it left meanwhile.
        CellState::Given(_) | CellState::Elected { .. } | CellState::Done => None,
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
pub(crate) struct Joined<V> {
    epoch: u64,
    cell: Arc<Cell<V>>,
}

pub(crate) struct Flight<K, V> {
    key: K,
    hash: u64,
    id: u64,
    /// When the permit was issued, in the shard's order of permits.
    issued: u64,
    /// Whether other misses may wait for it.
    joinable: bool,
    /// Whether any other value ends it, even one that was read before.
    exclusive: bool,
    waiters: BTreeMap<u64, Joined<V>>,
    /// Who was elected last. Once it takes its permit, this means nothing.
    elected: Option<Joined<V>>,
}

/// The outcome of a miss.
pub(crate) enum Boarding<V> {
    /// The miss got a flight of its own.
    Started { id: u64 },
    /// The miss waits for a flight under way.
    Joined {
        id: u64,
        waiter: u64,
        cell: Arc<Cell<V>>,
    },
}

/// What became of a flight whose permit was given up.
pub(crate) enum HandOver<K, V> {
    /// A waiter has the right to fill now; whom to wake.
    Elected(Option<Waker>),
    /// The flight is over: nobody waited (then this is the flight, to be dropped
    /// unlocked), or it had ended before.
    Over(Option<Flight<K, V>>),
}

/// The flights of a shard.
pub(crate) struct Flights<K, V> {
    table: HashTable<Flight<K, V>>,
    /// Source of ids and of the order of permits.
    counter: u64,
}

impl<K, V> Flights<K, V> {
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

    fn get_mut(&mut self, hash: u64, id: u64) -> Option<&mut Flight<K, V>> {
        self.table.find_mut(hash, |flight| flight.id == id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    pub(crate) fn contains(&self, hash: u64, id: u64) -> bool {
        self.table.find(hash, |flight| flight.id == id).is_some()
    }

    /// Takes a waiter out of its flight; `false` if it was no longer there.
    pub(crate) fn leave(&mut self, hash: u64, id: u64, waiter: u64) -> bool {
        self.get_mut(hash, id)
            .is_some_and(|flight| flight.waiters.remove(&waiter).is_some())
    }

    /// Elects the longest-waiting waiter in place of a permit that was given
    /// up, with a fresh `epoch`; ends the flight if nobody waits.
    pub(crate) fn hand_over(&mut self, hash: u64, id: u64, epoch: u64) -> HandOver<K, V> {
        let issued = self.next();
        let Some(flight) = self.get_mut(hash, id) else {
            return HandOver::Over(None);
        };
        match flight.waiters.pop_first() {
            Some((_, joined)) => {
                flight.issued = issued;
                let waker = put(&joined.cell, CellState::Elected { epoch });
                flight.elected = Some(joined);
                HandOver::Elected(waker)
            }
            None => HandOver::Over(self.end(hash, id)),
        }
    }

    /// Ends a flight; its waiters are the caller's to serve.
    pub(crate) fn end(&mut self, hash: u64, id: u64) -> Option<Flight<K, V>> {
        let entry = self.table.find_entry(hash, |flight| flight.id == id).ok()?;
        let (flight, _) = entry.remove();
        // Flights come and go in bursts: after one, the table is given back.
        if self.table.is_empty() && self.table.capacity() > 64 {
            self.table = HashTable::new();
        }
        Some(flight)
    }

    /// How many wait for these flights, at most.
    pub(crate) fn waiting(&self, hash: u64, ids: &[u64]) -> usize {
        ids.iter()
            .filter_map(|id| self.table.find(hash, |flight| flight.id == *id))
            .map(|flight| flight.waiters.len() + usize::from(flight.elected.is_some()))
            .sum()
    }

    /// Takes out the waiters of a flight that began before invalidation
    /// `conflict`: a value read before it is still good for them.
    pub(crate) fn split_before(&mut self, hash: u64, id: u64, conflict: u64) -> Vec<Joined<V>> {
        let Some(flight) = self.get_mut(hash, id) else {
            return Vec::new();
        };
        // The epoch never falls, so waiters stand in its order: one cut
        // separates those who began earlier.
        let later = flight
            .waiters
            .iter()
            .find(|(_, joined)| joined.epoch >= conflict && !seeded_bugs::serve_later_waiters())
            .map(|(&waiter, _)| waiter);
        let rest = later.map_or_else(BTreeMap::new, |first| flight.waiters.split_off(&first));
        let served = std::mem::replace(&mut flight.waiters, rest);
        served.into_values().collect()
    }
}

impl<K: Eq + Clone, V> Flights<K, V> {
    /// Joins the flight for `key`, or starts one. A `solo` flight is always
    /// new, and nobody can join it. `epoch` is the present one.
    pub(crate) fn board(&mut self, hash: u64, key: &K, epoch: u64, solo: bool) -> Boarding<V> {
        let counter = self.next();
        if !solo {
            let open = self.table.find_mut(hash, |flight| {
                flight.joinable && flight.hash == hash && flight.key == *key
            });
            if let Some(flight) = open {
                let cell = Arc::new(Mutex::new(CellState::Waiting(None)));
                let joined = Joined {
                    epoch,
                    cell: Arc::clone(&cell),
                };
                flight.waiters.insert(counter, joined);
                return Boarding::Joined {
                    id: flight.id,
                    waiter: counter,
                    cell,
                };
            }
        }
        self.start(hash, key, counter, !solo, false);
        Boarding::Started { id: counter }
    }

    /// Starts a flight that makes an entry anew, unless one that could be
    /// joined is making it already.
    pub(crate) fn refresh(&mut self, hash: u64, key: &K) -> Option<u64> {
        let open = self.table.find(hash, |flight| {
            flight.joinable && flight.hash == hash && flight.key == *key
        });
        if open.is_some() && !seeded_bugs::refresh_twice() {
            return None;
        }
        let id = self.next();
        self.start(hash, key, id, true, false);
        Some(id)
    }

    /// Makes a flight exclusive: no other value for its key is stored while it lasts
    /// without ending it.
    pub(crate) fn make_exclusive(&mut self, hash: u64, id: u64) {
        if let Some(flight) = self.get_mut(hash, id) {
            flight.exclusive = true;
        }
    }

    fn start(&mut self, hash: u64, key: &K, id: u64, joinable: bool, exclusive: bool) {
        let flight = Flight {
            key: key.clone(),
            hash,
            id,
            issued: id,
            joinable,
            exclusive,
            waiters: BTreeMap::new(),
            elected: None,
        };
        self.table.insert_unique(hash, flight, |flight| flight.hash);
    }

    /// The flights for `key` that a value read by flight `by` ends: itself, those
    /// whose permits are older, and those that are exclusive. A value from outside any
    /// flight (`None`) ends them all.
    pub(crate) fn ended_by(&self, hash: u64, key: &K, by: Option<u64>) -> Vec<u64> {
        let own = by.and_then(|id| self.table.find(hash, |flight| flight.id == id));
        let limit = own.map_or(u64::MAX, |flight| flight.issued);
        self.table
            .iter_hash(hash)
            .filter(|flight| {
                let excludes = flight.exclusive && !seeded_bugs::ignore_older_fills();
                flight.issued <= limit || excludes
            })
            .filter(|flight| flight.hash == hash && flight.key == *key)
            .map(|flight| flight.id)
            .collect()
    }
}

impl<K, V> Flight<K, V> {
    /// What an ended flight leaves. Called under the lock of the shard.
    pub(crate) fn into_parts(self) -> Landed<K, V> {
        let mut waiters: Vec<_> = self.waiters.into_values().collect();
        let mut recalled = false;
        if let Some(joined) = self.elected {
            let mut state = joined.cell.lock();
            // One who has not taken its permit yet need not fill any more: it
            // waits again, like the others, for the value that ended the
            // flight. It was woken, and will look.
            if let CellState::Elected { .. } = *state {
                *state = CellState::Waiting(None);
                recalled = !seeded_bugs::forget_recall();
            }
            drop(state);
            if recalled {
                waiters.push(joined);
            }
        }
        Landed {
            key: self.key,
            waiters,
            recalled,
        }
    }
}

/// What an ended flight leaves.
pub(crate) struct Landed<K, V> {
    /// To be dropped unlocked.
    pub(crate) key: K,
    /// To be served.
    pub(crate) waiters: Vec<Joined<V>>,
    /// Whether a permit was called back, which must be uncounted.
    pub(crate) recalled: bool,
}

/// Gives what the fill came to to waiters who were taken out of their flights,
/// then wakes them and the one who was elected. No lock may be held.
pub(crate) fn serve<V>(waiters: Vec<Joined<V>>, given: Option<Given<V>>, elected: Option<Waker>) {
    if waiters.is_empty() && elected.is_none() {
        return;
    }
    let mut wakers: Vec<_> = elected.into_iter().collect();
    if let Some(given) = given.filter(|_| !waiters.is_empty()) {
        let given = Arc::new(given);
        let served = waiters
            .iter()
            .filter_map(|joined| put(&joined.cell, CellState::Given(Arc::clone(&given))));
        wakers.extend(served);
    }
    if !seeded_bugs::forget_wake() {
        WakeAll(wakers.into_iter()).wake();
    }
}
