//! The fills under way, and who waits for them, as the model knows them.

use cache_core::Refusal;

use super::{Arrival, Model, Told};
use crate::{
    ops::{Half, Key, Reach},
    policy::{Phase, Traits},
};

#[derive(Debug)]
pub(super) struct Flight {
    id: usize,
    key: Key,
    issued: usize,
    joinable: bool,
    waiters: Vec<usize>,
    elected: Option<usize>,
}

/// A permit as the model knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permit {
    pub(crate) key: Key,
    pub(crate) class: usize,
    takes_stale: bool,
    flight: usize,
    epoch: usize,
    since: u64,
}

/// What a fill came to.
#[derive(Clone, Copy, Debug)]
enum Given {
    Value(u32),
    Negative(u32),
    Failed { error: u32, stand_in: Option<Told> },
}

/// What a waiter would find.
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
    flight: usize,
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
    /// The flight for `key` that others may wait for.
    pub(super) fn open_flight(&self, key: Key) -> Option<usize> {
        let mut flights = self.flights.iter();
        flights.position(|flight| flight.key == key && flight.joinable)
    }

    /// Starts a flight.
    pub(super) fn take_off(
        &mut self,
        key: Key,
        class: usize,
        takes_stale: bool,
        joinable: bool,
    ) -> Permit {
        let id = self.stamp();
        self.flights.push(Flight {
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
            flight: id,
            epoch: self.events.len(),
            since: self.now,
        }
    }

    /// Waits for the flight that is open for `key`.
    pub(super) fn join(&mut self, key: Key, class: usize, takes_stale: bool) -> usize {
        let at = self.open_flight(key).unwrap();
        let number = self.waiters.len();
        self.flights[at].waiters.push(number);
        self.waiters.push(Some(Waiter {
            key,
            class,
            takes_stale,
            flight: self.flights[at].id,
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

    fn position(&self, flight: usize) -> Option<usize> {
        self.flights.iter().position(|f| f.id == flight)
    }

    fn hand_over(&mut self, flight: usize) {
        let issued = self.stamp();
        let Some(at) = self.position(flight) else {
            return;
        };
        if self.flights[at].waiters.is_empty() {
            self.flights.remove(at);
            return;
        }
        let epoch = self.events.len();
        let number = self.flights[at].waiters.remove(0);
        self.flights[at].issued = issued;
        self.flights[at].elected = Some(number);
        self.waiters[number].as_mut().unwrap().seat = Seat::Elected { epoch };
    }

    /// Ends the flights that a value on its way in supersedes, with that value.
    pub(super) fn land(&mut self, arrival: &Arrival<'_>) {
        let given = if arrival.negative {
            Given::Negative(arrival.value)
        } else {
            Given::Value(arrival.value)
        };
        let (ended, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.flights)
            .into_iter()
            .partition(|f| f.key == arrival.key && f.issued <= arrival.limit);
        self.flights = rest;
        for flight in ended {
            self.serve(&flight.waiters, given);
            // Whoever was elected but did not look yet gets the value instead.
            if let Some(number) = flight.elected
                && let Some(Waiter {
                    seat: Seat::Elected { .. },
                    ..
                }) = self.waiters[number]
            {
                self.serve(&[number], given);
            }
        }
    }

    /// The first event after `epoch` that reaches what a permit wants to store.
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

    /// Serves those who began to wait before the event, and hands the flight over
    /// to one of the others.
    fn split(&mut self, permit: Permit, conflict: usize, given: Given) {
        let at = self.position(permit.flight).unwrap();
        let waiters = std::mem::take(&mut self.flights[at].waiters);
        let (served, rest): (Vec<_>, Vec<_>) = waiters
            .into_iter()
            .partition(|&number| self.waiters[number].unwrap().epoch < conflict);
        self.flights[at].waiters = rest;
        self.serve(&served, given);
        self.hand_over(permit.flight);
    }

    pub(crate) fn fill(
        &mut self,
        permit: Permit,
        value: u32,
        tags: &[usize],
        negative: bool,
    ) -> Result<(), Refusal> {
        let Some(at) = self.position(permit.flight) else {
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
        let stored = self.store(&Arrival {
            key: permit.key,
            value,
            class: permit.class,
            tags,
            negative,
            // Nobody refreshes a negative entry early.
            cost: if negative { 0 } else { self.now - permit.since },
            limit: self.flights[at].issued,
        });
        stored.map(drop)
    }

    pub(crate) fn share(&mut self, permit: Permit, value: u32) {
        let Some(at) = self.position(permit.flight) else {
            self.counts.refused += 1;
            return;
        };
        if let Some(conflict) = self.conflict(permit, Some(value), None) {
            self.refuse(permit, conflict, Given::Value(value));
            return;
        }
        let flight = self.flights.remove(at);
        self.serve(&flight.waiters, Given::Value(value));
    }

    /// What stands in for the value, for the holder of the permit.
    pub(crate) fn fail(&mut self, permit: Permit, error: u32) -> Option<Told> {
        self.counts.failed += 1;
        // What its own class keeps, however old, stands in.
        let entry = self.entries.iter().find(|entry| entry.key == permit.key);
        let entry = entry.filter(|entry| !entry.negative);
        let stand_in = entry.map(|entry| Told {
            value: entry.value,
            age: self.now - entry.written,
            ttl: self.policies[entry.class].life(entry.traits()).unwrap(),
        });
        let given = Given::Failed { error, stand_in };
        if let Some(at) = self.position(permit.flight) {
            match self.conflict(permit, None, None) {
                Some(conflict) => self.split(permit, conflict, given),
                None => {
                    let flight = self.flights.remove(at);
                    self.serve(&flight.waiters, given);
                }
            }
        }
        self.accept(permit.key, permit.class, permit.takes_stale, stand_in)
    }

    /// What stands in, if it is good for one who asked for this.
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
        self.hand_over(permit.flight);
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
                flight: waiter.flight,
                epoch,
                since: self.now,
            }),
        };
        self.waiters[number] = None;
        polled
    }

    pub(crate) fn drop_waiter(&mut self, number: usize) {
        let waiter = self.waiters[number].take().unwrap();
        if let Some(at) = self.position(waiter.flight) {
            self.flights[at].waiters.retain(|&other| other != number);
        }
        if let Seat::Elected { .. } = waiter.seat {
            self.hand_over(waiter.flight);
        }
    }
}
