//! The permits that callers hold between a look-up and its fill.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::auth::Caller;

/// Names a permit. Nobody can guess it: it is a random number of 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct PermitId(u128);

impl PermitId {
    fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(u128::from_le_bytes(bytes)))
    }
}

impl fmt::Display for PermitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The text is not the identifier of a permit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAPermit;

impl FromStr for PermitId {
    type Err = NotAPermit;

    fn from_str(text: &str) -> Result<Self, NotAPermit> {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(is_hex) {
            return Err(NotAPermit);
        }
        u128::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| NotAPermit)
    }
}

/// Room for one permit, or for one look-up that waits for one.
pub(super) struct PermitPlace {
    _number: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

/// Permits of type `P` that callers hold.
pub(super) struct Permits<P> {
    held: Mutex<Table<P>>,
    places: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

struct Table<P> {
    permits: HashMap<PermitId, Held<P>>,
    /// The permits by their deadlines.
    deadlines: BTreeSet<(Instant, PermitId)>,
}

struct Held<P> {
    permit: P,
    caller: Caller,
    deadline: Instant,
    _place: PermitPlace,
}

impl<P> Table<P> {
    fn remove(&mut self, id: PermitId) -> Option<Held<P>> {
        let held = self.permits.remove(&id)?;
        self.deadlines.remove(&(held.deadline, id));
        Some(held)
    }
}

impl<P> Permits<P> {
    /// Room for so many permits, which hold so many bytes together.
    pub(super) fn new(places: usize, bytes: usize) -> Self {
        let semaphore = |most: usize| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self {
            held: Mutex::new(Table {
                permits: HashMap::new(),
                deadlines: BTreeSet::new(),
            }),
            places: semaphore(places),
            bytes: semaphore(bytes),
        }
    }

    /// Room for a permit of so many bytes; `None` if there is none left.
    pub(super) fn reserve(&self, bytes: usize) -> Option<PermitPlace> {
        let bytes = u32::try_from(bytes).ok()?;
        let number = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let bytes = Arc::clone(&self.bytes).try_acquire_many_owned(bytes).ok()?;
        Some(PermitPlace {
            _number: number,
            _bytes: bytes,
        })
    }

    /// Keeps a permit for `caller` until the deadline, and returns its name.
    ///
    /// # Errors
    /// The system has no random numbers; the permit is dropped.
    pub(super) fn hold(
        &self,
        permit: P,
        caller: Caller,
        place: PermitPlace,
        deadline: Instant,
    ) -> Result<PermitId, getrandom::Error> {
        let id = PermitId::random()?;
        let mut table = self.held.lock();
        table.deadlines.insert((deadline, id));
        let held = Held {
            permit,
            caller,
            deadline,
            _place: place,
        };
        table.permits.insert(id, held);
        Ok(id)
    }

    /// The permit of that name, which ends here; `None` if `caller` does not hold it, or
    /// its deadline has passed.
    pub(super) fn take(&self, id: PermitId, caller: &Caller, now: Instant) -> Option<P> {
        let mut table = self.held.lock();
        let held = table.permits.get(&id)?;
        if held.deadline <= now || !held.caller.is_same(caller) {
            return None;
        }
        table.remove(id).map(|held| held.permit)
    }

    /// Takes the permits whose deadlines have passed. Dropping one passes it to the next
    /// caller that waits.
    pub(super) fn expire(&self, now: Instant) -> Vec<P> {
        let mut expired = Vec::new();
        let mut table = self.held.lock();
        while let Some(&(deadline, id)) = table.deadlines.first()
            && deadline <= now
        {
            // Both hold the same permits.
            table.deadlines.pop_first();
            expired.extend(table.permits.remove(&id).map(|held| held.permit));
        }
        expired
    }

    /// How many permits are held.
    pub(super) fn open(&self) -> usize {
        self.held.lock().permits.len()
    }
}

#[cfg(test)]
mod tests;
