//! Intent classification by a trained linear model of n-grams.
//!
//! A [`LinearModel`] is read from the bytes of a file; a [`Classifier`] finds the
//! intent of a message with it, with a calibrated confidence, abstains below a
//! threshold, and explains what decided. The crate `intent-train` trains models.
//! A model that was trained with the vectors of a sentence encoder needs the same
//! [`SentenceEncoder`] to be used.
//!
//! The public modules are shared by the trainer and the classifier, so that both
//! compute the same numbers: [`text`] folding, [`features`], the [`gate`] that
//! calibrates the confidence, and [`maths`] that is the same on every platform.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod classifier;
mod detection;
mod encoder;
mod explain;
pub mod features;
mod file;
pub mod gate;
mod head;
mod held_out;
mod input;
pub mod maths;
mod model;
#[cfg(test)]
mod testing;
pub mod text;
mod vocabulary;
mod weights;

pub use classifier::Classifier;
pub use detection::{Detection, Evidence};
pub use encoder::{EncodeError, SentenceEncoder};
pub use file::ModelError;
pub use head::Head;
pub use held_out::HeldOut;
pub use model::{EncoderSpec, LinearModel, ModelParts, Prediction};
