//! TTL classes: what entries of one kind may expect of their freshness.

use std::{fmt, sync::Arc, time::Duration};

use parking_lot::RwLock;

use crate::{
    clock::nanos,
    error::{ClassError, FreshnessError},
    freshness::Policy,
    record::Record,
};

/// How many classes there can be.
pub(crate) const MAX_CLASSES: usize = 255;

/// How many words a policy takes in its record.
const WORDS: usize = 7;

/// The TTL of a class that nobody configured: 300 s.
const DEFAULT_TTL: Duration = Duration::from_secs(300);

/// A handle to a TTL class: one byte, free to copy.
///
/// It cannot dangle: classes are never removed, and a handle that another
/// [`Classes`] made names a class here that has at worst the default TTL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TtlClass(u8);

impl TtlClass {
    /// Answers from live records; 300 s by default.
    pub const LIVE_DATA: Self = Self(0);
    /// Articles and other slowly changing text; 3,600 s by default.
    pub const KNOWLEDGE_BASE: Self = Self(1);
    /// Who a user is; 1,800 s by default.
    pub const USER_CONTEXT: Self = Self(2);
    /// What a message was found to ask; 600 s by default.
    pub const INTENT_ROUTING: Self = Self(3);

    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What entries of a class may expect: how long they are fresh, and what may be
/// done with them afterwards.
///
/// By default everything but the TTL is off: an entry is fresh for
/// [`ttl`](Self::ttl), then gone. All spans but the time to idle are measured from
/// the moment of writing and do not slide when an entry is read. Spans of more than 584
/// years count as 584 years.
///
/// ```
/// use cache_core::Freshness;
/// use std::time::Duration;
///
/// let prices = Freshness::ttl(Duration::from_secs(60))
///     .with_stale_while_revalidate(Duration::from_secs(10))
///     .with_stale_if_error(Duration::from_secs(600))
///     .with_negative_ttl(Duration::from_secs(5))
///     .with_jitter(0.1)?
///     .with_early_refresh(1.0)?;
/// assert_eq!(prices.jitter(), 0.1);
/// assert!(prices.with_jitter(-0.1).is_err());
/// # Ok::<(), cache_core::FreshnessError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Freshness {
    /// An entry is fresh while its age is at most this, to the nanosecond.
    /// Zero is legal: fresh only at the very moment of writing.
    pub ttl: Duration,
    /// For so long after the TTL an entry may be served while one reader makes
    /// it anew. Zero by default.
    pub stale_while_revalidate: Duration,
    /// For so long after the TTL an entry may be served if making it anew
    /// fails. Zero by default.
    pub stale_if_error: Duration,
    /// The TTL of negative entries: the answer that something does not exist.
    /// Neither window applies to them. `None`, the default, means that the
    /// class keeps no negative entries.
    pub negative_ttl: Option<Duration>,
    /// An entry that was not read for longer than this is gone, whatever its TTL and
    /// windows say. `None`, the default, means that reads do not matter.
    pub time_to_idle: Option<Duration>,
    jitter: f64,
    early_refresh: f64,
}

/// Neither ratio can be NaN.
impl Eq for Freshness {}

impl Freshness {
    /// Fresh for `ttl`, then gone.
    #[must_use]
    pub const fn ttl(ttl: Duration) -> Self {
        Self {
            ttl,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            negative_ttl: None,
            time_to_idle: None,
            jitter: 0.0,
            early_refresh: 0.0,
        }
    }

    /// Sets the window in which a stale entry is served while it is made anew.
    #[must_use]
    pub const fn with_stale_while_revalidate(mut self, window: Duration) -> Self {
        self.stale_while_revalidate = window;
        self
    }

    /// Sets the window in which a stale entry is served when making it anew
    /// failed.
    #[must_use]
    pub const fn with_stale_if_error(mut self, window: Duration) -> Self {
        self.stale_if_error = window;
        self
    }

    /// Lets the class keep negative entries, fresh for `ttl`.
    #[must_use]
    pub const fn with_negative_ttl(mut self, ttl: Duration) -> Self {
        self.negative_ttl = Some(ttl);
        self
    }

    /// Lets entries go that nobody read for longer than `span`. Hits, stale and negative
    /// ones included, count as reads; [`peek`](crate::Cache::peek) and
    /// [`iter`](crate::Cache::iter) do not.
    ///
    /// A hit of such a class writes when it was, and takes the path of a stale one:
    /// some tens of nanoseconds more. The number of live entries is counted by walking
    /// all entries of the class.
    #[must_use]
    pub const fn with_time_to_idle(mut self, span: Duration) -> Self {
        self.time_to_idle = Some(span);
        self
    }

    /// Sets the part of its TTL by which an entry's life is shortened at most,
    /// from 0 (off) to 1. How much falls on an entry depends on the hash of its
    /// key alone: it is the same at each look, and never lengthens a life.
    ///
    /// # Errors
    /// [`FreshnessError::Jitter`] if it is not a number from 0 to 1.
    pub const fn with_jitter(mut self, jitter: f64) -> Result<Self, FreshnessError> {
        if !(jitter >= 0.0 && jitter <= 1.0) {
            return Err(FreshnessError::Jitter { jitter });
        }
        self.jitter = jitter;
        Ok(self)
    }

    /// Sets how eagerly an entry is made anew before its end: the β of XFetch
    /// (Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede
    /// Prevention", VLDB 2015). 0, the default, is off; 1 is what the paper
    /// finds best; more refreshes earlier. The time that the last fill took is
    /// taken into account; entries that came by insertion are never refreshed
    /// early.
    ///
    /// # Errors
    /// [`FreshnessError::EarlyRefresh`] if it is not a finite number from 0 up.
    pub const fn with_early_refresh(mut self, beta: f64) -> Result<Self, FreshnessError> {
        if !(beta >= 0.0 && beta <= f64::MAX) {
            return Err(FreshnessError::EarlyRefresh { beta });
        }
        self.early_refresh = beta;
        Ok(self)
    }

    /// The part of its TTL by which an entry's life is shortened at most.
    #[must_use]
    pub const fn jitter(&self) -> f64 {
        self.jitter
    }

    /// How eagerly an entry is made anew before its end; 0 if it is not.
    #[must_use]
    pub const fn early_refresh(&self) -> f64 {
        self.early_refresh
    }

    fn to_words(self) -> [u64; WORDS] {
        [
            nanos(self.ttl),
            nanos(self.stale_while_revalidate),
            nanos(self.stale_if_error),
            // Zero stands for none.
            self.negative_ttl
                .map_or(0, |ttl| nanos(ttl).saturating_add(1)),
            self.time_to_idle
                .map_or(0, |span| nanos(span).saturating_add(1)),
            self.jitter.to_bits(),
            self.early_refresh.to_bits(),
        ]
    }

    fn from_words(words: [u64; WORDS]) -> Self {
        let [
            ttl,
            revalidate,
            error,
            negative,
            idle,
            jitter,
            early_refresh,
        ] = words;
        Self {
            ttl: Duration::from_nanos(ttl),
            stale_while_revalidate: Duration::from_nanos(revalidate),
            stale_if_error: Duration::from_nanos(error),
            negative_ttl: negative.checked_sub(1).map(Duration::from_nanos),
            time_to_idle: idle.checked_sub(1).map(Duration::from_nanos),
            jitter: f64::from_bits(jitter),
            early_refresh: f64::from_bits(early_refresh),
        }
    }
}

impl Default for Freshness {
    /// 300 s, the TTL of a class that nobody configured.
    fn default() -> Self {
        Self::ttl(DEFAULT_TTL)
    }
}

/// The set of TTL classes of a cache. Clones share one set, and a change
/// applies at once to all entries, those already stored included.
///
/// Judging an entry that is far from its end costs one relaxed atomic load,
/// judging any other a few more; a change is seen as a whole or not at all.
/// Names are behind a lock that no cache operation takes.
///
/// ```
/// use cache_core::{Classes, Freshness};
/// use std::time::Duration;
///
/// let classes = Classes::default();
/// let prices = classes.define("prices")?;
/// assert_eq!(classes.freshness(prices).ttl, Duration::from_secs(300));
/// classes.set_freshness(prices, Freshness::ttl(Duration::from_secs(5)));
/// assert_eq!(classes.freshness(prices).ttl, Duration::from_secs(5));
/// # Ok::<(), cache_core::ClassError>(())
/// ```
#[derive(Clone)]
pub struct Classes {
    table: Arc<Table>,
}

struct Table {
    /// Every class has a policy from the start, so that no handle can name one
    /// without. What stands alone is [`Policy::calm`].
    policies: [Record<WORDS>; 1 << u8::BITS],
    names: RwLock<Vec<Arc<str>>>,
}

impl Default for Classes {
    /// The four standard classes: `live_data` 300 s, `knowledge_base` 3,600 s,
    /// `user_context` 1,800 s, `intent_routing` 600 s.
    fn default() -> Self {
        let standard = [
            ("live_data", 300),
            ("knowledge_base", 3_600),
            ("user_context", 1_800),
            ("intent_routing", 600),
        ];
        let policies = std::array::from_fn(|index| {
            let ttl = standard
                .get(index)
                .map_or(DEFAULT_TTL, |&(_, seconds)| Duration::from_secs(seconds));
            let freshness = Freshness::ttl(ttl);
            Record::new(Policy::from(&freshness).calm(), freshness.to_words())
        });
        let names = standard.iter().map(|&(name, _)| Arc::from(name)).collect();
        Self {
            table: Arc::new(Table {
                policies,
                names: RwLock::new(names),
            }),
        }
    }
}

impl Classes {
    /// The class called `name`, made with the default TTL of 300 s if there is
    /// none yet.
    ///
    /// # Errors
    /// [`ClassError::TooMany`] when the class is new and 255 exist.
    pub fn define(&self, name: &str) -> Result<TtlClass, ClassError> {
        let mut names = self.table.names.write();
        if let Some(class) = position(&names, name) {
            return Ok(class);
        }
        match u8::try_from(names.len()) {
            Ok(index) if usize::from(index) < MAX_CLASSES => {
                names.push(Arc::from(name));
                Ok(TtlClass(index))
            }
            _ => Err(ClassError::TooMany {
                name: name.to_owned(),
            }),
        }
    }

    /// The class called `name`, if it is defined.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<TtlClass> {
        position(&self.table.names.read(), name)
    }

    /// Changes the policy of the class, for entries already stored as well.
    pub fn set_freshness(&self, class: TtlClass, freshness: Freshness) {
        let calm = Policy::from(&freshness).calm();
        self.table.policies[class.index()].write(calm, freshness.to_words());
    }

    /// The policy of the class.
    #[must_use]
    pub fn freshness(&self, class: TtlClass) -> Freshness {
        Freshness::from_words(self.table.policies[class.index()].read())
    }

    /// The name of the class; empty for a handle of another set that has no
    /// counterpart here.
    #[must_use]
    pub fn name(&self, class: TtlClass) -> Arc<str> {
        let names = self.table.names.read();
        names.get(class.index()).cloned().unwrap_or_default()
    }

    /// All classes defined when this is called, with their names, in order of
    /// definition.
    pub fn iter(&self) -> impl Iterator<Item = (TtlClass, Arc<str>)> + use<> {
        let names = self.table.names.read().clone();
        (0..=u8::MAX).map(TtlClass).zip(names)
    }

    /// The age below which every entry of the class that is not negative is
    /// fresh and not due, whatever else its policy says.
    pub(crate) fn calm(&self, class: TtlClass) -> u64 {
        self.table.policies[class.index()].alone()
    }

    pub(crate) fn policy(&self, class: TtlClass) -> Policy {
        Policy::from(&self.freshness(class))
    }

    /// How long an entry of the class is fresh whose key has this hash, in
    /// nanoseconds, unless it is negative.
    pub(crate) fn life(&self, class: TtlClass, hash: u64) -> u64 {
        self.policy(class).life_of(hash)
    }

    /// The class with this index, for iteration over per-class state.
    pub(crate) fn at(index: usize) -> TtlClass {
        // Per-class state never has more than `MAX_CLASSES` elements.
        TtlClass(u8::try_from(index).unwrap_or(0))
    }
}

fn position(names: &[Arc<str>], name: &str) -> Option<TtlClass> {
    let index = names.iter().position(|known| **known == *name)?;
    u8::try_from(index).ok().map(TtlClass)
}

impl fmt::Debug for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(
                self.iter()
                    .map(|(class, name)| (name, self.freshness(class))),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_classes_have_the_documented_ttls() {
        let classes = Classes::default();
        for (class, name, seconds) in [
            (TtlClass::LIVE_DATA, "live_data", 300),
            (TtlClass::KNOWLEDGE_BASE, "knowledge_base", 3600),
            (TtlClass::USER_CONTEXT, "user_context", 1800),
            (TtlClass::INTENT_ROUTING, "intent_routing", 600),
        ] {
            assert_eq!(classes.get(name), Some(class));
            assert_eq!(&*classes.name(class), name);
            assert_eq!(classes.freshness(class).ttl, Duration::from_secs(seconds));
        }
    }

    #[test]
    fn the_256th_class_is_an_error_that_names_it() {
        let classes = Classes::default();
        for n in 4..255 {
            classes.define(&format!("class {n}")).unwrap();
        }
        assert_eq!(classes.define("live_data"), Ok(TtlClass::LIVE_DATA));
        assert_eq!(
            classes.define("one more"),
            Err(ClassError::TooMany {
                name: "one more".to_owned()
            })
        );
        assert_eq!(classes.iter().count(), 255);
    }

    #[test]
    fn clones_share_changes_and_long_ttls_saturate() {
        let classes = Classes::default();
        let other = classes.clone();
        other.set_freshness(TtlClass::LIVE_DATA, Freshness::ttl(Duration::MAX));
        assert_eq!(
            classes.freshness(TtlClass::LIVE_DATA).ttl,
            Duration::from_nanos(u64::MAX)
        );
    }

    #[test]
    fn a_policy_comes_back_as_it_was_set() -> Result<(), FreshnessError> {
        let classes = Classes::default();
        for freshness in [
            Freshness::default(),
            Freshness::ttl(Duration::ZERO).with_negative_ttl(Duration::ZERO),
            Freshness::ttl(Duration::from_secs(5))
                .with_stale_while_revalidate(Duration::from_secs(6))
                .with_stale_if_error(Duration::from_secs(7))
                .with_negative_ttl(Duration::from_secs(8))
                .with_time_to_idle(Duration::from_secs(9))
                .with_jitter(0.1)?
                .with_early_refresh(2.5)?,
        ] {
            classes.set_freshness(TtlClass::LIVE_DATA, freshness);
            assert_eq!(classes.freshness(TtlClass::LIVE_DATA), freshness);
        }
        Ok(())
    }

    #[test]
    fn ratios_that_mean_nothing_are_refused() {
        let freshness = Freshness::default();
        for jitter in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
            let refused = freshness.with_jitter(jitter).map_err(|e| e.to_string());
            assert!(refused.is_err_and(|error| error.contains(&format!("{jitter}"))));
        }
        for beta in [f64::NAN, -1.0, f64::INFINITY] {
            assert!(freshness.with_early_refresh(beta).is_err());
        }
        assert!(freshness.with_jitter(1.0).is_ok() && freshness.with_early_refresh(9.0).is_ok());
    }
}
