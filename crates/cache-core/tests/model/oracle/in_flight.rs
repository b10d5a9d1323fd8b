//! The model's fills in flight and their waiters.

use cache_core::Refusal;

use super::{Model, NewEntry, Told};
use crate::{
    ops::{Half, Key, Reach},
    policy::{Phase, Traits},
};

#[derive(Debug)]
pub(super) struct InFlight {
    id: usize,
    key: Key,
    issued: usize,
    joinable: bool,
    waiters: Vec<usize>,
    elected: Option<usize>,
}

/// The model's permit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permit {
    pub(crate) key: Key,
    pub(crate) class: usize,
    takes_stale: bool,
    in_flight: usize,
    epoch: usize,
    since: u64,
}

/// The result of a fill.
#[derive(Clone, Copy, Debug)]
enum Given {
    Value(u32),
    Negative(u32),
    Failed { error: u32, stand_in: Option<Told> },
}

/// The state of a waiter.
#[derive(Clone, Copy, Debug)]
enum Seat {
    Waiting,
    Given(Given),
    Elected { epoch: usize },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Waiter {
    key: Key,
    class: usize,
    takes_stale: bool,
    in_flight: usize,
    epoch: usize,
    seat: Seat,
}

#[derive(Debug)]
pub(crate) enum Polled {
    Pending,
    Value(u32),
    Negative(u32),
    Stale(Told),
    Failed(u32),
    Permit(Permit),
}

impl Model {
    /// The fill of `key` that can be joined.
    pub(super) fn joinable(&self, key: Key) -> Option<usize> {
        let mut in_flight = self.in_flight.iter();
        in_flight.position(|in_flight| in_flight.key == key && in_flight.joinable)
    }

    /// Starts a fill.
    pub(super) fn start(
        &mut self,
        key: Key,
        class: usize,
        takes_stale: bool,
        joinable: bool,
    ) -> Permit {
        let id = self.stamp();
        self.in_flight.push(InFlight {
            id,
            key,
            issued: id,
            joinable,
            waiters: Vec::new(),
            elected: None,
        });
        Permit {
            key,
            class,
            takes_stale,
            in_flight: id,
            epoch: self.events.len(),
            since: self.now,
        }
    }

    /// Joins the fill of `key`.
    pub(super) fn join(&mut self, key: Key, class: usize, takes_stale: bool) -> usize {
        let at = self.joinable(key).unwrap();
        let number = self.waiters.len();
        self.in_flight[at].waiters.push(number);
        self.waiters.push(Some(Waiter {
            key,
            class,
            takes_stale,
            in_flight: self.in_flight[at].id,
            epoch: self.events.len(),
            seat: Seat::Waiting,
        }));
        number
    }

    fn serve(&mut self, waiters: &[usize], given: Given) {
        for &number in waiters {
            self.waiters[number].as_mut().unwrap().seat = Seat::Given(given);
            self.counts.coalesced += 1;
        }
    }

    fn position(&self, in_flight: usize) -> Option<usize> {
        self.in_flight.iter().position(|f| f.id == in_flight)
    }

    fn hand_over(&mut self, in_flight: usize) {
        let issued = self.stamp();
        let Some(at) = self.position(in_flight) else {
            return;
        };
        if self.in_flight[at].waiters.is_empty() {
            self.in_flight.remove(at);
            return;
        }
        let epoch = self.events.len();
        let number = self.in_flight[at].waiters.remove(0);
        self.in_flight[at].issued = issued;
        self.in_flight[at].elected = Some(number);
        self.waiters[number].as_mut().unwrap().seat = Seat::Elected { epoch };
    }

    /// Ends the fills that a value to be stored supersedes, with that value.
    pub(super) fn end_superseded(&mut self, new: &NewEntry<'_>) {
        let given = if new.negative {
            Given::Negative(new.value)
        } else {
            Given::Value(new.value)
        };
        let (ended, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.in_flight)
            .into_iter()
            .partition(|f| f.key == new.key && f.issued <= new.limit);
        self.in_flight = rest;
        for in_flight in ended {
            self.serve(&in_flight.waiters, given);
            // An elected waiter that has not been polled yet gets the value instead.
            if let Some(number) = in_flight.elected
                && let Some(Waiter {
                    seat: Seat::Elected { .. },
                    ..
                }) = self.waiters[number]
            {
                self.serve(&[number], given);
            }
        }
    }

    /// The first event after `epoch` that reaches the value of a permit.
    fn conflict(
        &self,
        permit: Permit,
        value: Option<u32>,
        tags: Option<&[usize]>,
    ) -> Option<usize> {
        let is_of = |remainder| value.is_none_or(|value| value % 3 == remainder);
        let reaches = |event: &Reach| match *event {
            Reach::Key(Key { half, .. }) | Reach::Half(Half(half)) => half == permit.key.half,
            Reach::Tag(tag) => tags.is_none_or(|tags| tags.contains(&tag)),
            Reach::Class(class) => class == permit.class,
            Reach::Remainder(remainder) => is_of(remainder),
            Reach::Several(key, tag, class, remainder) => {
                key.half == permit.key.half
                    || tags.is_none_or(|tags| tags.contains(&tag))
                    || class == permit.class
                    || is_of(remainder)
            }
            Reach::All => true,
        };
        let after = self.events[permit.epoch..].iter().position(reaches);
        after.map(|offset| permit.epoch + offset + 1)
    }

    fn refuse(&mut self, permit: Permit, conflict: usize, given: Given) {
        self.counts.refused += 1;
        self.split(permit, conflict, given);
    }

    /// Serves the waiters that began before the event, and hands the fill over to one of
    /// the others.
    fn split(&mut self, permit: Permit, conflict: usize, given: Given) {
        let at = self.position(permit.in_flight).unwrap();
        let waiters = std::mem::take(&mut self.in_flight[at].waiters);
        let (served, rest): (Vec<_>, Vec<_>) = waiters
            .into_iter()
            .partition(|&number| self.waiters[number].unwrap().epoch < conflict);
        self.in_flight[at].waiters = rest;
        self.serve(&served, given);
        self.hand_over(permit.in_flight);
    }

    pub(crate) fn fill(
        &mut self,
        permit: Permit,
        value: u32,
        tags: &[usize],
        negative: bool,
    ) -> Result<(), Refusal> {
        let Some(at) = self.position(permit.in_flight) else {
            self.counts.refused += 1;
            return Err(Refusal::Superseded);
        };
        if let Some(conflict) = self.conflict(permit, Some(value), Some(tags)) {
            let given = if negative {
                Given::Negative(value)
            } else {
                Given::Value(value)
            };
            self.refuse(permit, conflict, given);
            return Err(Refusal::Invalidated);
        }
        let stored = self.store(&NewEntry {
            key: permit.key,
            value,
            class: permit.class,
            tags,
            negative,
            // Negative entries are never refreshed early.
            cost: if negative { 0 } else { self.now - permit.since },
            limit: self.in_flight[at].issued,
        });
        stored.map(drop)
    }

    pub(crate) fn share(&mut self, permit: Permit, value: u32) {
        let Some(at) = self.position(permit.in_flight) else {
            self.counts.refused += 1;
            return;
        };
        if let Some(conflict) = self.conflict(permit, Some(value), None) {
            self.refuse(permit, conflict, Given::Value(value));
            return;
        }
        let in_flight = self.in_flight.remove(at);
        self.serve(&in_flight.waiters, Given::Value(value));
    }

    /// The entry that the holder of the permit is served instead of the error.
    pub(crate) fn fail(&mut self, permit: Permit, error: u32) -> Option<Told> {
        self.counts.failed += 1;
        // Any entry that is not expired under its own class is served.
        let entry = self.entries.iter().find(|entry| entry.key == permit.key);
        let entry = entry.filter(|entry| !entry.negative);
        let stand_in = entry.map(|entry| Told {
            value: entry.value,
            age: self.now - entry.written,
            ttl: self.policies[entry.class].life(entry.traits()).unwrap(),
        });
        let given = Given::Failed { error, stand_in };
        if let Some(at) = self.position(permit.in_flight) {
            match self.conflict(permit, None, None) {
                Some(conflict) => self.split(permit, conflict, given),
                None => {
                    let in_flight = self.in_flight.remove(at);
                    self.serve(&in_flight.waiters, given);
                }
            }
        }
        self.accept(permit.key, permit.class, permit.takes_stale, stand_in)
    }

    /// The entry to serve for a failed fill, if the request accepts it.
    fn accept(
        &self,
        key: Key,
        class: usize,
        takes_stale: bool,
        stand_in: Option<Told>,
    ) -> Option<Told> {
        let told = stand_in.filter(|_| takes_stale)?;
        let policy = self.policies[class];
        let traits = Traits {
            key,
            negative: false,
            own: None,
            read_at: told.age,
        };
        let ttl = told.ttl.min(policy.life(traits)?);
        let gone = policy.phase(traits, told.age) == Phase::Gone;
        (!gone).then_some(Told { ttl, ..told })
    }

    pub(crate) fn drop_permit(&mut self, permit: Permit) {
        self.hand_over(permit.in_flight);
    }

    pub(crate) fn poll(&mut self, number: usize) -> Polled {
        let waiter = self.waiters[number].unwrap();
        let Waiter {
            key,
            class,
            takes_stale,
            ..
        } = waiter;
        let polled = match waiter.seat {
            Seat::Waiting => return Polled::Pending,
            Seat::Given(Given::Value(value)) => Polled::Value(value),
            Seat::Given(Given::Negative(value)) => Polled::Negative(value),
            Seat::Given(Given::Failed { error, stand_in }) => {
                match self.accept(key, class, takes_stale, stand_in) {
                    Some(told) => Polled::Stale(told),
                    None => Polled::Failed(error),
                }
            }
            Seat::Elected { epoch } => Polled::Permit(Permit {
                key,
                class,
                takes_stale,
                in_flight: waiter.in_flight,
                epoch,
                since: self.now,
            }),
        };
        self.waiters[number] = None;
        polled
    }

    pub(crate) fn drop_waiter(&mut self, number: usize) {
        let waiter = self.waiters[number].take().unwrap();
        if let Some(at) = self.position(waiter.in_flight) {
            self.in_flight[at].waiters.retain(|&other| other != number);
        }
        if let Seat::Elected { .. } = waiter.seat {
            self.hand_over(waiter.in_flight);
        }
    }
}
