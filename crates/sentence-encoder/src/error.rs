//! Why a model could not be opened, and why a vector could not be made.

use std::path::PathBuf;

use thiserror::Error;

/// Why a [`BertEncoder`](crate::BertEncoder) could not be opened. Every
/// message names the file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file of the model is missing or cannot be read.
    #[error(
        "{} cannot be read: {reason}; the folder of a sentence model holds config.json, \
         tokenizer.json and model.safetensors",
        file.display()
    )]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's error.
        reason: std::io::Error,
    },
    /// A file is truncated or has another format than its name says.
    #[error("{} is damaged or of another format: {reason}; fetch the model again", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The problem, and its position.
        reason: String,
    },
    /// A file is valid, but needs something that this crate does not support.
    #[error(
        "{}: {reason}; use a model of the BERT family with a WordPiece tokenizer, such as \
         all-MiniLM-L6-v2",
        file.display()
    )]
    Unsupported {
        /// The file.
        file: PathBuf,
        /// What it needs.
        reason: String,
    },
}

/// The model computed a number that is not finite. Only weights that are damaged,
/// but well formed, can cause this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it yielded a number that is not finite: its weights are damaged")]
#[non_exhaustive]
pub struct NotFinite;
