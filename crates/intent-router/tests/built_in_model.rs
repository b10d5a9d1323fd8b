//! The built-in model is what training on the built-in catalogue produces.

use intent_router::{Catalogue, LinearDetector};

/// The program that writes the model.
#[path = "../examples/built_in_model.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod writer;

#[test]
fn training_on_the_catalogue_writes_the_bytes_of_the_built_in_model() {
    let model = writer::trained().unwrap();
    assert!(
        model.to_bytes() == include_bytes!("../src/built_in.model"),
        "the examples of the built-in catalogue or the training have changed; write the model again: \
         cargo run --release -p intent-router --example built_in_model"
    );
    assert_eq!(model.encoder_id(), None);
}

#[test]
fn the_built_in_model_has_the_intents_of_the_catalogue() {
    let mut names: Vec<_> = Catalogue::built_in()
        .intents()
        .iter()
        .map(|intent| intent.name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(LinearDetector::built_in().model().intents(), names);
}
