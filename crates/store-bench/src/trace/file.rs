//! Traces in files: one key per line, gzipped or plain.

use std::{
    collections::HashMap,
    fs,
    io::{self, BufRead as _, BufReader, Read},
    path::Path,
};

use anyhow::{Context as _, Result, ensure};
use flate2::read::MultiGzDecoder;

use super::Trace;

/// The first bytes of a gzipped file.
const GZIP: &[u8] = &[0x1f, 0x8b];

pub(crate) fn read(path: &Path) -> Result<Trace> {
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.to_string_lossy();
    let name = name.split('.').next().unwrap_or(&name).to_owned();
    let context = || format!("cannot read the trace {}", path.display());
    let bytes = fs::read(path).with_context(context)?;
    let trace = parse(name, &bytes).with_context(context)?;
    ensure!(!trace.keys.is_empty(), "{} holds no key", path.display());
    Ok(trace)
}

fn parse(name: String, bytes: &[u8]) -> io::Result<Trace> {
    let reader: Box<dyn Read> = if bytes.starts_with(GZIP) {
        Box::new(MultiGzDecoder::new(bytes))
    } else {
        Box::new(bytes)
    };
    let mut numbers = HashMap::new();
    let mut keys = Vec::new();
    for line in BufReader::new(reader).split(b'\n') {
        let line = line?;
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let fresh = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        keys.push(*numbers.entry(line.to_vec()).or_insert(fresh));
    }
    Ok(Trace {
        name,
        keys,
        distinct: numbers.len(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn check(bytes: &[u8], keys: &[u32], distinct: usize) {
        let name = "t".to_owned();
        let trace = parse(name.clone(), bytes).unwrap();
        let keys = keys.to_vec();
        let expected = Trace {
            name,
            keys,
            distinct,
        };
        assert_eq!(trace, expected);
    }

    fn gzipped(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn keys_are_numbered_in_the_order_of_their_first_use() {
        check(b"b\na\nb\nc\n", &[0, 1, 0, 2], 3);
    }

    #[test]
    fn ends_of_lines_and_empty_lines_make_no_keys() {
        check(b"7\r\n\n8\r\n7", &[0, 1, 0], 2);
        check(b"", &[], 0);
    }

    #[test]
    fn a_gzipped_file_is_known_by_its_first_bytes() {
        check(&gzipped(b"1\n2\n1\n"), &[0, 1, 0], 2);
        let parts = [gzipped(b"1\n"), gzipped(b"2\n")].concat();
        check(&parts, &[0, 1], 2);
        assert!(parse("t".to_owned(), &gzipped(b"1\n2\n")[..12]).is_err());
    }
}
