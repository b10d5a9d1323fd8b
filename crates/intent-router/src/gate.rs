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
                let covered = records(catalogue, |table| tables.contains(table));
                kinds.any(|kind| kind.is_some_and(|kind| covered.contains(kind)))
            }
        }
    }

    /// Whether the tables hold all records of each of the kinds.
    pub(crate) fn reaches_all<'k>(
        &self,
        mut kinds: impl Iterator<Item = Option<&'k str>>,
        catalogue: &Catalogue,
    ) -> bool {
        match self {
            Self::Everything => true,
            Self::Tables(tables) => {
                let declared = records(catalogue, |_| true);
                let missed = records(catalogue, |table| !tables.contains(table));
                kinds.all(|kind| {
                    kind.is_some_and(|kind| declared.contains(kind) && !missed.contains(kind))
                })
            }
        }
    }
}

/// The kinds of records in the declared tables that `are_meant`.
fn records(catalogue: &Catalogue, are_meant: impl Fn(&str) -> bool) -> BTreeSet<&str> {
    let specs = catalogue.tables().iter();
    specs
        .filter(|(name, _)| are_meant(name))
        .map(|(_, spec)| spec.record.as_str())
        .collect()
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
    usable_while_closed: bool,
    is_open: AtomicBool,
}

impl ChangeGate {
    /// A closed gate for the tables of a feed.
    pub fn new(coverage: Coverage) -> Self {
        Self {
            coverage,
            usable_while_closed: false,
            is_open: AtomicBool::new(false),
        }
    }

    /// The same gate, which lets the cache be used while it is closed, too: answers
    /// are then as old as their TTL allows. A request that must
    /// [show a write](crate::CacheUse::ReadAfter) still goes by what the gate covers.
    pub fn usable_while_closed(mut self) -> Self {
        self.usable_while_closed = true;
        self
    }

    /// The tables whose changes the feed reports.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// Whether the feed is up to date. A request that sees the gate open also sees
    /// what was removed before it was opened.
    pub fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// Whether the cache may be asked for answers that depend on the tables.
    pub(crate) fn is_usable(&self) -> bool {
        self.usable_while_closed || self.is_open()
    }

    /// Opens or closes the gate, for requests that begin later.
    pub fn set_open(&self, is_open: bool) {
        self.is_open.store(is_open, Ordering::Release);
    }
}
