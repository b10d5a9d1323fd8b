//! The guard of a fill: ends it, or hands it over to a waiter when dropped.

use std::sync::Arc;

use super::request::Request;
use crate::{
    clock::{Moment, nanos},
    deferred::Deferred,
    error::{FillError, Refusal},
    fill::{Fill, FillKind, Terms},
    hit::Hit,
    invalidation::log::{Selector, Subject, Verdict},
    listener::Removed,
    policy::FillCost,
    seeded_bugs,
    single_flight::in_flight::{FillResult, HandOver},
    store::shard::insertion::NewEntry,
    store::{Insertion, Locked, Store},
};

/// How often a fill checks the log again because more invalidations arrived. After that it
/// counts as invalidated, so that a fill ends under any load. (Small under shuttle, whose
/// schedules are short, so that it runs out there.)
const MAX_RETRIES: usize = if cfg!(shuttle) { 1 } else { 16 };

/// A permit without its key. Dropping it hands the fill over.
pub(super) struct FillGuard<K, V> {
    pub(super) inner: Arc<Store<K, V>>,
    pub(super) request: Request,
    pub(super) fill_id: u64,
    pub(super) epoch: u64,
    pub(super) since: Moment,
    pub(super) hold: Hold,
}

/// What dropping the guard does.
#[derive(Clone, Copy)]
pub(super) enum Hold {
    /// The fill is in flight: hand it over.
    InFlight,
    /// The fill has ended: uncount the permit.
    Ended,
    /// A waiter holds the fill and counts as its permit: nothing.
    Passed,
}

/// The outcome of one attempt to end a fill with a value.
enum Step<K, V> {
    /// More invalidations arrived: check them, then try again.
    Again(K, V),
    Done(Result<(), Refusal>),
}

/// More invalidations arrived since the log was checked.
struct EpochMoved;

impl<K: Eq + Clone, V: Clone> FillGuard<K, V> {
    /// Ends the fill with a value.
    pub(super) fn fill(mut self, mut key: K, fill: Fill<V>) -> Result<(), Refusal> {
        let Fill {
            mut value,
            mut terms,
        } = fill;
        terms.tags.sort();
        let weight = self.inner.weigh(&key, &value, self.request.class, &terms);
        let mut verdict = Verdict {
            upto: self.epoch,
            conflict: None,
        };
        let mut retries = MAX_RETRIES;
        loop {
            let subject = Subject {
                hash: self.request.hash,
                key: &key,
                value: Some(&value),
                class: self.request.class,
                tags: (terms.kind != FillKind::Shared).then_some(&terms.tags),
            };
            // Predicates of the user run here, without a lock.
            verdict = self.inner.log.check(verdict.upto, &subject);
            match self.attempt(key, value, (&terms, weight), &verdict, retries == 0) {
                Step::Done(outcome) => return outcome,
                Step::Again(same_key, same_value) => (key, value) = (same_key, same_value),
            }
            retries -= 1;
        }
    }

    /// Ends the fill, unless the epoch moved since `verdict`. The `last` attempt ends it
    /// in any case.
    fn attempt(
        &mut self,
        key: K,
        value: V,
        (terms, weight): (&Terms, Result<u32, Refusal>),
        verdict: &Verdict,
        last: bool,
    ) -> Step<K, V> {
        let inner = Arc::clone(&self.inner);
        let expiry = inner.expiry();
        // Declared before the lock guard, so that they drop after the lock is released.
        let mut after = Deferred::new(&inner.listener);
        let mut _rejected = None;
        let mut shard = inner.lock_for(self.request.hash);
        let is_in_flight = shard.in_flight.contains(self.request.hash, self.fill_id);
        if !is_in_flight && !seeded_bugs::outlive_flight() {
            shard.fills.refused += 1;
            self.hold = Hold::Ended;
            return Step::Done(Err(Refusal::Superseded));
        }
        let Ok(conflict) = self.conflict(verdict, last) else {
            return Step::Again(key, value);
        };
        let outcome = match (conflict, terms.kind) {
            (Some(conflict), kind) => {
                self.refuse(&mut shard, conflict, &mut after);
                after.duties().keys.push(key);
                after.duties().result = Some(FillResult::value(value, kind));
                Err(Refusal::Invalidated)
            }
            (None, FillKind::Shared) => {
                after.end_fill(shard.in_flight.end(self.request.hash, self.fill_id));
                shard.fills.coalesced += after.waiting() as u64;
                after.duties().keys.push(key);
                after.duties().result = Some(FillResult::Value(value));
                self.hold = Hold::Ended;
                Err(Refusal::Shared)
            }
            (None, FillKind::Value | FillKind::Negative) => {
                let took = expiry.now.since(self.since);
                let new = NewEntry {
                    hash: self.request.hash,
                    key,
                    value,
                    class: self.request.class,
                    terms,
                    cost: FillCost::of(nanos(took)),
                    past: None,
                };
                let insertion = Insertion {
                    new,
                    weight,
                    fill_id: Some(self.fill_id),
                };
                let outcome = inner.insert(&mut shard, insertion, expiry, &mut after);
                self.hold = Hold::Ended;
                outcome.map_err(|(refusal, entry)| {
                    _rejected = Some(entry);
                    refusal
                })
            }
        };
        drop(shard);
        after.run(&inner.log);
        inner.trim(inner.shard_of(self.request.hash), expiry);
        Step::Done(outcome)
    }

    /// The epoch of an invalidation that reaches the fill. Called under the lock of the
    /// shard: a later invalidation has either moved the epoch by now, or will visit the
    /// shard after the fill. If the epoch moved, the log must be checked again, unless
    /// this is the `last` attempt.
    fn conflict(&self, verdict: &Verdict, last: bool) -> Result<Option<u64>, EpochMoved> {
        let moved = self.inner.log.epoch() != verdict.upto && !seeded_bugs::skip_epoch_check();
        match verdict.conflict {
            Some(conflict) => Ok(Some(conflict)),
            None if moved && !last => Err(EpochMoved),
            None if seeded_bugs::store_when_tired() => Ok(None),
            None => Ok(moved.then(|| verdict.upto.saturating_add(1))),
        }
    }

    /// Makes the fill exclusive: any other value for the key ends it. Returns the live
    /// entry.
    pub(super) fn exclude_others(&self, key: &K) -> Option<Hit<V>> {
        let hash = self.request.hash;
        let expiry = self.inner.expiry();
        let mut shard = self.inner.lock_for(hash);
        shard.in_flight.make_exclusive(hash, self.fill_id);
        shard.peek(hash, key, expiry).map(Hit::from)
    }

    /// Invalidates the key, unless the fill has ended.
    pub(super) fn remove(self, key: K) -> Result<(), Refusal> {
        let hash = self.request.hash;
        let inner = Arc::clone(&self.inner);
        inner.log.record(Selector::Key(hash));
        let expiry = inner.expiry();
        let mut removed_entries = Removed::new(&inner.listener);
        let mut shard = inner.lock_for(hash);
        if !shard.in_flight.contains(hash, self.fill_id) && !seeded_bugs::remove_unseen() {
            return Err(Refusal::Superseded);
        }
        shard.invalidate_key(hash, &key, expiry, &mut removed_entries);
        drop(shard);
        Ok(())
    }

    /// Ends the fill with an error.
    pub(super) fn fail(mut self, key: K, error: FillError) -> Result<Hit<V>, FillError> {
        let (inner, request) = (Arc::clone(&self.inner), self.request);
        let expiry = inner.expiry();
        // Declared before the lock guard, so that it drops after the lock is released.
        let mut after = Deferred::new(&inner.listener);
        let mut verdict = Verdict {
            upto: self.epoch,
            conflict: None,
        };
        let mut retries = MAX_RETRIES;
        let (mut shard, conflict) = loop {
            // The records that the error depends on are unknown: any tag and any
            // predicate counts as reaching it.
            let subject = Subject {
                hash: request.hash,
                key: &key,
                value: None,
                class: request.class,
                tags: None,
            };
            verdict = inner.log.check(verdict.upto, &subject);
            let shard = inner.lock_for(request.hash);
            match self.conflict(&verdict, retries == 0) {
                Ok(conflict) => break (shard, conflict),
                Err(EpochMoved) => retries -= 1,
            }
        };
        // The entry is in the shard, so no invalidation has reached it, and waiters that
        // began after one may get it too.
        let stand_in = shard.stand_in(request.hash, &key, expiry).map(Hit::from);
        shard.fills.failed += 1;
        match conflict.filter(|_| !seeded_bugs::fail_later_waiters()) {
            // Waiters that began after the invalidation must not get the error.
            Some(conflict) => {
                let (hash, id) = (request.hash, self.fill_id);
                after.duties().waiters = shard.in_flight.split_before(hash, id, conflict);
                self.hold = self.hand_over(&mut shard, &mut after);
            }
            // If the fill has ended, a newer value ended it, and that value is served
            // instead of the error.
            None => {
                after.end_fill(shard.in_flight.end(request.hash, self.fill_id));
                self.hold = Hold::Ended;
            }
        }
        shard.fills.coalesced += after.waiting() as u64;
        drop(shard);
        after.duties().keys.push(key);
        if after.waiting() > 0 {
            after.duties().result = Some(FillResult::Failed {
                error: Arc::clone(&error),
                stand_in: stand_in.clone(),
            });
        }
        after.run(&inner.log);
        request.accept(stand_in, &inner.classes).ok_or(error)
    }

    /// Serves the waiters that began before the invalidation `conflict`, and hands the
    /// fill over to one of the others.
    fn refuse(
        &mut self,
        shard: &mut Locked<'_, K, V>,
        conflict: u64,
        after: &mut Deferred<'_, K, V>,
    ) {
        let (hash, id) = (self.request.hash, self.fill_id);
        after.duties().waiters = shard.in_flight.split_before(hash, id, conflict);
        shard.fills.coalesced += after.waiting() as u64;
        shard.fills.refused += 1;
        self.hold = self.hand_over(shard, after);
    }
}

impl<K, V> FillGuard<K, V> {
    /// Hands the fill over to the next waiter, or ends it if there is none.
    fn hand_over(&self, shard: &mut Locked<'_, K, V>, after: &mut Deferred<'_, K, V>) -> Hold {
        let epoch = if seeded_bugs::hand_over_the_old_epoch() {
            self.epoch
        } else {
            self.inner.log.epoch()
        };
        match shard
            .in_flight
            .hand_over(self.request.hash, self.fill_id, epoch)
        {
            HandOver::Elected(waker) => {
                after.duties().elected = waker;
                Hold::Passed
            }
            HandOver::Over(fill) => {
                after.end_fill(fill);
                Hold::Ended
            }
        }
    }
}

impl<K, V> Drop for FillGuard<K, V> {
    fn drop(&mut self) {
        // No entry is removed.
        let mut after = Deferred::new(&None);
        if let Hold::InFlight = self.hold {
            let inner = Arc::clone(&self.inner);
            let mut shard = inner.lock_for(self.request.hash);
            self.hold = self.hand_over(&mut shard, &mut after);
        }
        if let Hold::Ended = self.hold {
            self.inner.log.close();
        }
        after.run(&self.inner.log);
    }
}
