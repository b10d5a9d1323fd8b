//! The model's reads and their counters.

use super::{Entry, Model, Permit, Told};
use crate::{
    ops::{Accept, Key},
    policy::{Chance, Phase},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fresh(Chance),
    Stale,
    Negative,
}

#[derive(Debug)]
pub(crate) enum Found {
    /// With the chance that this reader is chosen to refresh it early.
    Hit(Told, Chance),
    Early(Told, Permit),
    Stale(Told, Option<Permit>),
    Negative(Told),
    Miss(Permit),
    InFlight(usize),
}

impl Model {
    /// The entry for `key`, if it is served to a reader that accepts `accept`. Without
    /// `look`, the read is a `get`, which accepts fresh values only.
    fn read(&mut self, key: Key, class: usize, accept: Accept, look: bool) -> Option<(Told, Kind)> {
        // A read removes an expired entry.
        self.expired.retain(|entry| entry.key != key);
        let at = self.entries.iter().position(|entry| entry.key == key);
        let found = at.and_then(|at| self.judge(&self.entries[at], class, accept, look));
        if let (Some(at), Some(_)) = (at, found)
            && self.policies[self.entries[at].class].idle.is_some()
        {
            self.entries[at].read = self.now;
            self.entries[at].number = self.stamp();
        }
        let counts = &mut self.counts.classes[class];
        match found {
            Some((_, kind)) => {
                counts.hits += 1;
                counts.stale += u64::from(kind == Kind::Stale);
                counts.negative += u64::from(kind == Kind::Negative);
            }
            None => counts.misses += 1,
        }
        found
    }

    fn judge(
        &self,
        entry: &Entry,
        class: usize,
        accept: Accept,
        look: bool,
    ) -> Option<(Told, Kind)> {
        let age = self.now - entry.written;
        let oldest = match accept {
            Accept::Any => u64::MAX,
            Accept::MaxAge(age) => age,
            Accept::Nothing => return None,
        };
        if age > oldest {
            return None;
        }
        // The entry's class and the reader's must agree.
        let both = [entry.class, class].map(|class| &self.policies[class]);
        let traits = entry.traits();
        let worst = both.map(|policy| policy.phase(traits, age));
        let chances = both.map(|policy| policy.early(traits, entry.cost, age));
        let ttl = both.map(|policy| policy.life(traits));
        let kind = match worst.into_iter().max()? {
            Phase::Fresh if entry.negative => look.then_some(Kind::Negative)?,
            Phase::Fresh if look => Kind::Fresh(chances.into_iter().max()?),
            Phase::Fresh => Kind::Fresh(Chance::Never),
            Phase::Stale if look && matches!(accept, Accept::Any) => Kind::Stale,
            Phase::Stale | Phase::OnError | Phase::Gone => return None,
        };
        let told = Told {
            value: entry.value,
            age,
            ttl: ttl.into_iter().min()??,
        };
        Some((told, kind))
    }

    pub(crate) fn get(&mut self, key: Key, class: usize) -> Option<u32> {
        let found = self.read(key, class, Accept::Any, false);
        found.map(|(told, _)| told.value)
    }

    /// `chosen` says whether the cache chose this reader for an early refresh; it is used
    /// only if there is a chance of one.
    pub(crate) fn lookup(&mut self, key: Key, class: usize, accept: Accept, chosen: bool) -> Found {
        let takes_stale = matches!(accept, Accept::Any);
        let found = match accept {
            Accept::Nothing => {
                self.counts.classes[class].misses += 1;
                return Found::Miss(self.start(key, class, takes_stale, false));
            }
            Accept::Any | Accept::MaxAge(_) => self.read(key, class, accept, true),
        };
        let busy = self.joinable(key).is_some();
        match found {
            Some((told, Kind::Negative)) => Found::Negative(told),
            Some((told, Kind::Stale)) if busy => Found::Stale(told, None),
            Some((told, Kind::Stale)) => {
                Found::Stale(told, Some(self.start(key, class, takes_stale, true)))
            }
            Some((told, Kind::Fresh(chance))) => {
                let chance = if busy { Chance::Never } else { chance };
                if chance == Chance::Never || (chance == Chance::Some && !chosen) {
                    return Found::Hit(told, chance);
                }
                self.counts.classes[class].early_refreshes += 1;
                Found::Early(told, self.start(key, class, takes_stale, true))
            }
            None if busy => Found::InFlight(self.join(key, class, takes_stale)),
            None => Found::Miss(self.start(key, class, takes_stale, true)),
        }
    }
}
