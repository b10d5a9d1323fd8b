use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::Classifier;
use crate::testing::{head, letters, model};

/// Bytes changed as a forger would: with the checksum made to fit.
fn forged(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 8;
    let sum = checksum(&bytes[..end]);
    bytes[end..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn bytes_give_the_same_model_back() {
    for model in [model(None), model(Some(head()))] {
        let bytes = model.to_bytes();
        let read = LinearModel::from_bytes(&bytes).unwrap();
        assert_eq!(read, model);
        assert_eq!(read.to_bytes(), bytes);
    }
}

#[test]
fn says_what_is_wrong_with_a_file() {
    let bytes = model(None).to_bytes();
    let check = |bytes: &[u8], expect: ModelError| {
        assert_eq!(LinearModel::from_bytes(bytes).unwrap_err(), expect);
    };
    check(b"", ModelError::NotAModel);
    check(b"{\"weights\": []}", ModelError::NotAModel);
    check(MAGIC, ModelError::Damaged("it ends too early"));
    let mut newer = bytes.clone();
    newer[8] = 2;
    check(&newer, ModelError::Version(2));
    let mut flipped = bytes.clone();
    flipped[40] ^= 1;
    check(&flipped, ModelError::Damaged("its checksum does not match"));
    let cut = &bytes[..bytes.len() - 1];
    check(cut, ModelError::Damaged("its checksum does not match"));
    let longer = forged([&bytes[..], &[0]].concat());
    check(
        &longer,
        ModelError::Damaged("it has extra bytes at its end"),
    );
}

/// The bytes of a model, made once for all cases.
fn bytes_of(with_vectors: bool) -> &'static [u8] {
    static PLAIN: LazyLock<Vec<u8>> = LazyLock::new(|| model(None).to_bytes());
    static JOINED: LazyLock<Vec<u8>> = LazyLock::new(|| model(Some(head())).to_bytes());
    if with_vectors { &JOINED } else { &PLAIN }
}

proptest! {
    /// Whatever a file says, it is refused or makes a classifier that works.
    #[test]
    fn prop_forged_files_do_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        header_only in any::<bool>(),
        with_vectors in any::<bool>(),
    ) {
        let encoder = letters().filter(|_| with_vectors);
        let mut bytes = bytes_of(with_vectors).to_vec();
        let reach = if header_only { 64 } else { bytes.len() };
        for (at, value) in changes {
            let at = at.index(reach);
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()).max(20));
        }
        if let Ok(model) = LinearModel::from_bytes(&forged(bytes))
            && let Ok(classifier) = Classifier::new(model, encoder)
        {
            classifier.detect("where is my card");
            classifier.explain("where is my card");
        }
    }
}
