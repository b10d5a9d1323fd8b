//! Hashes that are the same in every run, so that a failure repeats and the model knows the
//! jitter of each key. With these constants it ranges from almost none to almost all.

use std::hash::{BuildHasher, Hasher};

/// Builds hashers with the same initial state.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Steady;

pub(crate) struct SteadyHasher(u64);

impl BuildHasher for Steady {
    type Hasher = SteadyHasher;

    fn build_hasher(&self) -> SteadyHasher {
        SteadyHasher(0)
    }
}

impl Hasher for SteadyHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte) ^ 5_484)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29);
        }
    }

    /// Folds the state, because both halves of a hash must be well mixed.
    fn finish(&self) -> u64 {
        let product = u128::from(self.0) * 0xd6e8_feb8_6659_fd93;
        (product >> 64) as u64 ^ product as u64
    }
}
