//! Intent classification by a trained model.

pub mod text;
