//! Sentence vectors from a BERT-family model in a local folder.
//!
//! [`BertEncoder`] reads the files as sentence models are published
//! (`config.json`, `tokenizer.json`, `model.safetensors`) and computes the
//! vectors in pure Rust. Nothing is downloaded, at build time or later: put the
//! model into the folder yourself.
//!
//! # Cost
//! MiniLM-L6, with six layers and 384 dimensions, takes 90 MB of memory and, for a
//! message of ten words, a few milliseconds of one core. The time grows with the
//! length of the message, up to the 128 tokens that are read.
//!
//! # Threads
//! [`BertEncoder::encode_all`] uses all cores while it runs. Nothing runs after a
//! call has returned.

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
