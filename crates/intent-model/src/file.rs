//! The model file.
//!
//! Numbers are little-endian. In this order: eight bytes `intentLM`; the
//! version (u32); the sentence encoder's id (empty without one) and dimensions
//! (u32); how many intents (u32) and their names; whether there is a column
//! for messages out of scope (u8); how many n-grams (u32) and their hashes
//! (u64, ascending); one scale a row, one bias a column (f32); the weights
//! (i8), row by row; with a sentence model, the network for its vectors: how
//! many hidden units (u32), the scales of its first weights (f32), these (i8),
//! their biases, the second weights and their biases (f32); the gate (f64) and
//! the figures of the held-out examples; a checksum of all that (u64). A text
//! follows its length (u16).

use thiserror::Error;

use crate::HeldOut;
use crate::gate::{Gate, SIGNALS};
use crate::head::Head;
use crate::model::{EncoderSpec, LinearModel};
use crate::vocabulary::Vocabulary;
use crate::weights::Weights;

const MAGIC: &[u8; 8] = b"intentLM";
const VERSION: u32 = 1;

/// The most numbers of a sentence vector.
const MAX_DIMENSIONS: usize = 1 << 16;

/// Why bytes are not a model, or a model cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The bytes do not begin as a model file does.
    #[error("not a model file; create one with `router train`")]
    NotAModel,
    /// The model was written by another version of this crate.
    #[error(
        "the model file has version {0}, but this program reads version {VERSION}; train the model again"
    )]
    Version(u32),
    /// Bytes are missing or changed.
    #[error("the model file is damaged: {0}")]
    Damaged(&'static str),
    /// The model needs the sentence encoder that it was trained with.
    #[error("the model needs the sentence model \"{0}\" that it was trained with")]
    EncoderMissing(String),
    /// The model was trained with another sentence encoder.
    #[error("the model needs the sentence model {expected} that it was trained with, not {found}")]
    EncoderDiffers {
        /// What it was trained with.
        expected: String,
        /// What it was given.
        found: String,
    },
}

impl LinearModel {
    /// The bytes of the model's file; equal models have equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer(Vec::with_capacity(
            self.scales.len() * (self.columns() + 16),
        ));
        out.0.extend(MAGIC);
        out.u32(VERSION as usize);
        let encoder = self.encoder.as_ref();
        out.text(encoder.map_or("", |encoder| &encoder.id));
        out.u32(encoder.map_or(0, |encoder| encoder.dimensions));
        out.u32(self.intents.len());
        self.intents.iter().for_each(|name| out.text(name));
        out.0.push(u8::from(self.has_out_of_scope));
        out.u32(self.vocabulary.len());
        for hash in self.vocabulary.hashes() {
            out.0.extend(hash.to_le_bytes());
        }
        for number in self.scales.iter().chain(&self.biases) {
            out.0.extend(number.to_le_bytes());
        }
        out.weights(&self.weights);
        if let Some(head) = &self.head {
            out.u32(head.first_biases.len());
            out.floats(&head.scales);
            out.weights(&head.first);
            out.floats(&head.first_biases);
            out.floats(&head.second);
            out.floats(&head.second_biases);
        }
        out.f64(self.gate.intercept);
        let slopes = slopes(self.head.is_some());
        self.gate.slopes[..slopes]
            .iter()
            .for_each(|slope| out.f64(*slope));
        out.f64(self.gate.threshold);
        let held_out = &self.held_out;
        out.u32(held_out.in_scope as usize);
        out.u32(held_out.out_of_scope as usize);
        out.f64(held_out.accuracy);
        out.f64(held_out.answered_right);
        out.f64(held_out.out_of_scope_recall);
        out.f64(held_out.wrong_routes);
        out.f64(held_out.calibration_error);
        let sum = checksum(&out.0);
        out.0.extend(sum.to_le_bytes());
        out.0
    }

    /// Reads a model from the bytes of its file.
    ///
    /// Costs milliseconds, and memory in proportion to the bytes given,
    /// whatever they hold.
    ///
    /// # Errors
    /// [`ModelError::NotAModel`], [`ModelError::Version`] or
    /// [`ModelError::Damaged`] for bytes that [`to_bytes`](Self::to_bytes) did
    /// not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(ModelError::NotAModel)?;
        let mut rest = Reader(rest);
        let version = rest.u32()?;
        if version != VERSION as usize {
            return Err(ModelError::Version(version as u32));
        }
        let (summed, sum) = bytes
            .split_last_chunk()
            .ok_or(ModelError::Damaged("it ends too early"))?;
        if checksum(summed) != u64::from_le_bytes(*sum) {
            return Err(ModelError::Damaged("its checksum does not match"));
        }
        rest.0 = &rest.0[..rest.0.len().saturating_sub(sum.len())];
        let model = rest.model()?;
        if !rest.0.is_empty() {
            return Err(ModelError::Damaged("it has extra bytes at its end"));
        }
        Ok(model)
    }
}

/// How many slopes of the gate a file has: the last one, for the signal of the
/// sentence vector, only with a head.
fn slopes(has_head: bool) -> usize {
    SIGNALS - usize::from(!has_head)
}

struct Writer(Vec<u8>);

impl Writer {
    /// A count, which is below 2^32 in every model.
    fn u32(&mut self, number: usize) {
        self.0.extend((number as u32).to_le_bytes());
    }

    fn weights(&mut self, weights: &Weights) {
        for row in weights.rows() {
            self.0.extend(row.iter().map(|weight| *weight as u8));
        }
    }

    fn floats(&mut self, numbers: &[f32]) {
        for number in numbers {
            self.0.extend(number.to_le_bytes());
        }
    }

    fn f64(&mut self, number: f64) {
        self.0.extend(number.to_le_bytes());
    }

    /// A text of at most [`LinearModel::MAX_NAME`] bytes.
    fn text(&mut self, text: &str) {
        self.0.extend((text.len() as u16).to_le_bytes());
        self.0.extend(text.as_bytes());
    }
}

/// The unread bytes. Memory for a length is allocated only after checking that so
/// many bytes remain.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn model(&mut self) -> Result<LinearModel, ModelError> {
        let id = self.text()?;
        let dimensions = self.u32()?;
        if dimensions > MAX_DIMENSIONS || id.is_empty() != (dimensions == 0) {
            return Err(ModelError::Damaged("its sentence model is invalid"));
        }
        let encoder = (dimensions > 0).then_some(EncoderSpec { id, dimensions });
        let count = self.u32()?;
        if !(2..=LinearModel::MAX_INTENTS).contains(&count) {
            return Err(ModelError::Damaged("its number of intents is out of range"));
        }
        let intents = (0..count)
            .map(|_| self.text())
            .collect::<Result<Vec<_>, _>>()?;
        if !intents.is_sorted_by(|a, b| a < b) {
            return Err(ModelError::Damaged("its intents are not sorted"));
        }
        let has_out_of_scope = self.bytes(1)? != [0];
        let columns = count + usize::from(has_out_of_scope);
        let grams = self.u32()?;
        let hashes: Vec<u64> = self.array(grams, u64::from_le_bytes)?;
        if !hashes.is_sorted_by(|a, b| a < b) {
            return Err(ModelError::Damaged("its n-grams are not sorted"));
        }
        let scales = self.finite(grams)?;
        let biases = self.finite(columns)?;
        let weights = self.weights(grams, columns, count)?;
        let head = match &encoder {
            Some(_) => Some(self.head(dimensions, columns)?),
            None => None,
        };
        let gate = Gate {
            intercept: self.f64()?,
            slopes: {
                let mut slopes = [0.0; SIGNALS];
                for slope in &mut slopes[..self::slopes(head.is_some())] {
                    *slope = self.f64()?;
                }
                slopes
            },
            threshold: self.f64()?,
        };
        let held_out = HeldOut {
            in_scope: self.u32()? as u32,
            out_of_scope: self.u32()? as u32,
            accuracy: self.f64()?,
            answered_right: self.f64()?,
            out_of_scope_recall: self.f64()?,
            wrong_routes: self.f64()?,
            calibration_error: self.f64()?,
        };
        Ok(LinearModel {
            encoder,
            head,
            intents,
            has_out_of_scope,
            vocabulary: Vocabulary::new(hashes),
            scales,
            biases,
            weights,
            gate,
            held_out,
        })
    }

    fn head(&mut self, dimensions: usize, columns: usize) -> Result<Head, ModelError> {
        let hidden = self.u32()?;
        if hidden == 0 {
            return Err(ModelError::Damaged("its network has no hidden units"));
        }
        let scales = self.finite(dimensions)?;
        let first = self.weights(dimensions, hidden, hidden)?;
        let first_biases = self.finite(hidden)?;
        let second = hidden.checked_mul(columns);
        let second = second.ok_or(ModelError::Damaged("one of its sizes is out of range"))?;
        Ok(Head {
            scales,
            first,
            first_biases,
            second: self.finite(second)?,
            second_biases: self.finite(columns)?,
        })
    }

    fn weights(
        &mut self,
        rows: usize,
        columns: usize,
        intents: usize,
    ) -> Result<Weights, ModelError> {
        let size = rows
            .checked_mul(columns)
            .ok_or(ModelError::Damaged("one of its sizes is out of range"))?;
        let mut weights = Weights::new(columns, intents);
        for row in self.bytes(size)?.chunks_exact(columns) {
            weights.push(row.iter().map(|byte| *byte as i8));
        }
        Ok(weights)
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], ModelError> {
        let (bytes, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(ModelError::Damaged("it ends too early"))?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<T, const N: usize>(
        &mut self,
        count: usize,
        number: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>, ModelError> {
        let size = count.checked_mul(N);
        let bytes =
            self.bytes(size.ok_or(ModelError::Damaged("one of its sizes is out of range"))?)?;
        let (chunks, _) = bytes.as_chunks::<N>();
        Ok(chunks.iter().map(|chunk| number(*chunk)).collect())
    }

    fn u32(&mut self) -> Result<usize, ModelError> {
        let number = self.array(1, u32::from_le_bytes)?;
        Ok(number[0] as usize)
    }

    fn f64(&mut self) -> Result<f64, ModelError> {
        let number = self.array(1, f64::from_le_bytes)?[0];
        match number.is_finite() {
            true => Ok(number),
            false => Err(ModelError::Damaged("one of its numbers is not finite")),
        }
    }

    fn finite(&mut self, count: usize) -> Result<Vec<f32>, ModelError> {
        let numbers = self.array(count, f32::from_le_bytes)?;
        match numbers.iter().all(|number| number.is_finite()) {
            true => Ok(numbers),
            false => Err(ModelError::Damaged("one of its numbers is not finite")),
        }
    }

    fn text(&mut self) -> Result<String, ModelError> {
        let length = usize::from(self.array(1, u16::from_le_bytes)?[0]);
        if length > LinearModel::MAX_NAME {
            return Err(ModelError::Damaged("one of its names is too long"));
        }
        let text = std::str::from_utf8(self.bytes(length)?);
        let text = text.map_err(|_| ModelError::Damaged("one of its names is not valid UTF-8"))?;
        Ok(text.to_owned())
    }
}

/// Detects accidental damage, eight bytes at a time. Forged files are caught by
/// the checks of each length and number.
fn checksum(bytes: &[u8]) -> u64 {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let chunks = chunks.iter().chain([&last]);
    chunks.fold(bytes.len() as u64, |sum, chunk| {
        let mixed = (sum ^ u64::from_le_bytes(*chunk)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 29)
    })
}

#[cfg(test)]
mod tests;
