use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::*;
use crate::detect::linear::train::{TrainOptions, train};
use crate::detect::{Detector, EncodeError, Example, LinearDetector, SentenceEncoder};

/// A sentence model that counts two letters.
struct Letters;

impl SentenceEncoder for Letters {
    fn id(&self) -> &str {
        "letters"
    }

    fn dimensions(&self) -> usize {
        2
    }

    fn encode(&self, text: &str) -> Result<Vec<f32>, EncodeError> {
        let count = |letter| text.matches(letter).count() as f32;
        Ok(vec![count('o'), count('a')])
    }
}

fn letters() -> Option<Arc<dyn SentenceEncoder>> {
    Some(Arc::new(Letters))
}

fn model() -> LinearModel {
    trained(None)
}

fn trained(encoder: Option<Arc<dyn SentenceEncoder>>) -> LinearModel {
    let example = |text: &str, intent: &str| Example {
        text: text.to_owned(),
        intent: intent.to_owned(),
    };
    let examples = [
        example("when are you open", "hours"),
        example("are you open now", "hours"),
        example("I lost my card", "card"),
        example("where is my card", "card"),
        example("will it rain", "oos"),
    ];
    let options = TrainOptions {
        encoder,
        ..TrainOptions::default()
    };
    train(&examples, &options, &mut |_| {}).unwrap()
}

/// Bytes changed as a forger would: with the checksum made to fit.
fn forged(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 8;
    let sum = checksum(&bytes[..end]);
    bytes[end..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn bytes_give_the_same_model_back() {
    for model in [model(), trained(letters())] {
        let bytes = model.to_bytes();
        let read = LinearModel::from_bytes(&bytes).unwrap();
        assert_eq!(read, model);
        assert_eq!(read.to_bytes(), bytes);
    }
}

#[test]
fn says_what_is_wrong_with_a_file() {
    let bytes = model().to_bytes();
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
    check(&flipped, ModelError::Damaged("its checksum does not fit"));
    let cut = &bytes[..bytes.len() - 1];
    check(cut, ModelError::Damaged("its checksum does not fit"));
    let longer = forged([&bytes[..], &[0]].concat());
    check(&longer, ModelError::Damaged("it goes on after its end"));
}

/// Trained for the first case alone.
fn trained_once(with_vectors: bool) -> &'static [u8] {
    static PLAIN: LazyLock<Vec<u8>> = LazyLock::new(|| model().to_bytes());
    static JOINED: LazyLock<Vec<u8>> = LazyLock::new(|| trained(letters()).to_bytes());
    if with_vectors { &JOINED } else { &PLAIN }
}

proptest! {
    /// Whatever a file says, it is refused or becomes a detector that works.
    #[test]
    fn prop_forged_files_do_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        header_only in any::<bool>(),
        with_vectors in any::<bool>(),
    ) {
        let encoder = letters().filter(|_| with_vectors);
        let mut bytes = trained_once(with_vectors).to_vec();
        let reach = if header_only { 64 } else { bytes.len() };
        for (at, value) in changes {
            let at = at.index(reach);
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()).max(20));
        }
        if let Ok(model) = LinearModel::from_bytes(&forged(bytes))
            && let Ok(detector) = LinearDetector::new(model, encoder)
        {
            detector.detect("where is my card");
            detector.explain("where is my card");
        }
    }
}
