//! Writes the model of the built-in catalogue, which is part of the program:
//!
//! `cargo run --release -p intent-router --example built_in_model`

use std::error::Error;
use std::path::Path;

use intent_router::{Catalogue, TrainOptions, train};

fn main() -> Result<(), Box<dyn Error>> {
    let examples = Catalogue::built_in().training_examples();
    let model = train(&examples, &TrainOptions::built_in(), &mut |_| {})?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/built_in.model");
    std::fs::write(file, model.to_bytes())?;
    Ok(())
}
