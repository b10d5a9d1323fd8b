//! Reads any bytes as a model file.

use intent_model::{Classifier, LinearModel};

/// Reads bytes as a model file: an error, or a model that is written as the
/// same bytes and classifies without a panic.
///
/// # Panics
/// If the result is neither.
pub fn model(data: &[u8]) {
    let Ok(model) = LinearModel::from_bytes(data) else {
        return;
    };
    assert!(
        model.to_bytes() == data,
        "a model is written as it was read"
    );
    let Ok(classifier) = Classifier::new(model, None) else {
        return;
    };
    for text in ["", "is my claim approved", "日本語のテキスト"] {
        let _ = (classifier.detect(text), classifier.explain(text));
        let best = classifier.best(text);
        assert!(!best.confidence.is_nan(), "{best:?} for {text:?}");
    }
}
