//! The model of the built-in catalogue.

use once_cell::sync::Lazy;

use super::{LinearModel, TrainOptions};

impl LinearModel {
    /// The model of the [built-in catalogue](crate::Catalogue::built_in),
    /// trained on [its examples](crate::Catalogue::training_examples) with
    /// [`TrainOptions::built_in`].
    ///
    /// Its bytes are part of the program. After a change of the catalogue's
    /// examples or of the training, this writes them anew:
    /// `cargo run --release -p intent-router --example built_in_model`.
    pub fn built_in() -> &'static Self {
        // The bytes are part of the program, and a test compares them with what
        // the training makes: a build in which this could fail does not pass.
        static BUILT_IN: Lazy<LinearModel> = Lazy::new(|| {
            LinearModel::from_bytes(include_bytes!("../../built_in.model"))
                .expect("the built-in model is one")
        });
        &BUILT_IN
    }
}

impl TrainOptions {
    /// The options of the built-in model.
    ///
    /// It may lose four right answers in a hundred, more than by default: where
    /// it abstains, the phrases of the catalogue are still there.
    pub fn built_in() -> Self {
        Self {
            wrong_routes: 0.05,
            lost_answers: Some(0.04),
            background: true,
            ..Self::default()
        }
    }
}
