//! TTL classes: groups of entries that share one policy.

use std::{fmt, sync::Arc};

use parking_lot::RwLock;

use crate::{
    error::ClassError,
    freshness::{Freshness, WORDS},
    policy::Policy,
    seqlock::SeqLock,
};

/// The largest number of classes.
pub(crate) const MAX_CLASSES: usize = 255;

/// A handle to a TTL class: one byte, cheap to copy.
///
/// It is always valid: classes are never removed, and in a [`Classes`] that did not make
/// the handle it names the class with the same number, which has the default TTL if it is
/// not defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TtlClass(u8);

impl TtlClass {
    /// The class that [`Classes::default`] has: 300 s.
    pub const DEFAULT: Self = Self::nth(0);

    /// The `n`-th class that is defined in a set, counted from 0. For constants that name
    /// classes which a program always defines in the same order.
    ///
    /// ```
    /// use cache_core::{Classes, TtlClass};
    ///
    /// const PRICES: TtlClass = TtlClass::nth(1);
    ///
    /// let classes = Classes::default();
    /// assert_eq!(classes.define("prices")?, PRICES);
    /// # Ok::<(), cache_core::ClassError>(())
    /// ```
    #[must_use]
    pub const fn nth(n: u8) -> Self {
        Self(n)
    }

    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The set of TTL classes of a cache. Clones share one set. A change of policy applies at
/// once, also to stored entries.
///
/// Reading the policy costs one relaxed atomic load for an entry that is far from its
/// expiry, and a few more for any other; readers see a change completely or not at all.
/// The names are behind a lock that no cache operation takes.
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
    table: Arc<ClassTable>,
}

struct ClassTable {
    /// Every possible class has a policy from the start, so that every handle names one.
    /// The standalone word is [`Policy::fresh_below`].
    policies: [SeqLock<WORDS>; 1 << u8::BITS],
    names: RwLock<Vec<Arc<str>>>,
}

impl Default for Classes {
    /// One class, called `default`, with a TTL of 300 s.
    fn default() -> Self {
        let classes = Self::new();
        classes.table.names.write().push(Arc::from("default"));
        classes
    }
}

impl Classes {
    /// A set without classes.
    #[must_use]
    pub fn new() -> Self {
        let policy = |_| {
            let freshness = Freshness::default();
            SeqLock::new(Policy::from(&freshness).fresh_below(), freshness.to_words())
        };
        Self {
            table: Arc::new(ClassTable {
                policies: std::array::from_fn(policy),
                names: RwLock::new(Vec::new()),
            }),
        }
    }

    /// Returns the class called `name`. Defines it with the default TTL of 300 s if it
    /// does not exist.
    ///
    /// # Errors
    /// [`ClassError::TooMany`] if the class is new and 255 exist.
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

    /// Sets the policy of the class, for stored entries as well.
    pub fn set_freshness(&self, class: TtlClass, freshness: Freshness) {
        let fresh_below = Policy::from(&freshness).fresh_below();
        self.table.policies[class.index()].write(fresh_below, freshness.to_words());
    }

    /// The policy of the class.
    #[must_use]
    pub fn freshness(&self, class: TtlClass) -> Freshness {
        Freshness::from_words(self.table.policies[class.index()].read())
    }

    /// The name of the class; empty if the handle is of another set and names no class
    /// here.
    #[must_use]
    pub fn name(&self, class: TtlClass) -> Arc<str> {
        let names = self.table.names.read();
        names.get(class.index()).cloned().unwrap_or_default()
    }

    /// All classes that are defined now, with their names, in order of definition.
    pub fn iter(&self) -> impl Iterator<Item = (TtlClass, Arc<str>)> + use<> {
        let names = self.table.names.read().clone();
        (0..=u8::MAX).map(TtlClass).zip(names)
    }

    /// The age below which every plain entry of the class is fresh and not due for a
    /// refresh. One atomic load.
    pub(crate) fn fresh_below(&self, class: TtlClass) -> u64 {
        self.table.policies[class.index()].alone()
    }

    pub(crate) fn policy(&self, class: TtlClass) -> Policy {
        Policy::from(&self.freshness(class))
    }

    /// The TTL, in nanoseconds, of a plain entry of the class whose key has this hash.
    pub(crate) fn ttl_of(&self, class: TtlClass, hash: u64) -> u64 {
        self.policy(class).ttl_of(hash)
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
    use std::time::Duration;

    use crate::error::FreshnessError;

    use super::*;

    #[test]
    fn a_set_has_one_class_by_default_or_none() {
        let classes = Classes::default();
        assert_eq!(classes.get("default"), Some(TtlClass::DEFAULT));
        let ttl = classes.freshness(TtlClass::DEFAULT).ttl;
        assert_eq!(ttl, Duration::from_secs(300));
        assert_eq!(Classes::new().iter().count(), 0);
    }

    #[test]
    fn the_256th_class_is_an_error_that_names_it() {
        let classes = Classes::default();
        for n in 1..255 {
            classes.define(&format!("class {n}")).unwrap();
        }
        assert_eq!(classes.define("default"), Ok(TtlClass::DEFAULT));
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
        other.set_freshness(TtlClass::DEFAULT, Freshness::ttl(Duration::MAX));
        assert_eq!(
            classes.freshness(TtlClass::DEFAULT).ttl,
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
            classes.set_freshness(TtlClass::DEFAULT, freshness);
            assert_eq!(classes.freshness(TtlClass::DEFAULT), freshness);
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
