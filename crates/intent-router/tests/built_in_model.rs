//! The model that is part of the program is that of today's catalogue.

use intent_router::{Catalogue, LinearModel, TrainOptions, train};

#[test]
fn the_built_in_model_is_what_training_makes_of_the_catalogue() {
    let examples = Catalogue::built_in().training_examples();
    let model = train(&examples, &TrainOptions::built_in(), &mut |_| {}).unwrap();
    assert!(
        model == *LinearModel::built_in(),
        "the examples of the built-in catalogue or the training have changed; write the model anew: \
         cargo run --release -p intent-router --example built_in_model"
    );
}

#[test]
fn the_built_in_model_has_the_intents_of_the_catalogue() {
    let mut names: Vec<_> = Catalogue::built_in()
        .intents()
        .iter()
        .map(|intent| intent.name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(LinearModel::built_in().intents(), names);
}
