//! Checks of a cache from outside, in addition to its answers.

use std::{task::Poll, time::Duration};

use cache_core::{Freshness, Lookup, Waited};

use super::Pair;
use crate::{
    ops::{Accept, Key, Op, own_ttl},
    oracle::ClassCounts,
    tally::Tally,
};

impl Pair {
    /// Calls `maintain` with a budget. The model does not know which of the expired entries
    /// behind a longer-lived one are removed already; without such, the result is exact.
    pub(super) fn maintain(&mut self, budget: usize) {
        let unremoved = self.unremoved();
        let stuck = self.model.stuck() as u64;
        if stuck > 0 {
            self.tally.count("stuck behind one kept longer");
        }
        let budget = budget as u64;
        let turn = self.cache.maintain(usize::try_from(budget).unwrap());
        let removed = turn.removed as u64;
        assert!(removed <= unremoved.min(budget));
        assert!(removed >= unremoved.saturating_sub(stuck).min(budget));
        if turn.more {
            assert_eq!(removed, budget);
            assert!(unremoved > budget);
        } else {
            self.model.maintained();
            assert!(self.unremoved() <= stuck);
        }
    }

    /// Makes the cache remove all expired entries: by maintenance, and by reads of those
    /// that it does not reach.
    pub(super) fn remove_dead(&mut self) {
        self.maintain(usize::MAX);
        for expired in self.model.expired.clone() {
            self.get(expired.key, 0);
        }
        assert_eq!(self.unremoved(), 0);
    }

    /// The number of expired entries that only the model has removed.
    fn unremoved(&self) -> u64 {
        let counts = self.model.counts();
        counts.sum(|class| class.expirations) - self.cache.stats().expirations
    }

    /// Checks that everything that is visible from outside agrees.
    pub(super) fn check(&self) {
        self.cache.validate().unwrap();
        let stats = self.cache.stats();
        let model = self.model.counts();
        for (class, expected) in self.classes.iter().zip(model.classes) {
            let name = self.cache.classes().name(*class);
            let mut named = stats.classes.iter().filter(|class| class.name == name);
            let class = named.next().unwrap();
            let counts = ClassCounts {
                entries: class.entries,
                hits: class.hits,
                misses: class.misses,
                stale: class.stale,
                negative: class.negative,
                early_refreshes: class.early_refreshes,
                invalidations: class.invalidations,
                // The cache may be behind.
                expirations: expected.expirations.max(class.expirations),
            };
            assert_eq!(counts, expected, "{name}");
            assert_eq!(class.evictions, 0);
        }
        assert_eq!(stats.hits, model.sum(|class| class.hits));
        assert_eq!(stats.misses, model.sum(|class| class.misses));
        assert_eq!(stats.hits + stats.misses, stats.total_requests());
        assert_eq!(stats.stale, model.sum(|class| class.stale));
        assert_eq!(stats.negative, model.sum(|class| class.negative));
        assert_eq!(
            stats.early_refreshes,
            model.sum(|class| class.early_refreshes)
        );
        assert_eq!(stats.invalidations, model.sum(|class| class.invalidations));
        assert_eq!(stats.coalesced, model.coalesced);
        assert_eq!(stats.refused_fills, model.refused);
        assert_eq!(stats.rejected, model.rejected);
        assert_eq!(stats.failed_fills, model.failed);
        assert_eq!(stats.evictions, 0);
        let unremoved = model.sum(|class| class.expirations) - stats.expirations;
        assert!(unremoved <= self.model.expired.len() as u64);
        assert_eq!(stats.entries, self.model.entries.len());
        assert_eq!(self.cache.len(), self.model.entries.len());
        assert_eq!(stats.weight, self.model.entries.len() as u64 + unremoved);
        assert_eq!(stats.weight, self.cache.weight());
        self.check_shown();
    }

    /// Checks the results of `peek`, `iter` and the like. The counts of the next check show
    /// whether these were counted.
    fn check_shown(&self) {
        let mut shown: Vec<_> = self.cache.iter().collect();
        let mut expected: Vec<_> = self
            .model
            .entries
            .iter()
            .map(|e| (e.key, e.value))
            .collect();
        shown.sort_unstable_by_key(|(key, value)| (*value, key.half, key.check));
        expected.sort_unstable_by_key(|(key, value)| (*value, key.half, key.check));
        assert_eq!(shown, expected);
        assert_eq!(self.cache.keys().count(), expected.len());
        for entry in &self.model.entries {
            assert!(self.cache.contains_key(&entry.key));
            let hit = self.cache.peek(&entry.key).unwrap();
            let age = self.model.age(entry);
            assert_eq!(
                (hit.value, hit.age),
                (entry.value, Duration::from_nanos(age))
            );
        }
        for expired in &self.model.expired {
            assert!(!self.cache.contains_key(&expired.key));
            assert_eq!(self.cache.peek(&expired.key), None);
        }
    }

    /// Ends all handles. No waiter may be left.
    pub(crate) fn finish(mut self) -> Tally {
        while !self.permits.is_empty() || !self.waiters.is_empty() {
            let held = (self.permits.len(), self.waiters.len());
            while !self.permits.is_empty() {
                self.apply(&Op::DropPermit(0));
            }
            for _ in 0..self.waiters.len() {
                self.apply(&Op::Poll(0));
            }
            assert_ne!(
                held,
                (self.permits.len(), self.waiters.len()),
                "a waiter hangs"
            );
        }
        self.remove_dead();
        self.tally
    }

    pub(super) fn policy(&self, class: usize) -> Freshness {
        self.cache.classes().freshness(self.classes[class])
    }

    pub(super) fn tally_lookup(
        &mut self,
        found: &Lookup<Key, u32>,
        key: Key,
        class: usize,
        accept: Accept,
    ) {
        let policy = self.policy(class);
        self.tally.count(match found {
            Lookup::Hit(_) => "hit",
            Lookup::Early(..) => "early",
            Lookup::Stale(_, Some(_)) => "stale with a permit",
            Lookup::Stale(_, None) => "stale without a permit",
            Lookup::Negative(_) => "negative",
            Lookup::Miss(_) => "miss",
            Lookup::InFlight(_) => "in in_flight",
        });
        match found {
            Lookup::Hit(hit) if hit.age == hit.ttl && own_ttl(hit.value).is_some() => {
                self.tally.count("hit at the end of a life of its own");
            }
            Lookup::Hit(hit) if hit.age == hit.ttl => {
                self.tally.count("hit at the end of its life");
            }
            Lookup::Early(hit, _) => {
                if matches!(accept, Accept::MaxAge(_)) {
                    self.tally.count("early for a limited age");
                }
                if hit.age < hit.ttl {
                    self.tally.count("early before the end of its life");
                }
            }
            Lookup::Stale(hit, _) if hit.age - hit.ttl == policy.stale_while_revalidate => {
                self.tally.count("stale at the end of its window");
            }
            Lookup::Negative(hit) if hit.age == hit.ttl => {
                self.tally.count("negative at the end of its life");
            }
            Lookup::Miss(_) if self.model.entries.iter().any(|entry| entry.key == key) => {
                self.tally.count("miss despite an entry");
            }
            _ => {}
        }
    }

    pub(super) fn tally_poll(&mut self, polled: &Poll<Waited<Key, u32>>) {
        self.tally.count(match polled {
            Poll::Pending => "waited: pending",
            Poll::Ready(Waited::Value(_)) => "waited: value",
            Poll::Ready(Waited::Negative(_)) => "waited: negative",
            Poll::Ready(Waited::Stale(_)) => "waited: stale",
            Poll::Ready(Waited::Failed(_)) => "waited: failed",
            Poll::Ready(Waited::Permit(_)) => "waited: permit",
        });
    }
}
