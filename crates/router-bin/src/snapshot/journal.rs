//! The journal: the invalidations since the snapshot, and signs of life.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use intent_router::Selector;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::disk::{self, beside, private, sync_folder};
use super::format::sum;
use super::times::Stamp;

/// A longer journal is not kept: the next start is cold, unless a snapshot is
/// written before.
pub(super) const MOST: u64 = 16 << 20;

const FORMAT: &str = "router journal 1";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JournalHead {
    format: String,
    /// The cache that it is of.
    pub(super) lineage: String,
    /// The journal holds every event after this one.
    pub(super) base: u64,
    /// The time of that event.
    pub(super) stamp: Stamp,
    /// The boot of the machine; `None` where it has no name.
    pub(super) boot: Option<String>,
}

impl JournalHead {
    pub(super) fn new(lineage: String, base: u64, stamp: Stamp, boot: Option<String>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            lineage,
            base,
            stamp,
            boot,
        }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Event {
    /// A process went on with the snapshot, in this boot of the machine.
    Started(Option<String>),
    /// The process ran.
    Alive,
    /// The cache was invalidated.
    Invalidated(Vec<Selector>),
    /// The process stopped in order, and all before is on the disk.
    Stopped,
}

/// An event with its number and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) seq: u64,
    pub(super) stamp: Stamp,
    pub(super) event: Event,
}

/// An open journal.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    len: u64,
    seq: u64,
}

/// A journal as it is found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) head: JournalHead,
    pub(super) records: Vec<Record>,
    /// The length of what was written to its end.
    len: u64,
}

impl Journal {
    /// Creates a journal in the place of a former one, with these lines of it.
    pub(super) fn create(
        path: &Path,
        head: &JournalHead,
        seq: u64,
        lines: &[u8],
    ) -> io::Result<Self> {
        let unfinished = beside(path, "new");
        let mut file = private(&unfinished)?;
        let mut text = line(head)?;
        text.extend_from_slice(lines);
        file.write_all(&text)?;
        disk::sync(&file)?;
        fs::rename(&unfinished, path)?;
        sync_folder(path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            len: text.len() as u64,
            seq,
        })
    }

    /// Goes on with a journal that was found, after its last whole line.
    pub(super) fn resume(path: &Path, found: &Found) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).open(path)?;
        file.set_len(found.len)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            len: found.len,
            seq: found.seq(),
        })
    }

    /// Appends an event, and returns its number. When this returns, the event is
    /// the operating system's, and outlives the process.
    pub(super) fn append(&mut self, stamp: Stamp, event: Event) -> io::Result<u64> {
        let seq = self.seq + 1;
        let text = line(&Record { seq, stamp, event })?;
        self.file.write_all(&text)?;
        self.len += text.len() as u64;
        self.seq = seq;
        Ok(seq)
    }

    /// Lets what follows go to another file, such as one that is full.
    #[cfg(test)]
    pub(super) fn write_to(&mut self, file: File) {
        self.file = file;
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Makes every further event fail, as for a journal that is too long.
    pub(super) fn condemn(&mut self) {
        self.len = u64::MAX;
    }

    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// Waits until all is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        disk::sync(&self.file)
    }

    /// A journal of the events that follow the first `offset` bytes.
    pub(super) fn cut(&mut self, head: &JournalHead, offset: u64) -> io::Result<Self> {
        let mut lines = Vec::new();
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_to_end(&mut lines)?;
        Self::create(&self.path, head, self.seq, &lines)
    }
}

impl Found {
    /// Reads a journal. A last line that was not written to its end is left out:
    /// nobody was told that it was.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let mut text = Vec::new();
        File::open(path)
            .and_then(|file| file.take(2 * MOST).read_to_end(&mut text))
            .map_err(|error| format!("its journal cannot be read: {error}"))?;
        if text.len() as u64 == 2 * MOST {
            return Err("its journal is too long".to_owned());
        }
        let len = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let damaged = || "its journal is damaged".to_owned();
        let mut lines = text[..len].split_inclusive(|byte| *byte == b'\n');
        let head: JournalHead = lines.next().and_then(read).ok_or_else(damaged)?;
        if head.format != FORMAT {
            return Err(format!("its journal is of the format {:?}", head.format));
        }
        let records: Vec<Record> = lines
            .map(|line| read(line).ok_or_else(damaged))
            .collect::<Result<_, _>>()?;
        let numbers = records.iter().map(|record| record.seq);
        if !numbers.eq(head.base + 1..=head.base + records.len() as u64) {
            return Err("its journal lacks an event".to_owned());
        }
        Ok(Self {
            head,
            records,
            len: len as u64,
        })
    }

    /// The number of the last event.
    pub(super) fn seq(&self) -> u64 {
        self.head.base + self.records.len() as u64
    }

    /// The time of the last event.
    pub(super) fn stamp(&self) -> Stamp {
        self.records
            .last()
            .map_or(self.head.stamp, |last| last.stamp)
    }

    /// The last time at which a process is known to have served. A start alone is none:
    /// it may fail before it serves, again and again.
    pub(super) fn last_sign(&self) -> Stamp {
        let mut records = self.records.iter().rev();
        let served = records.find(|record| !matches!(record.event, Event::Started(_)));
        served.map_or(self.head.stamp, |record| record.stamp)
    }

    /// Whether a crash of the machine cannot have taken events away: it did not
    /// crash since, or the process had stopped in order.
    pub(super) fn is_complete(&self, boot: Option<&str>) -> bool {
        let mut events = self.records.iter().rev().map(|record| &record.event);
        if matches!(events.clone().next(), Some(Event::Stopped)) {
            return true;
        }
        let started = events.find_map(|event| match event {
            Event::Started(boot) => Some(boot),
            _ => None,
        });
        boot.is_some() && boot == started.unwrap_or(&self.head.boot).as_deref()
    }
}

/// A line with its sum.
fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let text = serde_json::to_string(value)?;
    Ok(format!("{} {text}\n", sum(text.as_bytes())).into_bytes())
}

/// What a line with its sum holds; `None` if it is damaged.
fn read<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (told, text) = line.split_once(' ')?;
    if told != sum(text.as_bytes()) {
        return None;
    }
    serde_json::from_str(text).ok()
}
