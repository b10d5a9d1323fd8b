//! Sentence embeddings, as a model uses them.

use std::sync::Arc;

use thiserror::Error;

/// Embeds sentences: texts of similar meaning have vectors near each other.
///
/// The vectors join the n-gram features of a
/// [linear model](crate::LinearModel). An implementation returns the same
/// vector for the same text every time.
pub trait SentenceEncoder: Send + Sync {
    /// The encoder's name, such as `all-MiniLM-L6-v2`. It is written into the
    /// file of every model trained with it, and compared when the model is used.
    fn id(&self) -> &str;

    /// The length of a vector; above 0 and always the same.
    fn dimensions(&self) -> usize;

    /// The vector of a text.
    ///
    /// # Errors
    /// When the text cannot be encoded. A message that cannot is unknown; a
    /// training example that cannot ends the training.
    fn encode(&self, text: &str) -> Result<Vec<f32>, EncodeError>;

    /// The vectors of many texts, in their order. Override it where a batch is
    /// faster.
    ///
    /// # Errors
    /// The first error of [`encode`](Self::encode).
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
