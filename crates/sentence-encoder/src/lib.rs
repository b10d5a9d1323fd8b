//! Sentence vectors from a BERT-family model in a local folder.
//!
//! [`BertEncoder`] reads the files as sentence models are published
//! (`config.json`, `tokenizer.json`, `model.safetensors`) and computes the
//! vectors in Rust alone. Nothing is downloaded, at build time or later; the
//! model is the user's to put there.
//!
//! # Cost
//! With the six layers and 384 dimensions of MiniLM-L6: 90 MB of memory; a few
//! milliseconds of one core for a message of ten words, growing with its words
//! up to the 128 tokens that are read of it, whatever its length.
//!
//! # Threads
//! [`BertEncoder::encode_all`] uses the machine's cores for as long as it
//! runs. Nothing runs after a call has returned.

mod config;
mod encoder;
mod error;
mod files;
mod network;
mod pooling;
mod rows;
mod tokenizer;
mod weights;

/// The example of the README is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use encoder::BertEncoder;
pub use error::{NotFinite, OpenError};
