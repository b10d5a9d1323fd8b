//! The encoder: sentence vectors from a model in a folder.

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

/// The maximum number of tokens read of a message. The cost of attention grows with
/// their square, all else linearly.
const LONGEST: usize = 128;

/// The number of sentences in a batch: enough for products that keep a core busy,
/// few enough for its cache.
const BATCH: usize = 16;

/// A sentence model: maps a text to a vector, so that texts of similar meaning have
/// vectors close to each other.
///
/// Reads a folder with `config.json`, `tokenizer.json` and `model.safetensors`
/// of a BERT-family encoder, as sentence models are published. It never
/// uses the network.
///
/// A vector has four parts, each of length one: the means over the tokens of the
/// last three layers, and the maxima of the last. The dot product compares two
/// vectors.
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
    /// Reads the model from its folder. For MiniLM-L6 this takes a fifth of a second,
    /// and 90 MB of memory.
    ///
    /// # Errors
    /// [`OpenError`] names the file that is missing, damaged, or not supported: only
    /// BERT with a WordPiece tokenizer is.
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
    /// pooled, and the MD5 of the three files together. Encoders with the
    /// same id compute the same vectors, except for the last digits on another
    /// processor.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The length of a vector: 1,536 for MiniLM.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        pooling::dimensions(self.network.size())
    }

    /// The vector of a text, computed on this thread. Only the first 128 tokens of a
    /// text are read, about a hundred words; the rest costs nothing.
    ///
    /// # Errors
    /// [`NotFinite`] if the weights are damaged.
    pub fn encode(&self, text: &str) -> Result<Vec<f32>, NotFinite> {
        let mut vectors = [Vec::new()];
        self.encode_batch(&[text], &mut vectors)?;
        let [vector] = vectors;
        Ok(vector)
    }

    /// The vectors of many texts, in their order, computed by as many threads as the
    /// machine has cores. The threads end before this returns.
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
        // Locked only to take the next batch; all threads end below.
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
                    // A panic of a thread continues in the caller.
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

/// The next item that no thread has taken. A panic of another thread leaves the
/// iterator intact.
fn next<I: Iterator>(items: &Mutex<I>) -> Option<I::Item> {
    let mut items = items.lock().unwrap_or_else(|poison| poison.into_inner());
    items.next()
}
