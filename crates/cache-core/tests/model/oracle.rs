//! The naive model: vectors, searched from end to end.
//!
//! Expired entries leave the model at once, the cache when it comes across
//! them; so the model counts at least as many expirations at any time, and as
//! many after maintenance.

use crate::ops::{Accept, CLASSES, Half, Key, Reach, TOO_LARGE};

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) value: u32,
    class: usize,
    written: u64,
    tags: Vec<usize>,
}

#[derive(Debug)]
struct Flight {
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
    class: usize,
    flight: usize,
    epoch: usize,
}

/// What a waiter would find.
#[derive(Clone, Copy, Debug)]
enum Seat {
    Waiting,
    Value(u32),
    Elected { epoch: usize },
}

#[derive(Clone, Copy, Debug)]
struct Waiter {
    key: Key,
    class: usize,
    flight: usize,
    epoch: usize,
    seat: Seat,
}

#[derive(Debug)]
pub(crate) enum Found {
    Hit { value: u32, age: u64, ttl: u64 },
    Miss(Permit),
    InFlight(usize),
}

#[derive(Debug)]
pub(crate) enum Polled {
    Pending,
    Value(u32),
    Permit(Permit),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) invalidations: u64,
    pub(crate) expirations: u64,
    pub(crate) coalesced: u64,
    pub(crate) refused: u64,
    pub(crate) rejected: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    Stored,
    Invalidated,
    Superseded,
    TooLarge,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Insert {
    New,
    Replaced(u32),
    Rejected,
}

#[derive(Debug)]
pub(crate) struct Model {
    now: u64,
    pub(crate) ttls: [u64; CLASSES],
    pub(crate) entries: Vec<Entry>,
    flights: Vec<Flight>,
    waiters: Vec<Option<Waiter>>,
    events: Vec<Reach>,
    stamps: usize,
    pub(crate) counts: Counts,
}

impl Model {
    pub(crate) fn new(ttls: [u64; CLASSES]) -> Self {
        Self {
            now: 0,
            ttls,
            entries: Vec::new(),
            flights: Vec::new(),
            waiters: Vec::new(),
            events: Vec::new(),
            stamps: 0,
            counts: Counts::default(),
        }
    }

    fn expire(&mut self) {
        let before = self.entries.len();
        let (now, ttls) = (self.now, self.ttls);
        self.entries
            .retain(|entry| now - entry.written <= ttls[entry.class]);
        self.counts.expirations += (before - self.entries.len()) as u64;
    }

    pub(crate) fn advance(&mut self, by: u64) {
        self.now += by;
        self.expire();
    }

    pub(crate) fn set_ttl(&mut self, class: usize, ttl: u64) {
        self.ttls[class] = ttl;
        self.expire();
    }

    /// The value, its age, and its TTL for the reader.
    pub(crate) fn get(&mut self, key: Key, class: usize, max_age: u64) -> Option<(u32, u64, u64)> {
        let found = self.entries.iter().find(|entry| entry.key == key);
        let found = found.and_then(|entry| {
            let ttl = self.ttls[entry.class].min(self.ttls[class]);
            let age = self.now - entry.written;
            (age <= ttl && age <= max_age).then_some((entry.value, age, ttl))
        });
        match found {
            Some(_) => self.counts.hits += 1,
            None => self.counts.misses += 1,
        }
        found
    }

    pub(crate) fn lookup(&mut self, key: Key, class: usize, accept: Accept) -> Found {
        let max_age = match accept {
            Accept::Any => Some(u64::MAX),
            Accept::MaxAge(age) => Some(age),
            Accept::Nothing => None,
        };
        match max_age {
            None => self.counts.misses += 1,
            Some(max_age) => {
                if let Some((value, age, ttl)) = self.get(key, class, max_age) {
                    return Found::Hit { value, age, ttl };
                }
            }
        }
        let epoch = self.events.len();
        self.stamps += 1;
        let open = self.flights.iter_mut().find(|f| f.key == key && f.joinable);
        if let (Some(flight), Some(_)) = (open, max_age) {
            let number = self.waiters.len();
            flight.waiters.push(number);
            self.waiters.push(Some(Waiter {
                key,
                class,
                flight: flight.id,
                epoch,
                seat: Seat::Waiting,
            }));
            return Found::InFlight(number);
        }
        self.flights.push(Flight {
            id: self.stamps,
            key,
            issued: self.stamps,
            joinable: max_age.is_some(),
            waiters: Vec::new(),
            elected: None,
        });
        Found::Miss(Permit {
            key,
            class,
            flight: self.stamps,
            epoch,
        })
    }

    fn serve(&mut self, waiters: &[usize], value: u32) {
        for &number in waiters {
            self.waiters[number].as_mut().unwrap().seat = Seat::Value(value);
            self.counts.coalesced += 1;
        }
    }

    fn position(&self, flight: usize) -> Option<usize> {
        self.flights.iter().position(|f| f.id == flight)
    }

    fn hand_over(&mut self, flight: usize) {
        self.stamps += 1;
        let Some(at) = self.position(flight) else {
            return;
        };
        if self.flights[at].waiters.is_empty() {
            self.flights.remove(at);
            return;
        }
        let epoch = self.events.len();
        let number = self.flights[at].waiters.remove(0);
        self.flights[at].issued = self.stamps;
        self.flights[at].elected = Some(number);
        self.waiters[number].as_mut().unwrap().seat = Seat::Elected { epoch };
    }

    /// Ends the flights of `key` issued up to `limit`, with a value.
    fn land(&mut self, key: Key, limit: usize, value: u32) {
        let (ended, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.flights)
            .into_iter()
            .partition(|f| f.key == key && f.issued <= limit);
        self.flights = rest;
        for flight in ended {
            self.serve(&flight.waiters, value);
            // Whoever was elected but did not look yet gets the value instead.
            if let Some(number) = flight.elected {
                if let Some(Waiter {
                    seat: Seat::Elected { .. },
                    ..
                }) = self.waiters[number]
                {
                    self.serve(&[number], value);
                }
            }
        }
    }

    /// The first event after `epoch` that reaches what a permit wants to store.
    fn conflict(&self, permit: Permit, value: u32, tags: Option<&[usize]>) -> Option<usize> {
        let reaches = |event: &Reach| match *event {
            Reach::Key(Key { half, .. }) | Reach::Half(Half(half)) => half == permit.key.half,
            Reach::Tag(tag) => tags.is_none_or(|tags| tags.contains(&tag)),
            Reach::Class(class) => class == permit.class,
            Reach::Remainder(remainder) => value % 3 == remainder,
            Reach::All => true,
        };
        let after = self.events[permit.epoch..].iter().position(reaches);
        after.map(|offset| permit.epoch + offset + 1)
    }

    fn refuse(&mut self, permit: Permit, conflict: usize, value: u32) {
        let at = self.position(permit.flight).unwrap();
        let waiters = std::mem::take(&mut self.flights[at].waiters);
        let (served, rest): (Vec<_>, Vec<_>) = waiters
            .into_iter()
            .partition(|&number| self.waiters[number].unwrap().epoch < conflict);
        self.flights[at].waiters = rest;
        self.serve(&served, value);
        self.counts.refused += 1;
        self.hand_over(permit.flight);
    }

    pub(crate) fn fill(&mut self, permit: Permit, value: u32, tags: &[usize]) -> Fill {
        let Some(at) = self.position(permit.flight) else {
            self.counts.refused += 1;
            return Fill::Superseded;
        };
        if let Some(conflict) = self.conflict(permit, value, Some(tags)) {
            self.refuse(permit, conflict, value);
            return Fill::Invalidated;
        }
        let limit = self.flights[at].issued;
        match self.store(permit.key, value, permit.class, tags, limit) {
            Insert::Rejected => Fill::TooLarge,
            Insert::New | Insert::Replaced(_) => Fill::Stored,
        }
    }

    pub(crate) fn share(&mut self, permit: Permit, value: u32) {
        let Some(at) = self.position(permit.flight) else {
            self.counts.refused += 1;
            return;
        };
        if let Some(conflict) = self.conflict(permit, value, None) {
            self.refuse(permit, conflict, value);
            return;
        }
        let flight = self.flights.remove(at);
        self.serve(&flight.waiters, value);
    }

    pub(crate) fn drop_permit(&mut self, permit: Permit) {
        self.hand_over(permit.flight);
    }

    pub(crate) fn poll(&mut self, number: usize) -> Polled {
        let waiter = self.waiters[number].unwrap();
        let polled = match waiter.seat {
            Seat::Waiting => return Polled::Pending,
            Seat::Value(value) => Polled::Value(value),
            Seat::Elected { epoch } => Polled::Permit(Permit {
                key: waiter.key,
                class: waiter.class,
                flight: waiter.flight,
                epoch,
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

    pub(crate) fn insert(&mut self, key: Key, value: u32, class: usize, tags: &[usize]) -> Insert {
        self.store(key, value, class, tags, usize::MAX)
    }

    fn store(
        &mut self,
        key: Key,
        value: u32,
        class: usize,
        tags: &[usize],
        limit: usize,
    ) -> Insert {
        self.land(key, limit, value);
        let old = self.entries.iter().position(|entry| entry.key == key);
        let old = old.map(|at| self.entries.remove(at));
        if value % TOO_LARGE == 0 {
            self.counts.rejected += 1;
            return Insert::Rejected;
        }
        self.entries.push(Entry {
            key,
            value,
            class,
            written: self.now,
            tags: tags.to_vec(),
        });
        old.map_or(Insert::New, |old| Insert::Replaced(old.value))
    }

    pub(crate) fn invalidate(&mut self, reach: Reach) -> usize {
        self.events.push(reach);
        let before = self.entries.len();
        self.entries.retain(|entry| !match reach {
            Reach::Key(key) => entry.key == key,
            Reach::Half(Half(half)) => entry.key.half == half,
            Reach::Tag(tag) => entry.tags.contains(&tag),
            Reach::Class(class) => entry.class == class,
            Reach::Remainder(remainder) => entry.value % 3 == remainder,
            Reach::All => true,
        });
        let removed = before - self.entries.len();
        self.counts.invalidations += removed as u64;
        removed
    }
}
