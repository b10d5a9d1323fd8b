use std::fs;

use tempfile::TempDir;

use super::*;

/// A file in a temporary folder.
struct Scratch {
    path: PathBuf,
    _folder: TempDir,
}

impl Scratch {
    fn new(name: &str, header: &str, data: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        fs::write(&path, bytes).unwrap();
        Self {
            path,
            _folder: folder,
        }
    }

    fn read(&self) -> Result<Weights, OpenError> {
        Weights::read(&self.path, &mut Md5::new())
    }
}

const HEADER: &str = r#"{"__metadata__": {"format": "pt"},
    "b": {"dtype": "F16", "shape": [2], "data_offsets": [16, 20]},
    "bert.a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
    "c": {"dtype": "BF16", "shape": [1], "data_offsets": [20, 22]},
    "d": {"dtype": "I64", "shape": [1], "data_offsets": [22, 30]}}"#;

fn data() -> Vec<u8> {
    let mut data = Vec::new();
    for value in [1.0_f32, -2.5, 3.0, 0.0] {
        data.extend(value.to_le_bytes());
    }
    // 1.5 and -0.5 as halves, -3 as a brain float.
    for bits in [0x3e00_u16, 0xb800, 0xc040] {
        data.extend(bits.to_le_bytes());
    }
    data.extend([0; 8]);
    data
}

#[test]
fn tensors_are_read_whatever_their_type_order_and_prefix() {
    let scratch = Scratch::new("good", HEADER, &data());
    let mut digest = Md5::new();
    let mut weights = Weights::read(&scratch.path, &mut digest).unwrap();
    assert_eq!(
        digest.finalize(),
        Md5::digest(fs::read(&scratch.path).unwrap())
    );
    assert_eq!(weights.rows("a").unwrap(), 2);
    let matrix = weights.matrix("a", 2, 2).unwrap();
    assert_eq!(
        (matrix.columns(), matrix.values()),
        (2, &[1.0, -2.5, 3.0, 0.0][..])
    );
    assert_eq!(weights.vector("b", 2).unwrap(), [1.5, -0.5]);
    assert_eq!(weights.vector("c", 1).unwrap(), [-3.0]);
    let said = weights.vector("d", 1).unwrap_err().to_string();
    assert!(said.contains("no tensor d"), "{said}");
}

#[test]
fn a_shape_that_the_network_does_not_have_is_an_error() {
    let scratch = Scratch::new("shape", HEADER, &data());
    let mut weights = scratch.read().unwrap();
    let said = weights.matrix("a", 2, 3).unwrap_err().to_string();
    assert!(said.contains("[2, 2]") && said.contains("[2, 3]"), "{said}");
}

#[test]
fn damaged_files_are_told_and_take_no_memory() {
    let check = |name: &str, from: &str, to: &str, expect: &str| {
        let header = HEADER.replacen(from, to, 1);
        assert!(from == to || header != HEADER, "{from}");
        let scratch = Scratch::new(name, &header, &data());
        let said = scratch.read().unwrap_err().to_string();
        assert!(said.contains(expect), "{name}: {said}");
        assert!(said.contains(name), "{name}: {said}");
    };
    check("json", "{", "(", "json");
    check(
        "gap",
        "[20, 22]",
        "[21, 22]",
        "invalid offset for tensor `c`",
    );
    check("backwards", "[0, 16]", "[0, -16]", "invalid value");
    check(
        "overlap",
        "[16, 20]",
        "[12, 20]",
        "invalid offset for tensor `b`",
    );
    check(
        "beyond",
        "[22, 30]",
        "[22, 90000000000000000]",
        "invalid shape, data type, or offset",
    );
    check("size", "[2, 2]", "[2, 3]", "invalid shape");
    check("type", "I64", "I7", "unknown variant");
    let huge = "[4294967296, 4294967296, 4294967296]";
    check("product", "[2, 2]", huge, "overflow");
    let scratch = Scratch::new("short", HEADER, &data()[..29]);
    let said = scratch.read().unwrap_err().to_string();
    assert!(said.contains("end before or after"), "{said}");

    let mut longer = data();
    longer.push(0);
    let said = Scratch::new("long", HEADER, &longer)
        .read()
        .unwrap_err()
        .to_string();
    assert!(said.contains("end before or after"), "{said}");

    let mut data = data();
    data[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    let scratch = Scratch::new("nan", HEADER, &data);
    let said = scratch.read().unwrap_err().to_string();
    assert!(
        said.contains("bert.a has a number that is not finite"),
        "{said}"
    );

    for (name, bytes) in [("empty", &[][..]), ("length", &[0xff; 8])] {
        let scratch = Scratch::new(name, "", b"");
        fs::write(&scratch.path, bytes).unwrap();
        assert!(scratch.read().is_err(), "{name}");
    }
}

#[test]
fn halves_keep_their_value() {
    for (bits, expect) in [
        (0x0000, 0.0),
        (0x0001, 2.0_f32.powi(-24)),
        (0x03ff, 1023.0 * 2.0_f32.powi(-24)),
        (0x0400, 2.0_f32.powi(-14)),
        (0x3c00, 1.0),
        (0xc000, -2.0),
        (0x7bff, 65504.0),
        (0x7c00, f32::INFINITY),
    ] {
        assert_eq!(half(bits), expect, "{bits:#x}");
    }
    assert!(half(0x7e00).is_nan());
}
