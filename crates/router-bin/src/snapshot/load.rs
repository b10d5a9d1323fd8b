//! What a process finds of the one before: the answers, if they can be trusted.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use intent_router::Selector;

use super::format::{self, Provenance, SnapshotHead};
use super::journal::{Event, Found};

/// Why a start is cold.
#[derive(Debug)]
pub(super) enum Cold {
    /// There is no snapshot.
    Absent,
    /// There is one that cannot be used, for this reason.
    Unusable(String),
}

/// A snapshot that can be used, and its journal.
#[derive(Debug)]
pub(super) struct Warm {
    pub(super) head: SnapshotHead,
    pub(super) journal: Found,
    pub(super) file: File,
    /// The time since the snapshot was begun.
    pub(super) passed: Duration,
    /// How old answers are in stamps that are made now.
    pub(super) age: u64,
    /// How long no process ran.
    pub(super) down: Duration,
}

/// What a snapshot must be like.
pub(super) struct Wanted<'a> {
    pub(super) provenance: &'a Provenance,
    pub(super) max_down: Duration,
    /// The boot of the machine.
    pub(super) boot: Option<&'a str>,
    /// The wall clock's time, in nanoseconds since 1970.
    pub(super) now: u64,
}

impl From<String> for Cold {
    fn from(reason: String) -> Self {
        Self::Unusable(reason)
    }
}

/// Checks the snapshot and its journal as a whole.
pub(super) fn load(snapshot: &Path, journal: &Path, wanted: &Wanted<'_>) -> Result<Warm, Cold> {
    let file = File::open(snapshot).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Cold::Absent,
        _ => Cold::Unusable(format!("it cannot be opened: {error}")),
    })?;
    let head = format::check(&file)?;
    let Provenance { program, source } = &head.provenance;
    if *program != wanted.provenance.program {
        return Err(format!("it was written by version {program} of this program").into());
    }
    if *source != wanted.provenance.source {
        return Err(format!("its records are of another source: {source}").into());
    }
    let journal = Found::read(journal)?;
    // An older copy of either, or a journal that began later, would lack
    // invalidations.
    if journal.head.lineage != head.lineage
        || !(journal.head.base..=journal.seq()).contains(&head.seq)
    {
        return Err("its journal does not belong to it".to_owned().into());
    }
    if !journal.is_complete(wanted.boot) {
        let reason = "the machine was started again without an orderly stop, so the last \
                      invalidations may be lost";
        return Err(reason.to_owned().into());
    }
    let last = journal.stamp();
    let Some(down) = wanted.now.checked_sub(last.wall) else {
        let reason = "the wall clock stands before its last time, so its age is unknown";
        return Err(reason.to_owned().into());
    };
    // The times are of one lineage, and the last one is not later than now.
    let silent = Duration::from_nanos(wanted.now.saturating_sub(journal.last_sign().wall));
    let down = Duration::from_nanos(down);
    if silent > wanted.max_down {
        return Err(format!(
            "no process ran for {} s, and `cache.snapshot.max_down` is {} s",
            silent.as_secs(),
            wanted.max_down.as_secs_f64()
        )
        .into());
    }
    // The events after the beginning of the snapshot are later, so this is exact.
    let run = Duration::from_nanos(last.age.saturating_sub(head.stamp.age));
    Ok(Warm {
        passed: run + down,
        age: last.age.saturating_add(wanted.now - last.wall),
        down,
        head,
        journal,
        file,
    })
}

impl Warm {
    /// The invalidations since the snapshot was begun.
    pub(super) fn invalidations(&self) -> impl Iterator<Item = &[Selector]> {
        let since = self
            .journal
            .records
            .iter()
            .filter(|r| r.seq > self.head.seq);
        since.filter_map(|record| match &record.event {
            Event::Invalidated(selectors) => Some(&**selectors),
            _ => None,
        })
    }
}
