//! `model.safetensors`: the weights, and the digest of the file.
//!
//! The file starts with eight bytes that hold the header's length; then come the
//! header, JSON that the crate `safetensors` reads and checks, and the numbers.

use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use safetensors::Dtype;
use safetensors::tensor::Metadata;

use crate::error::OpenError;
use crate::files;
use crate::rows::Rows;

/// The maximum length of a header in bytes, by the format.
const LONGEST_HEADER: u64 = 100_000_000;

/// The tensors of a file, by name. The network takes out what it needs.
#[derive(Debug)]
pub(crate) struct Weights {
    file: PathBuf,
    tensors: HashMap<String, Tensor>,
}

#[derive(Debug)]
struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Weights {
    /// Reads the file once from front to end, and adds every byte to `digest`.
    /// Keeps its numbers as `f32`, and in addition the bytes of only one tensor at a
    /// time.
    pub(crate) fn read(path: &Path, digest: &mut Md5) -> Result<Self, OpenError> {
        let unreadable = |reason| files::unreadable(path, reason);
        let mut file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();

        let length = read(&mut file, 8, path, digest)?;
        let length = u64::from_le_bytes(length.try_into().unwrap_or_default());
        // Compared before anything of that length is allocated.
        if length > LONGEST_HEADER.min(size.saturating_sub(8)) {
            return Err(files::damaged(path, "its header is longer than it can be"));
        }
        let header = read(&mut file, length, path, digest)?;
        // Checks that the tensors follow each other without a gap, and that each is
        // as long as its shape and type say.
        let header: Metadata = files::json(path, &header)?;
        if header.data_len() as u64 != size - 8 - length {
            let reason = "its tensors end before or after the file does";
            return Err(files::damaged(path, reason));
        }

        let mut tensors = HashMap::new();
        for name in header.offset_keys() {
            let Some(entry) = header.info(&name) else {
                continue;
            };
            let (from, to) = entry.data_offsets;
            let bytes = read(&mut file, (to - from) as u64, path, digest)?;
            let Some(values) = numbers(entry.dtype, &bytes) else {
                // Positions as integers, which the network computes itself. If a
                // needed tensor has this type, taking it out fails.
                continue;
            };
            if values.iter().any(|value| !value.is_finite()) {
                let reason = format!("tensor {name} has a number that is not finite");
                return Err(files::damaged(path, reason));
            }
            let shape = entry.shape.clone();
            tensors.insert(name, Tensor { shape, values });
        }
        Ok(Self {
            file: path.to_owned(),
            tensors,
        })
    }

    /// A vector of this length.
    pub(crate) fn vector(&mut self, name: &str, length: usize) -> Result<Vec<f32>, OpenError> {
        self.take(name, &[length])
    }

    /// A matrix of this many rows and columns.
    pub(crate) fn matrix(
        &mut self,
        name: &str,
        rows: usize,
        columns: usize,
    ) -> Result<Rows, OpenError> {
        let values = self.take(name, &[rows, columns])?;
        if values.is_empty() {
            return Err(files::damaged(
                &self.file,
                format!("tensor {name} is empty"),
            ));
        }
        Ok(Rows::from_values(columns, values))
    }

    /// The first dimension of a tensor: a size that is in no other file.
    pub(crate) fn rows(&self, name: &str) -> Result<usize, OpenError> {
        let tensor = self
            .tensors
            .get(name)
            .or_else(|| self.tensors.get(&alias(name)));
        match tensor.and_then(|tensor| tensor.shape.first()) {
            Some(rows) => Ok(*rows),
            None => Err(self.missing(name)),
        }
    }

    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, OpenError> {
        let tensor = match self.tensors.remove(name) {
            Some(tensor) => Some(tensor),
            None => self.tensors.remove(&alias(name)),
        };
        let tensor = tensor.ok_or_else(|| self.missing(name))?;
        if tensor.shape != shape {
            let reason = format!(
                "tensor {name} has the shape {:?}, and config.json asks for {shape:?}",
                tensor.shape
            );
            return Err(files::damaged(&self.file, reason));
        }
        Ok(tensor.values)
    }

    fn missing(&self, name: &str) -> OpenError {
        let reason = format!("it has no tensor {name} of type F32, F16 or BF16");
        files::unsupported(&self.file, reason)
    }
}

/// The prefix of the encoder's tensors in a model that also has a head.
fn alias(name: &str) -> String {
    format!("bert.{name}")
}

/// The next bytes of a file that is known to be long enough.
fn read(file: &mut File, length: u64, path: &Path, digest: &mut Md5) -> Result<Vec<u8>, OpenError> {
    let mut bytes = Vec::new();
    file.take(length)
        .read_to_end(&mut bytes)
        .map_err(|reason| files::unreadable(path, reason))?;
    if bytes.len() as u64 != length {
        return Err(files::unreadable(path, ErrorKind::UnexpectedEof.into()));
    }
    digest.update(&bytes);
    Ok(bytes)
}

/// The numbers that the bytes encode; `None` for a type that weights do not have.
fn numbers(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    let (pairs, _) = bytes.as_chunks::<2>();
    match dtype {
        Dtype::F32 => {
            let (fours, _) = bytes.as_chunks::<4>();
            Some(fours.iter().map(|four| f32::from_le_bytes(*four)).collect())
        }
        Dtype::F16 => Some(
            pairs
                .iter()
                .map(|two| half(u16::from_le_bytes(*two)))
                .collect(),
        ),
        // The upper half of an `f32`.
        Dtype::BF16 => {
            let widen = |two: &[u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(*two)) << 16);
            Some(pairs.iter().map(widen).collect())
        }
        _ => None,
    }
}

/// An IEEE 754 half as the `f32` of the same value.
fn half(bits: u16) -> f32 {
    let bits = u32::from(bits);
    let (sign, exponent, fraction) = (bits >> 15, (bits >> 10) & 0x1f, bits & 0x3ff);
    let magnitude = match exponent {
        // Subnormal: a multiple of two to the -24th, exact in `f32`.
        0 => (fraction as f32) * 2.0_f32.powi(-24),
        0x1f => f32::from_bits(0x7f80_0000 | (fraction << 13)),
        _ => f32::from_bits(((exponent + 112) << 23) | (fraction << 13)),
    };
    if sign == 1 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests;
