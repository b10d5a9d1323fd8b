//! TTL classes: what entries of one kind may expect of their freshness.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::RwLock;

use crate::{clock::nanos, error::ClassError};

/// How many classes there can be.
pub(crate) const MAX_CLASSES: usize = 255;

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

/// How long an entry of a class stays fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Freshness {
    /// An entry is valid while its age is at most this, to the nanosecond.
    /// Zero is legal: valid only at the very moment of writing. More than 584
    /// years count as 584 years.
    pub ttl: Duration,
}

impl Freshness {
    /// Fresh for `ttl`, then gone.
    #[must_use]
    pub const fn ttl(ttl: Duration) -> Self {
        Self { ttl }
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
/// Reading a TTL costs one relaxed atomic load; names are behind a lock that
/// no cache operation takes.
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
    /// TTLs in nanoseconds. Every slot has one from the start, so that no
    /// handle can name a class without.
    ttls: [AtomicU64; MAX_CLASSES],
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
        let ttls = std::array::from_fn(|index| {
            let ttl = standard
                .get(index)
                .map_or(DEFAULT_TTL, |&(_, seconds)| Duration::from_secs(seconds));
            AtomicU64::new(nanos(ttl))
        });
        let names = standard.iter().map(|&(name, _)| Arc::from(name)).collect();
        Self {
            table: Arc::new(Table {
                ttls,
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

    /// Changes how long entries of the class stay fresh, those already stored
    /// included.
    pub fn set_freshness(&self, class: TtlClass, freshness: Freshness) {
        self.table.ttls[class.index()].store(nanos(freshness.ttl), Ordering::Relaxed);
    }

    /// How long entries of the class stay fresh.
    #[must_use]
    pub fn freshness(&self, class: TtlClass) -> Freshness {
        Freshness::ttl(Duration::from_nanos(self.ttl_nanos(class)))
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

    pub(crate) fn ttl_nanos(&self, class: TtlClass) -> u64 {
        self.table.ttls[class.index()].load(Ordering::Relaxed)
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
}
