//! Why a model could not be opened, and why a vector could not be made.

use std::path::PathBuf;

use thiserror::Error;

/// Why a [`BertEncoder`](crate::BertEncoder) could not be opened. Every
/// message names the file that is to blame.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file of the model is not there or cannot be read.
    #[error(
        "{} cannot be read: {reason}; the folder of a sentence model holds config.json, \
         tokenizer.json and model.safetensors",
        file.display()
    )]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// A file is not what its name says: cut short, or of another format.
    #[error("{} is damaged or of another format: {reason}; fetch the model again", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it, and where.
        reason: String,
    },
    /// A file is sound, but asks for something that this crate does not do.
    #[error(
        "{}: {reason}; use a model of the BERT family with a WordPiece tokenizer, such as \
         all-MiniLM-L6-v2",
        file.display()
    )]
    Unsupported {
        /// The file.
        file: PathBuf,
        /// What it asks for.
        reason: String,
    },
}

/// The model yielded a number that is not finite, which only weights that are
/// damaged, but well formed, can cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it yielded a number that is not finite: its weights are damaged")]
#[non_exhaustive]
pub struct NotFinite;
