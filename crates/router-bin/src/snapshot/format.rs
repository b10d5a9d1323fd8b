//! The snapshot's file: a head, an answer a line, and a sum of all that.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};

use intent_router::KeptAnswer;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

use super::times::Stamp;

/// The name of the format, which no other file begins with.
const FORMAT: &str = "router snapshot";

/// The version of the format.
const VERSION: u32 = 1;

/// No head is longer.
const MOST_HEAD: u64 = 64 << 10;

/// The first line of a file, as every version has it.
#[derive(Deserialize)]
struct Versioned {
    format: String,
    version: u32,
}

/// What a snapshot says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SnapshotHead {
    format: String,
    version: u32,
    /// What its answers were made by and of; answers of others are not loaded.
    pub(super) provenance: Provenance,
    /// The secret of its keys.
    pub(super) secret: [u8; 16],
    /// The cache that it is of, which its journal names too.
    pub(super) lineage: String,
    /// The last event of the journal before it was begun.
    pub(super) seq: u64,
    /// The time when it was begun.
    pub(super) stamp: Stamp,
}

/// What answers are made by and of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provenance {
    /// The version of the program.
    pub(crate) program: String,
    /// The source of the records.
    pub(crate) source: String,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Foot {
    answers: u64,
    /// The MD5 of all lines before.
    md5: String,
}

impl SnapshotHead {
    pub(super) fn new(
        provenance: Provenance,
        secret: [u8; 16],
        lineage: String,
        seq: u64,
        stamp: Stamp,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            provenance,
            secret,
            lineage,
            seq,
            stamp,
        }
    }
}

/// The MD5 of bytes, in hex digits.
pub(super) fn sum(bytes: &[u8]) -> String {
    format!("{:x}", Hex(&Md5::digest(bytes)))
}

/// Bytes as hex digits.
struct Hex<'a>(&'a [u8]);

impl std::fmt::LowerHex for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Writes a snapshot and returns the number of its answers.
pub(super) fn write(
    file: &File,
    head: &SnapshotHead,
    answers: impl Iterator<Item = KeptAnswer>,
) -> io::Result<u64> {
    let mut file = BufWriter::new(file);
    let mut hash = Md5::new();
    let mut line = Vec::new();
    let mut put = |line: &mut Vec<u8>| {
        line.push(b'\n');
        hash.update(&*line);
        let written = file.write_all(line);
        line.clear();
        written
    };
    serde_json::to_writer(&mut line, head)?;
    put(&mut line)?;
    let mut number = 0;
    for answer in answers {
        serde_json::to_writer(&mut line, &answer)?;
        put(&mut line)?;
        number += 1;
    }
    let md5 = format!("{:x}", Hex(&hash.finalize()));
    let foot = Foot {
        answers: number,
        md5,
    };
    serde_json::to_writer(&mut file, &foot)?;
    file.write_all(b"\n")?;
    file.flush()?;
    Ok(number)
}

/// Reads the whole file, and checks its sum.
///
/// # Errors
/// Why it cannot be used.
pub(super) fn check(file: &File) -> Result<SnapshotHead, String> {
    let mut reader = BufReader::new(file);
    let unreadable = |error: io::Error| format!("it cannot be read: {error}");
    let mut line = Vec::new();
    reader
        .by_ref()
        .take(MOST_HEAD)
        .read_until(b'\n', &mut line)
        .map_err(unreadable)?;
    let foreign = |_| "it is no snapshot of this program, or a damaged one".to_owned();
    let Versioned { format, version } = serde_json::from_slice(&line).map_err(foreign)?;
    if format != FORMAT {
        return Err(format!("it is a file of the format {format:?}"));
    }
    if version != VERSION {
        return Err(format!(
            "it is of version {version} of the format; this program reads version {VERSION}"
        ));
    }
    let head: SnapshotHead = serde_json::from_slice(&line).map_err(foreign)?;
    let mut hash = Md5::new();
    let mut lines = 0;
    // The last line is the foot.
    loop {
        let before = std::mem::take(&mut line);
        reader.read_until(b'\n', &mut line).map_err(unreadable)?;
        if line.is_empty() {
            let damaged = || "it is damaged, or was not written to its end".to_owned();
            let foot: Foot = serde_json::from_slice(&before).map_err(|_| damaged())?;
            let md5 = format!("{:x}", Hex(&hash.finalize()));
            let is_whole = before.ends_with(b"\n") && foot.md5 == md5 && foot.answers + 1 == lines;
            return is_whole.then_some(head).ok_or_else(damaged);
        }
        hash.update(&before);
        lines += 1;
    }
}

/// The answers of a file that was checked. Ends at the first line that is none,
/// which is the foot.
pub(super) fn answers(mut file: &File) -> io::Result<impl Iterator<Item = KeptAnswer>> {
    file.rewind()?;
    let lines = BufReader::new(file).lines().skip(1);
    Ok(lines.map_while(|line| serde_json::from_str(&line.ok()?).ok()))
}
