//! Permits: the right, and the duty, to fill a key that was missed.

use std::{
    error::Error,
    fmt,
    hash::{BuildHasher, Hash},
    sync::Arc,
    time::Duration,
};

use hashbrown::DefaultHashBuilder;

use crate::{
    aftermath::Aftermath,
    class::{Classes, TtlClass},
    clock::{Clock, Moment, SystemClock, nanos},
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

/// What became of a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The value is in the cache, and with those who waited.
    Stored,
    /// The value is not in the cache. It is still the answer to the request
    /// that began before whatever came between.
    Refused(Refusal),
}

/// The right to fill one key, given to the first who missed it, or to one of
/// those who were served an entry that should be made anew.
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

/// What someone asked for, as far as it matters once there is an answer.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    pub(crate) hash: u64,
    pub(crate) class: TtlClass,
    /// Whether a stale value will do where a fill fails.
    pub(crate) takes_stale: bool,
}

impl Request {
    /// What of a value that stands in for a failed fill is good for this one.
    pub(crate) fn accept<V>(&self, stand_in: Option<Hit<V>>, classes: &Classes) -> Option<Hit<V>> {
        let hit = stand_in.filter(|_| self.takes_stale)?;
        let found = classes
            .policy(self.class)
            .judge_stand_in(nanos(hit.age), self.hash)?;
        let ttl = hit.ttl.min(Duration::from_nanos(found));
        Some(Hit { ttl, ..hit })
    }
}

/// A permit without its key: what must be handed over when dropped.
struct Ticket<K, V, C, S> {
    inner: Arc<Inner<K, V, C, S>>,
    request: Request,
    flight: u64,
    epoch: u64,
    since: Moment,
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
        request: Request,
        flight: u64,
        epoch: u64,
        since: Moment,
    ) -> Self {
        let ticket = Ticket {
            inner,
            request,
            flight,
            epoch,
            since,
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
        self.ticket.request.class
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
        self.store(value, tags, false)
    }

    /// Stores the answer that there is nothing under the key, for the
    /// [`negative_ttl`](crate::Freshness::negative_ttl) of the class, and gives
    /// it to all who wait. The value is whatever says so in your terms; look-ups
    /// will find it as [`Lookup::Negative`](crate::Lookup::Negative), and
    /// [`get`](crate::Cache::get) will not find it.
    ///
    /// All else is as with [`fill`](Self::fill), tags and refusals included. If
    /// the class keeps no negative entries, it is refused as
    /// [`NoNegatives`](Refusal::NoNegatives); those who wait get it, and what
    /// was stored before leaves.
    ///
    /// ```
    /// use cache_core::{Cache, Filled, Freshness, Lookup, Reuse, TtlClass};
    /// use std::time::Duration;
    ///
    /// let cache = Cache::<&str, Option<u32>>::builder().max_entries(100).build()?;
    /// let class = TtlClass::LIVE_DATA;
    /// let policy = Freshness::ttl(Duration::from_secs(300));
    /// let policy = policy.with_negative_ttl(Duration::from_secs(5));
    /// cache.classes().set_freshness(class, policy);
    ///
    /// if let Lookup::Miss(permit) = cache.lookup("claim 7", class, Reuse::Any) {
    ///     // The database has no such claim. When it has, "claim:7" is invalidated.
    ///     assert_eq!(permit.fill_negative(None, &["claim:7"]), Filled::Stored);
    /// }
    /// let found = cache.lookup("claim 7", class, Reuse::Any);
    /// assert!(matches!(found, Lookup::Negative(hit) if hit.value.is_none()));
    /// assert_eq!(cache.get("claim 7", class), None);
    /// # Ok::<(), cache_core::BuildError>(())
    /// ```
    pub fn fill_negative(self, value: V, tags: &[&str]) -> Filled {
        self.store(value, tags, true)
    }

    fn store(self, value: V, tags: &[&str], negative: bool) -> Filled {
        let inner = &self.ticket.inner;
        let tags = &TagSet::new(tags, &inner.tag_hasher);
        let policy = inner.classes.freshness(self.class());
        let weight = if negative && policy.negative_ttl.is_none() {
            Err(Refusal::NoNegatives)
        } else {
            inner.weigh(&self.key, &value, tags)
        };
        let intent = Intent::Fill {
            tags,
            weight,
            negative,
        };
        match self.ticket.finish(self.key, value, intent) {
            Ok(()) => Filled::Stored,
            Err(refusal) => Filled::Refused(refusal),
        }
    }

    /// Gives the value to all who wait for it, and stores nothing: for a
    /// fallback, which all who asked may share but nobody later. (An error that
    /// is no value goes through [`fail`](Self::fail).)
    ///
    /// As it is not known which records the value depends on, an invalidation
    /// of any tag since the permit was issued counts as reaching it: those who
    /// began to wait after that are not served, and one of them gets a permit.
    pub fn share(self, value: V) {
        // Whether some had to be handed over is theirs to know.
        let _ = self.ticket.finish(self.key, value, Intent::Share);
    }

    /// Ends the fill with an error. Whoever waits gets it, too, and may ask
    /// again; nothing is stored, and what is stored stays.
    ///
    /// Where an entry is stored that may still be served within the
    /// [`stale_if_error`](crate::Freshness::stale_if_error) window, it stands in
    /// for the value, here as `Ok` and for those who wait as
    /// [`Waited::Stale`](crate::Waited::Stale). It stands in for nobody who
    /// asked with [`Reuse::MaxAge`](crate::Reuse::MaxAge) or
    /// [`Reuse::Nothing`](crate::Reuse::Nothing), nor under a class whose own
    /// windows are over. An invalidation that reaches the entry removes it, so
    /// that it stands in for nobody any more.
    ///
    /// To let one of those who wait try instead, drop the permit.
    ///
    /// # Errors
    /// The error itself, if no entry may stand in.
    ///
    /// ```
    /// use cache_core::{Cache, Freshness, Lookup, ManualClock, Reuse, TtlClass};
    /// use std::time::Duration;
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::<&str, u32>::builder()
    ///     .max_entries(100)
    ///     .clock(clock.clone())
    ///     .build()?;
    /// let class = TtlClass::LIVE_DATA;
    /// let minute = Duration::from_secs(60);
    /// let policy = Freshness::ttl(minute).with_stale_if_error(minute);
    /// cache.classes().set_freshness(class, policy);
    ///
    /// cache.insert("claims", 1, class, &[]);
    /// clock.advance(minute * 3 / 2);
    /// if let Lookup::Miss(permit) = cache.lookup("claims", class, Reuse::Any) {
    ///     let hit = permit.fail("the database is away").map_err(|error| error.to_string());
    ///     assert_eq!(hit.map(|hit| hit.value), Ok(1));
    /// }
    /// # Ok::<(), cache_core::BuildError>(())
    /// ```
    pub fn fail(self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Result<Hit<V>, FillError> {
        self.ticket.fail(self.key, FillError::from(error.into()))
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
    fn finish(mut self, mut key: K, mut value: V, intent: Intent<'_>) -> Result<(), Refusal> {
        let mut verdict = Verdict {
            upto: self.epoch,
            conflict: None,
        };
        let mut patience = PATIENCE;
        loop {
            let subject = Subject {
                hash: self.request.hash,
                key: &key,
                value: &value,
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
        let mut after = Aftermath::new();
        let mut _rejected = None;
        let mut shard = inner.lock_for(self.request.hash);
        let flies = shard.flights.contains(self.request.hash, self.flight);
        if !flies && !cfg!(mutant = "outlive_flight") {
            shard.fills.refused += 1;
            self.hold = Hold::Landed;
            return Step::Done(Err(Refusal::Superseded));
        }
        // The look that decides: under the lock, an invalidation either shows
        // here or has yet to visit this shard.
        let moved = inner.log.epoch() != verdict.upto && !cfg!(mutant = "skip_epoch_check");
        let conflict = match verdict.conflict {
            Some(conflict) => Some(conflict),
            None if moved && !last => return Step::Again(key, value),
            None if cfg!(mutant = "store_when_tired") => None,
            None => moved.then(|| verdict.upto.saturating_add(1)),
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

    /// Ends the flight with an error.
    fn fail(mut self, key: K, error: FillError) -> Result<Hit<V>, FillError> {
        let (inner, request) = (Arc::clone(&self.inner), self.request);
        let judge = inner.judge();
        // Declared before the guard, so that it is dropped after it.
        let mut after = Aftermath::new();
        let mut shard = inner.lock_for(request.hash);
        // Whoever began to wait after an invalidation had ended may have this
        // as well: it is in the shard, so that the invalidation did not reach
        // it. The same holds for every hit.
        let stand_in = shard.stand_in(request.hash, &key, judge).map(Hit::from);
        shard.fills.failed += 1;
        // If the flight is over, a newer value has ended it; that is what
        // stands in.
        after.land(shard.flights.end(request.hash, self.flight));
        shard.fills.coalesced += after.waiting() as u64;
        self.hold = Hold::Landed;
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
    fn refuse(&mut self, shard: &mut Locked<'_, K, V>, conflict: u64, after: &mut Aftermath<K, V>) {
        let (hash, id) = (self.request.hash, self.flight);
        after.duties().waiters = shard.flights.split_before(hash, id, conflict);
        shard.fills.coalesced += after.waiting() as u64;
        shard.fills.refused += 1;
        self.hold = self.pass_on(shard, after);
    }
}

impl<K, V, C, S> Ticket<K, V, C, S> {
    /// Gives the flight to the next in line, or ends it.
    fn pass_on(&self, shard: &mut Locked<'_, K, V>, after: &mut Aftermath<K, V>) -> Hold {
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
        let mut after = Aftermath::new();
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

impl<K: fmt::Debug, V, C, S> fmt::Debug for Permit<K, V, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
