//! Permits: the right, and the duty, to fill a key that was missed.

use std::{
    fmt,
    hash::{BuildHasher, Hash},
    sync::Arc,
};

use hashbrown::DefaultHashBuilder;

use crate::{
    class::TtlClass,
    clock::{Clock, SystemClock},
    error::Refusal,
    flight::HandOver,
    inner::{Aftermath, Entering, Inner, Locked},
    log::{Subject, Verdict},
    tags::TagSet,
};

/// How often a fill looks at invalidations anew because more arrived meanwhile.
/// After that it counts as invalidated: a fill must end, however busy others
/// are.
const PATIENCE: usize = 16;

/// What became of a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The value is in the cache, and with those who waited.
    Stored,
    /// The value is not in the cache. It is still the answer to the request
    /// that began before whatever came between.
    Refused(Refusal),
}

/// The right to fill one key, given to the first who missed it.
///
/// While a permit exists, others who miss the key wait for it. A permit that is
/// dropped, be it by an early return, by a cancelled future or by a panic, goes
/// over to exactly one of them. (A permit that is *forgotten*, with
/// [`std::mem::forget`], keeps them waiting.)
///
/// A permit remembers which invalidations there had been when it was issued: a
/// value read under it is not stored if one that reaches the entry came since.
/// So read the value after you have the permit.
#[must_use = "a dropped permit goes over to another waiter"]
pub struct Permit<K, V, C = SystemClock, S = DefaultHashBuilder> {
    ticket: Ticket<K, V, C, S>,
    key: K,
}

/// A permit without its key: what must be handed over when dropped.
struct Ticket<K, V, C, S> {
    inner: Arc<Inner<K, V, C, S>>,
    hash: u64,
    flight: u64,
    epoch: u64,
    class: TtlClass,
    hold: Hold,
}

/// What a ticket still has to do when it is dropped.
#[derive(Clone, Copy)]
enum Hold {
    /// It holds the flight, and must hand it over.
    Flying,
    /// The flight is over; the permit must be uncounted.
    Landed,
    /// The flight has another holder, who counts in its place.
    Passed,
}

impl<K, V, C, S> Permit<K, V, C, S> {
    pub(crate) fn new(
        inner: Arc<Inner<K, V, C, S>>,
        key: K,
        class: TtlClass,
        hash: u64,
        flight: u64,
        epoch: u64,
    ) -> Self {
        let ticket = Ticket {
            inner,
            hash,
            flight,
            epoch,
            class,
            hold: Hold::Flying,
        };
        Self { ticket, key }
    }

    /// The key to fill.
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// The class that the value will be stored under.
    pub const fn class(&self) -> TtlClass {
        self.ticket.class
    }
}

impl<K, V, C, S> Permit<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// Stores the value with the tags of the records it was read from, and
    /// gives it to all who wait for it.
    ///
    /// It is refused if an invalidation that reaches it (by key, tag, class,
    /// predicate, or of everything) came after the permit was issued; then only
    /// those get it who had begun to wait before that invalidation, and one of
    /// the others gets a permit. It is refused, too, if a newer value was
    /// stored meanwhile, or if the cache cannot hold it.
    ///
    /// Costs one turn of the shard's lock, and a look at each invalidation that
    /// came since the permit was issued.
    ///
    /// ```
    /// use cache_core::{Cache, Filled, Lookup, Refusal, Reuse, TtlClass};
    ///
    /// let cache = Cache::<&str, u32>::builder().max_entries(100).build()?;
    /// let class = TtlClass::LIVE_DATA;
    /// if let Lookup::Miss(permit) = cache.lookup("claims of 7", class, Reuse::Any) {
    ///     let rows = 3; // read from the database
    ///     assert_eq!(permit.fill(rows, &["claim:12"]), Filled::Stored);
    /// }
    ///
    /// // An invalidation beats the fill that it overtakes.
    /// cache.invalidate_tag("claim:12");
    /// if let Lookup::Miss(permit) = cache.lookup("claims of 7", class, Reuse::Any) {
    ///     let rows = 3;
    ///     cache.invalidate_tag("claim:12");
    ///     let filled = permit.fill(rows, &["claim:12"]);
    ///     assert_eq!(filled, Filled::Refused(Refusal::Invalidated));
    /// }
    /// # Ok::<(), cache_core::BuildError>(())
    /// ```
    pub fn fill(self, value: V, tags: &[&str]) -> Filled {
        let tags = TagSet::new(tags, &self.ticket.inner.hasher);
        let weight = self.ticket.inner.weigh(&self.key, &value, &tags);
        match self
            .ticket
            .finish(self.key, value, Intent::Fill(&tags, weight))
        {
            Ok(()) => Filled::Stored,
            Err(refusal) => Filled::Refused(refusal),
        }
    }

    /// Gives the value to all who wait for it, and stores nothing: for an error
    /// or a fallback, which all who asked may share but nobody later.
    ///
    /// As it is not known which records the value depends on, an invalidation
    /// of any tag since the permit was issued counts as reaching it: those who
    /// began to wait after that are not served, and one of them gets a permit.
    pub fn share(self, value: V) {
        // Whether some had to be handed over is theirs to know.
        let _ = self.ticket.finish(self.key, value, Intent::Share);
    }
}

/// What a look at the flight and the log made of a value.
enum Step<K, V> {
    /// More invalidations arrived: judge them, then try again.
    Again(K, V),
    Done(Result<(), Refusal>),
}

/// What the holder of a permit wants done with a value.
#[derive(Clone, Copy)]
enum Intent<'a> {
    /// Store it, with these tags and this weight, unless the weight says why
    /// not.
    Fill(&'a TagSet<'a>, Result<u32, Refusal>),
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
    fn finish(mut self, mut key: K, mut value: V, intent: Intent<'_>) -> Result<(), Refusal> {
        let mut verdict = Verdict {
            upto: self.epoch,
            conflict: None,
        };
        let mut patience = PATIENCE;
        loop {
            let subject = Subject {
                hash: self.hash,
                key: &key,
                value: &value,
                class: self.class,
                tags: match intent {
                    Intent::Fill(tags, _) => Some(tags),
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
        let mut after = Aftermath::new();
        let mut _rejected = None;
        let mut shard = inner.lock_for(self.hash);
        if !shard.flights.contains(self.hash, self.flight) {
            shard.fills.refused += 1;
            self.hold = Hold::Landed;
            return Step::Done(Err(Refusal::Superseded));
        }
        // The look that decides: under the lock, an invalidation either shows
        // here or has yet to visit this shard.
        let moved = inner.log.epoch() != verdict.upto;
        let conflict = match verdict.conflict {
            Some(conflict) => Some(conflict),
            None if moved && !last => return Step::Again(key, value),
            None => moved.then(|| verdict.upto.saturating_add(1)),
        };
        let outcome = match (conflict, intent) {
            (Some(conflict), _) => {
                self.refuse(&mut shard, conflict, &mut after);
                after.keys.push(key);
                after.copy = Some(value);
                Err(Refusal::Invalidated)
            }
            (None, Intent::Share) => {
                after.land(shard.flights.end(self.hash, self.flight));
                shard.fills.coalesced += after.waiters.len() as u64;
                after.keys.push(key);
                after.copy = Some(value);
                self.hold = Hold::Landed;
                Ok(())
            }
            (None, Intent::Fill(tags, weight)) => {
                let entering = Entering {
                    hash: self.hash,
                    key,
                    value,
                    class: self.class,
                    tags,
                    weight,
                    flight: Some(self.flight),
                };
                let entered = inner.enter(&mut shard, entering, judge, &mut after);
                self.hold = Hold::Landed;
                after.garbage.extend(entered.replaced);
                entered.outcome.map_err(|(refusal, entry)| {
                    _rejected = Some(entry);
                    refusal
                })
            }
        };
        drop(shard);
        after.run(&inner.log);
        inner.trim(inner.shard_of(self.hash), judge);
        Step::Done(outcome)
    }

    /// Serves those who began to wait before invalidation `conflict`, and hands
    /// the flight over to one of the others.
    fn refuse(&mut self, shard: &mut Locked<'_, K, V>, conflict: u64, after: &mut Aftermath<K, V>) {
        let (hash, id) = (self.hash, self.flight);
        after.waiters = shard.flights.split_before(hash, id, conflict);
        shard.fills.coalesced += after.waiters.len() as u64;
        shard.fills.refused += 1;
        self.hold = self.pass_on(shard, after);
    }
}

impl<K, V, C, S> Ticket<K, V, C, S> {
    /// Gives the flight to the next in line, or ends it.
    fn pass_on(&self, shard: &mut Locked<'_, K, V>, after: &mut Aftermath<K, V>) -> Hold {
        let epoch = self.inner.log.epoch();
        match shard.flights.hand_over(self.hash, self.flight, epoch) {
            HandOver::Elected(waker) => {
                after.elected = waker;
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
        let mut after = Aftermath::new();
        if let Hold::Flying = self.hold {
            let inner = Arc::clone(&self.inner);
            let mut shard = inner.lock_for(self.hash);
            self.hold = self.pass_on(&mut shard, &mut after);
        }
        if let Hold::Landed = self.hold {
            self.inner.log.close();
        }
        after.run(&self.inner.log);
    }
}

impl<K: fmt::Debug, V, C, S> fmt::Debug for Permit<K, V, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
