//! Writes the model of the built-in catalogue, which is part of the program:
//!
//! `cargo run --release -p intent-router --example built_in_model`

use std::error::Error;
use std::path::Path;

use intent_router::{Catalogue, LinearModel};
use intent_train::{Example, TrainError, TrainOptions, train};

/// The model, trained on the examples of the built-in catalogue.
///
/// It may lose four right answers in a hundred, more than by default: where it
/// abstains, the phrases of the catalogue are still there.
pub(crate) fn trained() -> Result<LinearModel, TrainError> {
    let options = TrainOptions {
        wrong_routes: 0.05,
        lost_answers: Some(0.04),
        background: true,
        ..TrainOptions::default()
    };
    let examples = Catalogue::built_in().training_examples();
    let examples: Vec<Example> = examples.map(Example::from).collect();
    train(&examples, &options, &mut |_| {})
}

fn main() -> Result<(), Box<dyn Error>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/built_in.model");
    std::fs::write(file, trained()?.to_bytes())?;
    Ok(())
}
