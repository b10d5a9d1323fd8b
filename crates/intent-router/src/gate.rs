//! [`ChangeGate`]: whether every change of the records behind stored answers is seen.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::catalogue::Catalogue;

/// The tables whose changes a feed reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coverage {
    /// All tables, those that the catalogue does not declare included.
    Everything,
    /// These tables, by their names in lower case.
    Tables(BTreeSet<String>),
}

impl Coverage {
    /// Whether the tables hold records of one of the kinds. `None` is the kind of
    /// records in tables that the catalogue does not declare.
    pub(crate) fn reaches_any<'k>(
        &self,
        mut kinds: impl Iterator<Item = Option<&'k str>>,
        catalogue: &Catalogue,
    ) -> bool {
        match self {
            Self::Everything => kinds.next().is_some(),
            Self::Tables(tables) => {
                let specs = catalogue.tables().iter();
                let covered: BTreeSet<&str> = specs
                    .filter(|(name, _)| tables.contains(*name))
                    .map(|(_, spec)| spec.record.as_str())
                    .collect();
                kinds.any(|kind| kind.is_some_and(|kind| covered.contains(kind)))
            }
        }
    }
}

/// Whether the feed of changes is up to date: *open* while every change of the
/// [covered](Coverage) tables invalidates what depends on it within a known time.
///
/// A router [with a gate](crate::Router::with_change_gate) asks the cache for answers
/// that depend on these tables only while the gate is open; the check costs one
/// atomic load. A gate is closed when it is made.
///
/// # When to open it
/// Changes that nobody saw may be missing from stored answers and from answers
/// that are being made. So after a gap, and before the gate opens for the first
/// time: first be sure that every later change will be seen, then
/// [invalidate](crate::CacheService::invalidate) all that depends on the tables,
/// then open the gate. The invalidation also reaches answers that were read before
/// it and are not stored yet. A feed that was only slow has missed nothing: the
/// gate opens again without an invalidation.
///
/// ```
/// use intent_router::{ChangeGate, Coverage};
///
/// let gate = ChangeGate::new(Coverage::Everything);
/// assert!(!gate.is_open());
/// gate.set_open(true);
/// assert!(gate.is_open());
/// ```
#[derive(Debug)]
pub struct ChangeGate {
    coverage: Coverage,
    is_open: AtomicBool,
}

impl ChangeGate {
    /// A closed gate for the tables of a feed.
    pub fn new(coverage: Coverage) -> Self {
        Self {
            coverage,
            is_open: AtomicBool::new(false),
        }
    }

    /// The tables whose changes the feed reports.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// Whether the cache may be asked. A request that sees the gate open also sees
    /// what was removed before it was opened.
    pub fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// Opens or closes the gate, for requests that begin later.
    pub fn set_open(&self, is_open: bool) {
        self.is_open.store(is_open, Ordering::Release);
    }
}
