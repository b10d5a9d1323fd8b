//! Sentences as vectors: what a sentence-embedding model does for a detector.

use std::sync::Arc;

use thiserror::Error;

/// Turns a sentence into a vector of which near ones mean similar things.
///
/// The vector joins the n-gram features of the [linear model](crate::train).
/// An implementation gives the same vector for the same text every time.
pub trait SentenceEncoder: Send + Sync {
    /// Which model this is, such as `all-MiniLM-L6-v2`. It is written into the
    /// file of every model trained with it, and compared when that is used.
    fn id(&self) -> &str;

    /// How many numbers a vector has; above 0 and always the same.
    fn dimensions(&self) -> usize;

    /// The vector of a text.
    ///
    /// # Errors
    /// When the text cannot be encoded. A message for which that happens is
    /// unknown; a training example for which it happens ends the training.
    fn encode(&self, text: &str) -> Result<Vec<f32>, EncodeError>;

    /// The vectors of many texts, in their order. An implementation that is
    /// faster by the batch replaces this one.
    ///
    /// # Errors
    /// The first that [`encode`](Self::encode) gives.
    fn encode_all(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncodeError> {
        texts.iter().map(|text| self.encode(text)).collect()
    }
}

impl<E: SentenceEncoder + ?Sized> SentenceEncoder for Arc<E> {
    fn id(&self) -> &str {
        (**self).id()
    }

    fn dimensions(&self) -> usize {
        (**self).dimensions()
    }

    fn encode(&self, text: &str) -> Result<Vec<f32>, EncodeError> {
        (**self).encode(text)
    }

    fn encode_all(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncodeError> {
        (**self).encode_all(texts)
    }
}

/// Why a text could not be turned into a vector.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the sentence model failed: {message}")]
pub struct EncodeError {
    message: String,
}

impl EncodeError {
    /// An error that says what went wrong.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}
