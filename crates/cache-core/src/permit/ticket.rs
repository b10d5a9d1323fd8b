//! What a permit does with its flight: end it, or hand it over.

use std::{
    hash::{BuildHasher, Hash},
    sync::Arc,
};

use super::Request;
use crate::{
    aftermath::Aftermath,
    clock::{Clock, Moment, nanos},
    error::{FillError, Refusal},
    flight::{Given, HandOver},
    freshness::FillCost,
    inner::{Entering, Inner, Locked},
    log::{Subject, Verdict},
    lookup::Hit,
    shard::NewEntry,
    tags::TagSet,
};

/// How often a fill looks at invalidations anew because more arrived meanwhile.
/// After that it counts as invalidated: a fill must end, however busy others
/// are.
/// (Explored schedules are short: there it is little, so that it runs out.)
const PATIENCE: usize = if cfg!(shuttle) { 1 } else { 16 };

/// A permit without its key: what must be handed over when dropped.
pub(super) struct Ticket<K, V, C, S> {
    pub(super) inner: Arc<Inner<K, V, C, S>>,
    pub(super) request: Request,
    pub(super) flight: u64,
    pub(super) epoch: u64,
    pub(super) since: Moment,
    pub(super) hold: Hold,
}

/// What a ticket still has to do when it is dropped.
#[derive(Clone, Copy)]
pub(super) enum Hold {
    /// It holds the flight, and must hand it over.
    Flying,
    /// The flight is over; the permit must be uncounted.
    Landed,
    /// The flight has another holder, who counts in its place.
    Passed,
}

/// What a look at the flight and the log made of a value.
enum Step<K, V> {
    /// More invalidations arrived: judge them, then try again.
    Again(K, V),
    Done(Result<(), Refusal>),
}

/// There were invalidations since a verdict was made.
struct Moved;

/// What the holder of a permit wants done with a value.
#[derive(Clone, Copy)]
pub(super) enum Intent<'a> {
    /// Store it, with these tags and this weight, unless the weight says why
    /// not.
    Fill {
        tags: &'a TagSet,
        weight: Result<u32, Refusal>,
        negative: bool,
    },
    /// Only give it to those who wait.
    Share,
}

impl<K, V, C, S> Ticket<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// Ends the flight with a value.
    pub(super) fn finish(
        mut self,
        mut key: K,
        mut value: V,
        intent: Intent<'_>,
    ) -> Result<(), Refusal> {
        let mut verdict = Verdict {
            upto: self.epoch,
            conflict: None,
        };
        let mut patience = PATIENCE;
        loop {
            let subject = Subject {
                hash: self.request.hash,
                key: &key,
                value: Some(&value),
                class: self.request.class,
                tags: match intent {
                    Intent::Fill { tags, .. } => Some(tags),
                    Intent::Share => None,
                },
            };
            // Predicates of the user run here, unlocked.
            verdict = self.inner.log.judge(verdict.upto, &subject);
            match self.attempt(key, value, intent, &verdict, patience == 0) {
                Step::Done(outcome) => return outcome,
                Step::Again(same_key, same_value) => (key, value) = (same_key, same_value),
            }
            patience -= 1;
        }
    }

    /// Ends the flight unless the epoch moved since the verdict. The `last`
    /// attempt ends it in any case.
    fn attempt(
        &mut self,
        key: K,
        value: V,
        intent: Intent<'_>,
        verdict: &Verdict,
        last: bool,
    ) -> Step<K, V> {
        let inner = Arc::clone(&self.inner);
        let judge = inner.judge();
        // Declared before the guard, so that they are dropped after it.
        let mut after = Aftermath::new(&inner.listener);
        let mut _rejected = None;
        let mut shard = inner.lock_for(self.request.hash);
        let flies = shard.flights.contains(self.request.hash, self.flight);
        if !flies && !cfg!(mutant = "outlive_flight") {
            shard.fills.refused += 1;
            self.hold = Hold::Landed;
            return Step::Done(Err(Refusal::Superseded));
        }
        let Ok(conflict) = self.conflict(verdict, last) else {
            return Step::Again(key, value);
        };
        let outcome = match (conflict, intent) {
            (Some(conflict), intent) => {
                self.refuse(&mut shard, conflict, &mut after);
                after.duties().keys.push(key);
                after.duties().given = Some(match intent {
                    Intent::Fill { negative: true, .. } => Given::Negative(value),
                    Intent::Fill { .. } | Intent::Share => Given::Value(value),
                });
                Err(Refusal::Invalidated)
            }
            (None, Intent::Share) => {
                after.land(shard.flights.end(self.request.hash, self.flight));
                shard.fills.coalesced += after.waiting() as u64;
                after.duties().keys.push(key);
                after.duties().given = Some(Given::Value(value));
                self.hold = Hold::Landed;
                Ok(())
            }
            (
                None,
                Intent::Fill {
                    tags,
                    weight,
                    negative,
                },
            ) => {
                let took = judge.now.since(self.since);
                let new = NewEntry {
                    hash: self.request.hash,
                    key,
                    value,
                    class: self.request.class,
                    tags,
                    negative,
                    cost: FillCost::of(nanos(took)),
                };
                let entering = Entering {
                    new,
                    weight,
                    flight: Some(self.flight),
                };
                let outcome = inner.enter(&mut shard, entering, judge, &mut after);
                self.hold = Hold::Landed;
                outcome.map_err(|(refusal, entry)| {
                    _rejected = Some(entry);
                    refusal
                })
            }
        };
        drop(shard);
        after.run(&inner.log);
        inner.trim(inner.shard_of(self.request.hash), judge);
        Step::Done(outcome)
    }

    /// The invalidation that reaches the fill, if any does. Under the lock of the
    /// shard, one after the verdict either shows here or has yet to visit this
    /// shard; then the verdict is to be made again, but for the `last` time.
    fn conflict(&self, verdict: &Verdict, last: bool) -> Result<Option<u64>, Moved> {
        let moved = self.inner.log.epoch() != verdict.upto && !cfg!(mutant = "skip_epoch_check");
        match verdict.conflict {
            Some(conflict) => Ok(Some(conflict)),
            None if moved && !last => Err(Moved),
            None if cfg!(mutant = "store_when_tired") => Ok(None),
            None => Ok(moved.then(|| verdict.upto.saturating_add(1))),
        }
    }

    /// Ends the flight with an error.
    pub(super) fn fail(mut self, key: K, error: FillError) -> Result<Hit<V>, FillError> {
        let (inner, request) = (Arc::clone(&self.inner), self.request);
        let judge = inner.judge();
        // Declared before the guard, so that it is dropped after it.
        let mut after = Aftermath::new(&inner.listener);
        let mut verdict = Verdict {
            upto: self.epoch,
            conflict: None,
        };
        let mut patience = PATIENCE;
        let (mut shard, conflict) = loop {
            // Nobody knows what the error depends on: whatever may reach it does.
            let subject = Subject {
                hash: request.hash,
                key: &key,
                value: None,
                class: request.class,
                tags: None,
            };
            verdict = inner.log.judge(verdict.upto, &subject);
            let shard = inner.lock_for(request.hash);
            match self.conflict(&verdict, patience == 0) {
                Ok(conflict) => break (shard, conflict),
                Err(Moved) => patience -= 1,
            }
        };
        // It is in the shard, so that no invalidation reached it: it is good for
        // those who began to wait after one, too.
        let stand_in = shard.stand_in(request.hash, &key, judge).map(Hit::from);
        shard.fills.failed += 1;
        match conflict.filter(|_| !cfg!(mutant = "fail_later_waiters")) {
            // Those who began to wait after it have asked another question.
            Some(conflict) => {
                let (hash, id) = (request.hash, self.flight);
                after.duties().waiters = shard.flights.split_before(hash, id, conflict);
                self.hold = self.pass_on(&mut shard, &mut after);
            }
            // If the flight is over, a newer value has ended it; that is what
            // stands in.
            None => {
                after.land(shard.flights.end(request.hash, self.flight));
                self.hold = Hold::Landed;
            }
        }
        shard.fills.coalesced += after.waiting() as u64;
        drop(shard);
        after.duties().keys.push(key);
        if after.waiting() > 0 {
            after.duties().given = Some(Given::Failed {
                error: Arc::clone(&error),
                stand_in: stand_in.clone(),
            });
        }
        after.run(&inner.log);
        request.accept(stand_in, &inner.classes).ok_or(error)
    }

    /// Serves those who began to wait before invalidation `conflict`, and hands
    /// the flight over to one of the others.
    fn refuse(
        &mut self,
        shard: &mut Locked<'_, K, V>,
        conflict: u64,
        after: &mut Aftermath<'_, K, V>,
    ) {
        let (hash, id) = (self.request.hash, self.flight);
        after.duties().waiters = shard.flights.split_before(hash, id, conflict);
        shard.fills.coalesced += after.waiting() as u64;
        shard.fills.refused += 1;
        self.hold = self.pass_on(shard, after);
    }
}

impl<K, V, C, S> Ticket<K, V, C, S> {
    /// Gives the flight to the next in line, or ends it.
    fn pass_on(&self, shard: &mut Locked<'_, K, V>, after: &mut Aftermath<'_, K, V>) -> Hold {
        let epoch = if cfg!(mutant = "hand_over_the_old_epoch") {
            self.epoch
        } else {
            self.inner.log.epoch()
        };
        match shard
            .flights
            .hand_over(self.request.hash, self.flight, epoch)
        {
            HandOver::Elected(waker) => {
                after.duties().elected = waker;
                Hold::Passed
            }
            HandOver::Over(flight) => {
                after.land(flight);
                Hold::Landed
            }
        }
    }
}

impl<K, V, C, S> Drop for Ticket<K, V, C, S> {
    fn drop(&mut self) {
        // No entry leaves.
        let mut after = Aftermath::new(&None);
        if let Hold::Flying = self.hold {
            let inner = Arc::clone(&self.inner);
            let mut shard = inner.lock_for(self.request.hash);
            self.hold = self.pass_on(&mut shard, &mut after);
        }
        if let Hold::Landed = self.hold {
            self.inner.log.close();
        }
        after.run(&self.inner.log);
    }
}
