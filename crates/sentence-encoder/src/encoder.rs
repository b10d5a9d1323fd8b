//! The encoder: a folder of files made into vectors of sentences.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use intent_model::{EncodeError, SentenceEncoder};
use md5::{Digest, Md5};

use crate::config::Config;
use crate::error::{NotFinite, OpenError};
use crate::files;
use crate::network::Network;
use crate::pooling;
use crate::tokenizer::Tokenizer;
use crate::weights::Weights;

/// How many tokens of a message are read. Attention's cost grows with their
/// square, all else with their number.
const LONGEST: usize = 128;

/// How many sentences go through the network together: enough for products
/// that keep a core busy, few enough for its cache.
const BATCH: usize = 16;

/// A sentence model: maps a text to a vector, so that texts of similar meaning have
/// vectors close to each other.
///
/// Reads a folder with `config.json`, `tokenizer.json` and `model.safetensors`
/// of a BERT-family encoder, as sentence models are published. It never
/// uses the network.
///
/// A vector is made of four parts, each of length one: the means over the
/// tokens of the last three layers, and the greatest values of the last. Parts
/// of two vectors are compared by their dot product.
///
/// It is immutable, so threads share it without locks.
///
/// ```no_run
/// use sentence_encoder::BertEncoder;
///
/// let encoder = BertEncoder::open("models/all-MiniLM-L6-v2")?;
/// let vector = encoder.encode("where is my parcel?")?;
/// assert_eq!(vector.len(), encoder.dimensions());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct BertEncoder {
    tokenizer: Tokenizer,
    network: Network,
    longest: usize,
    id: String,
}

impl BertEncoder {
    /// Reads the model from its folder: a fifth of a second for the 90 MB of
    /// MiniLM-L6, which then stay in memory.
    ///
    /// # Errors
    /// [`OpenError`] names the file that is missing, damaged, or of a kind that
    /// this crate does not compute: other than BERT with its WordPiece
    /// tokenizer.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, OpenError> {
        let folder = folder.as_ref();
        let mut digest = Md5::new();
        let mut small = |name: &str| {
            let file = folder.join(name);
            let bytes = files::read(&file)?;
            digest.update(&bytes);
            Ok::<_, OpenError>((file, bytes))
        };
        let (file, bytes) = small("config.json")?;
        let config = Config::read(&file, &bytes)?;
        let (file, bytes) = small("tokenizer.json")?;
        let tokenizer = Tokenizer::read(&file, &bytes)?;
        let mut weights = Weights::read(&folder.join("model.safetensors"), &mut digest)?;
        let network = Network::new(&config, &mut weights)?;
        if tokenizer.size() > network.vocabulary() {
            let reason = format!(
                "it numbers {} tokens, and the weights have {}",
                tokenizer.size(),
                network.vocabulary()
            );
            return Err(files::damaged(&file, reason));
        }
        let mut id = format!(
            "bert-{}x{}-{}-",
            network.depth(),
            network.size(),
            pooling::NAME
        );
        for byte in digest.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        Ok(Self {
            tokenizer,
            longest: network.longest().min(LONGEST),
            network,
            id,
        })
    }

    /// What the vectors depend on: the shape of the network, how its output is
    /// pooled, and the MD5 of the three files together. Encoders of one id
    /// yield the same vectors, but for the last digits on another processor.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many numbers a vector has: 1,536 for MiniLM.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        pooling::dimensions(self.network.size())
    }

    /// The vector of a text, on this thread. Of a long text the first 128
    /// tokens count, some hundred words, and its length beyond costs nothing.
    ///
    /// # Errors
    /// [`NotFinite`] if the weights are damaged.
    pub fn encode(&self, text: &str) -> Result<Vec<f32>, NotFinite> {
        let mut vectors = [Vec::new()];
        self.encode_batch(&[text], &mut vectors)?;
        let [vector] = vectors;
        Ok(vector)
    }

    /// The vectors of many texts, in their order, by as many threads as the
    /// machine has cores; they have ended when this returns.
    ///
    /// # Errors
    /// [`NotFinite`] if the weights are damaged.
    pub fn encode_all<T>(&self, texts: &[T]) -> Result<Vec<Vec<f32>>, NotFinite>
    where
        T: AsRef<str> + Sync,
    {
        let mut vectors = vec![Vec::new(); texts.len()];
        let batches = texts.chunks(BATCH).zip(vectors.chunks_mut(BATCH));
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = threads.min(batches.len());
        // Held only to take the next batch, by threads that all end below.
        let batches = Mutex::new(batches);
        let work = || {
            while let Some((texts, vectors)) = next(&batches) {
                self.encode_batch(texts, vectors)?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut outcome = work();
            for other in others {
                match other.join() {
                    Ok(theirs) => outcome = outcome.and(theirs),
                    // What it panicked over goes on to the caller.
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            outcome
        })?;
        Ok(vectors)
    }

    fn encode_batch<T: AsRef<str>>(
        &self,
        texts: &[T],
        vectors: &mut [Vec<f32>],
    ) -> Result<(), NotFinite> {
        let sentences: Vec<_> = texts
            .iter()
            .map(|text| self.tokenizer.encode(text.as_ref(), self.longest))
            .collect();
        for vector in &mut *vectors {
            *vector = vec![0.0; self.dimensions()];
        }
        let depth = self.network.depth();
        let size = self.network.size();
        self.network.run(&sentences, |layer, spans, rows| {
            for (span, vector) in spans.iter().zip(&mut *vectors) {
                let rows = &rows.values()[span.start * size..span.end * size];
                pooling::pool(depth - layer, rows, size, vector);
            }
        });
        match vectors.iter().flatten().all(|value| value.is_finite()) {
            true => Ok(()),
            false => Err(NotFinite),
        }
    }
}

impl SentenceEncoder for BertEncoder {
    fn id(&self) -> &str {
        self.id()
    }

    fn dimensions(&self) -> usize {
        self.dimensions()
    }

    fn encode(&self, text: &str) -> Result<Vec<f32>, EncodeError> {
        self.encode(text).map_err(failed)
    }

    fn encode_all(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncodeError> {
        self.encode_all(texts).map_err(failed)
    }
}

fn failed(reason: NotFinite) -> EncodeError {
    EncodeError::new(reason.to_string())
}

/// The next item that no thread has taken. A thread that panicked left the
/// iterator as whole as any other.
fn next<I: Iterator>(items: &Mutex<I>) -> Option<I::Item> {
    let mut items = items.lock().unwrap_or_else(|poison| poison.into_inner());
    items.next()
}
