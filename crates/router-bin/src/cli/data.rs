//! Labelled messages and the models made of them, as files.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use intent_train::Example;

use crate::exit::{Code, Failure};

/// The labelled messages of all files, in their order.
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
            "there is no line in the data; write lines such as {\"text\": \"where is my card\", \"intent\": \"card_arrival\"}",
        ));
    }
    Ok(examples)
}

/// Writes a file that is there whole or not at all: whoever reads it meanwhile,
/// such as a service that watches it, finds the old content or the new.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> Result<(), Failure> {
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
        // What was written so far is of no use; it may not even be there.
        let _ = std::fs::remove_file(&draft);
        failed(error)
    })
}
