//! Stored answers over a restart: a snapshot of them in a file, and a journal of
//! the invalidations since.
//!
//! An invalidation removes answers from the cache, then is appended to the journal,
//! then is answered. A snapshot is begun by an event of the journal, so it lacks
//! what was invalidated before that event, and a start that loads it makes those
//! after it again. Each of the files is written beside the former one and takes its
//! place in one step; at every moment in between, the files on the disk are a
//! snapshot with a journal that holds every later invalidation.
//! `docs/operations.md` says what each kind of crash leaves.

mod disk;
mod format;
mod journal;
mod load;
#[cfg(test)]
mod tests;
mod times;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cache_keys::Md5Scheme;
use intent_router::{Router, Selector};

use self::disk::{beside, private, removed, sync_folder};
use self::format::SnapshotHead;
use self::journal::{Event, Journal, JournalHead};
use self::load::{Cold, Wanted, Warm};
use self::times::{Since, Stamp};

pub(crate) use self::format::Provenance;
pub(crate) use self::times::Times;

/// The files, of which the configuration names the first.
struct Paths {
    snapshot: PathBuf,
    journal: PathBuf,
}

/// The snapshot of a running service, and its journal.
pub(crate) struct Snapshots {
    files: Paths,
    provenance: Provenance,
    secret: [u8; 16],
    boot: Option<String>,
    since: Since,
    state: Mutex<State>,
    /// Held while a snapshot is written, so that one is at a time.
    writing: Mutex<()>,
    /// Locked as long as this process uses the files.
    _lock: File,
}

struct State {
    lineage: String,
    /// `None` after it could not be written: there is no snapshot then, until one
    /// is written with a new journal.
    journal: Option<Journal>,
    seq: u64,
    /// Whether the journal ended with an orderly stop: what follows is on the disk before
    /// it counts.
    is_stopped: bool,
}

/// What a process starts with.
pub(crate) struct Start {
    snapshots: Snapshots,
    warm: Option<Warm>,
}

/// The beginning of a snapshot.
struct Begun {
    lineage: String,
    seq: u64,
    stamp: Stamp,
    /// The length of the journal then.
    offset: u64,
}

/// An invalidation that a restart might undo.
#[derive(Debug, thiserror::Error)]
#[error("{0}, and the snapshot could not be removed: {1}")]
pub(crate) struct NotKept(io::Error, io::Error);

impl NotKept {
    /// The snapshot is another process's.
    pub(crate) fn elsewhere() -> Self {
        let keeper = io::Error::other("another process keeps the snapshot");
        Self(keeper, io::ErrorKind::ResourceBusy.into())
    }
}

impl Start {
    /// Opens the files, and checks what is in them. `None` if another process uses
    /// them.
    ///
    /// # Errors
    /// They cannot be written.
    pub(crate) fn open(
        file: &Path,
        provenance: Provenance,
        max_down: Duration,
        times: Times,
    ) -> io::Result<Option<Self>> {
        let files = Paths {
            snapshot: file.to_owned(),
            journal: beside(file, "journal"),
        };
        let lock = File::options()
            .create(true)
            .append(true)
            .open(beside(file, "lock"))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) => {}
        }
        // What a crash left half written.
        for path in [&files.snapshot, &files.journal] {
            removed(&beside(path, "new"))?;
        }
        let boot = times.boot.clone();
        // Read before the wall clock: the time between the two counts twice rather
        // than not at all.
        let began = times.clock.now();
        let wanted = Wanted {
            provenance: &provenance,
            max_down,
            boot: boot.as_deref(),
            now: (times.wall)(),
        };
        let warm = match load::load(&files.snapshot, &files.journal, &wanted) {
            Ok(warm) => Some(warm),
            Err(Cold::Absent) => None,
            Err(Cold::Unusable(why)) => {
                let file = files.snapshot.display();
                tracing::warn!(%file, "the snapshot is not used, and the cache starts empty: {why}");
                None
            }
        };
        let since = Since::new(times, began, warm.as_ref().map_or(0, |warm| warm.age));
        let (lineage, secret, journal) = match &warm {
            Some(warm) => {
                let mut journal = Journal::resume(&files.journal, &warm.journal)?;
                journal.append(since.stamp(), Event::Started(boot.clone()))?;
                // On the disk before the first request: without it a journal that ends
                // with an orderly stop would count as complete after a power cut.
                journal.sync()?;
                (warm.head.lineage.clone(), warm.head.secret, journal)
            }
            None => {
                let lineage = new_lineage();
                let head = JournalHead::new(lineage.clone(), 0, since.stamp(), boot.clone());
                // A snapshot that is left belongs to another lineage.
                let journal = Journal::create(&files.journal, &head, 0, &[])?;
                (lineage, Md5Scheme::new_secret(), journal)
            }
        };
        let state = State {
            lineage,
            seq: journal.seq(),
            journal: Some(journal),
            is_stopped: false,
        };
        let snapshots = Snapshots {
            files,
            provenance,
            secret,
            boot,
            since,
            state: Mutex::new(state),
            writing: Mutex::new(()),
            _lock: lock,
        };
        Ok(Some(Self { snapshots, warm }))
    }

    /// The secret that the keys of the cache must be made with.
    pub(crate) fn secret(&self) -> [u8; 16] {
        self.snapshots.secret
    }

    /// Fills the router's cache with what was found. Call it before the first
    /// request.
    pub(crate) fn restore(self, router: &Router) -> Snapshots {
        if let Some(warm) = self.warm {
            match format::answers(&warm.file) {
                Ok(answers) => {
                    let since = &self.snapshots.since;
                    let passed = || warm.passed + since.age_after(warm.age);
                    let imported = router.import(answers, passed);
                    let invalidated: usize = warm
                        .invalidations()
                        .map(|selectors| router.cache().invalidate_all_of(selectors))
                        .sum();
                    tracing::info!(
                        stored = imported.stored,
                        left_out = imported.left_out,
                        invalidated,
                        down = ?warm.down,
                        "the cache goes on with the snapshot"
                    );
                }
                Err(error) => tracing::warn!(%error, "the snapshot cannot be read again"),
            }
        }
        self.snapshots
    }
}

impl Snapshots {
    /// Keeps an invalidation that the cache has made, so that no restart undoes it.
    /// Blocks for as long as a write to a file takes.
    ///
    /// If the journal cannot be written, the snapshot is removed instead.
    ///
    /// # Errors
    /// Neither could be done.
    pub(crate) fn record(&self, selectors: &[Selector]) -> Result<(), NotKept> {
        self.append(Event::Invalidated(selectors.to_vec()))
    }

    /// Notes that the process runs.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    pub(crate) fn alive(&self) -> Result<(), NotKept> {
        self.append(Event::Alive)
    }

    fn append(&self, event: Event) -> Result<(), NotKept> {
        let mut state = self.state();
        let Some(journal) = &mut state.journal else {
            // There is no snapshot that could bring anything back.
            return Ok(());
        };
        let written = if journal.len() > journal::MOST {
            Err(io::Error::other("the journal is too long"))
        } else {
            journal.append(self.since.stamp(), event)
        };
        match written {
            Ok(seq) => state.seq = seq,
            Err(error) => {
                tracing::error!(%error, "the snapshot is removed, as its journal cannot be written");
                return self
                    .discard(&mut state)
                    .map_err(|left| NotKept(error, left));
            }
        }
        if state.is_stopped {
            let synced = state.journal.as_ref().map_or(Ok(()), Journal::sync);
            return synced.or_else(|error| {
                let discarded = self.discard(&mut state);
                discarded.map_err(|left| NotKept(error, left))
            });
        }
        Ok(())
    }

    /// Removes the snapshot, whose journal is not usable any more.
    ///
    /// # Errors
    /// It is still there. The next event tries again.
    fn discard(&self, state: &mut State) -> io::Result<()> {
        if let Some(journal) = &mut state.journal {
            journal.condemn();
        }
        removed(&self.files.snapshot)?;
        sync_folder(&self.files.snapshot)?;
        state.journal = None;
        Ok(())
    }

    /// Writes a snapshot of the router's cache in the place of the former one, and
    /// returns the number of its answers. Blocks; one is written at a time.
    ///
    /// # Errors
    /// A file could not be written. The former snapshot and its journal stay, except
    /// where the journal could not be shortened: then there is no snapshot.
    pub(crate) fn write(&self, router: &Router) -> io::Result<u64> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = self.begin()?;
        let answers = self.draw(&begun, router)?;
        let mut state = self.state();
        self.publish(&state, &begun)?;
        if let Err(error) = self.shorten(&mut state, &begun) {
            // The journal may be unlinked already, so nothing more may go to it.
            self.discard(&mut state)?;
            return Err(error);
        }
        Ok(answers)
    }

    /// Removes what the files hold of a user whom the cache has forgotten: writes a
    /// new snapshot, or removes it if that fails.
    ///
    /// # Errors
    /// Neither could be done.
    pub(crate) fn forget(&self, router: &Router) -> Result<(), NotKept> {
        let Err(error) = self.write(router) else {
            return Ok(());
        };
        tracing::error!(%error, "the snapshot is removed, as it cannot be written");
        let mut state = self.state();
        for path in [&self.files.snapshot, &self.files.journal] {
            for path in [path.clone(), beside(path, "new")] {
                if let Err(left) = removed(&path) {
                    return Err(NotKept(error, left));
                }
            }
        }
        state.journal = None;
        Ok(())
    }

    /// Writes the last snapshot of an orderly stop, which a restart of the machine
    /// leaves as it is.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(crate) fn stop(&self, router: &Router) -> io::Result<u64> {
        let answers = self.write(router)?;
        let mut state = self.state();
        if let Some(journal) = &mut state.journal {
            journal.append(self.since.stamp(), Event::Stopped)?;
            journal.sync()?;
            state.is_stopped = true;
        }
        Ok(answers)
    }

    /// Begins a snapshot by an event of the journal.
    fn begin(&self) -> io::Result<Begun> {
        let mut state = self.state();
        let stamp = self.since.stamp();
        if state.journal.is_none() {
            let lineage = new_lineage();
            let head = self.head(&lineage, state.seq, stamp);
            let journal = Journal::create(&self.files.journal, &head, state.seq, &[])?;
            (state.lineage, state.journal) = (lineage, Some(journal));
        }
        let lineage = state.lineage.clone();
        let Some(journal) = &mut state.journal else {
            unreachable!("it was made above");
        };
        let seq = journal.append(stamp, Event::Alive)?;
        let offset = journal.len();
        state.seq = seq;
        Ok(Begun {
            lineage,
            seq,
            stamp,
            offset,
        })
    }

    /// Writes the answers beside the former snapshot.
    fn draw(&self, begun: &Begun, router: &Router) -> io::Result<u64> {
        let file = private(&beside(&self.files.snapshot, "new"))?;
        let head = SnapshotHead::new(
            self.provenance.clone(),
            self.secret,
            begun.lineage.clone(),
            begun.seq,
            begun.stamp,
        );
        let answers = format::write(&file, &head, router.export())?;
        disk::sync(&file)?;
        Ok(answers)
    }

    /// Puts the new snapshot in the place of the former one. No invalidation comes
    /// between the check of the journal and that.
    fn publish(&self, state: &State, begun: &Begun) -> io::Result<()> {
        let unfinished = beside(&self.files.snapshot, "new");
        if state.journal.is_none() || state.lineage != begun.lineage {
            removed(&unfinished)?;
            let reason = "the journal could not be written in the meantime";
            return Err(io::Error::other(reason));
        }
        fs::rename(unfinished, &self.files.snapshot)?;
        sync_folder(&self.files.snapshot)
    }

    /// Removes from the journal what happened before the snapshot.
    fn shorten(&self, state: &mut State, begun: &Begun) -> io::Result<()> {
        let head = self.head(&begun.lineage, begun.seq, begun.stamp);
        if let Some(journal) = &mut state.journal {
            let shorter = journal.cut(&head, begun.offset)?;
            state.journal = Some(shorter);
        }
        Ok(())
    }

    fn head(&self, lineage: &str, base: u64, stamp: Stamp) -> JournalHead {
        JournalHead::new(lineage.to_owned(), base, stamp, self.boot.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name that no other cache has.
fn new_lineage() -> String {
    format!("{:032x}", u128::from_le_bytes(Md5Scheme::new_secret()))
}
