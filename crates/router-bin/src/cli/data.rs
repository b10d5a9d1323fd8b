//! Reads files of labelled messages; writes files atomically.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use intent_train::Example;

use crate::exit::{Code, Failure};

/// Reads the labelled messages of all files, in order.
pub(super) fn read(files: &[PathBuf]) -> Result<Vec<Example>, Failure> {
    let mut examples = Vec::new();
    for file in files {
        let name = file.display();
        let opened = File::open(file)
            .map_err(|error| Failure::new(Code::Io, format_args!("cannot read {name}: {error}")))?;
        let read = Example::read(BufReader::new(opened))
            .map_err(|error| Failure::new(Code::Data, format_args!("{name}: {error}")))?;
        examples.extend(read);
    }
    if examples.is_empty() {
        return Err(Failure::new(
            Code::Data,
            "the data has no lines; write lines such as {\"text\": \"where is my card\", \"intent\": \"card_arrival\"}",
        ));
    }
    Ok(examples)
}

/// Writes a file atomically: a concurrent reader, such as a service that watches
/// it, finds the old content or the new.
pub(super) fn write_atomically(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let name = path.display();
        Failure::new(Code::Io, format_args!("cannot write {name}: {error}"))
    };
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.tmp", std::process::id()));
    let draft = PathBuf::from(draft);
    let written = File::create_new(&draft).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&draft, path)
    });
    written.map_err(|error| {
        // Removes a partial draft, if there is one.
        let _ = std::fs::remove_file(&draft);
        failed(error)
    })
}
