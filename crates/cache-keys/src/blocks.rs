//! MD5 of a text that is short enough to be put together on the stack.

use md5::block_api::compress;

use crate::json_string::Sink;

/// A text laid out as the blocks that MD5 (RFC 1321) compresses, written where
/// its padding will follow: nothing is copied between the writer and the
/// digest. At most `N * 64 - 9` bytes, the rest being padding. Aligned, lest
/// its speed hang on where the stack happens to be.
#[repr(align(64))]
pub(crate) struct Blocks<const N: usize> {
    blocks: [[u8; 64]; N],
    /// The text's length; beyond the room there is, nothing is kept but this.
    len: usize,
}

impl<const N: usize> Blocks<N> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            blocks: [[0; 64]; N],
            len: 0,
        }
    }

    /// The text, if there was room for it, with the blocks it makes.
    #[inline]
    pub(crate) fn pad(&mut self) -> Option<(&[u8], &[[u8; 64]])> {
        let len = self.len;
        if len > N * 64 - 9 {
            return None;
        }
        let used = (len + 9).div_ceil(64);
        let bytes = self.blocks.as_flattened_mut();
        bytes[len] = 0x80;
        bytes[used * 64 - 8..used * 64].copy_from_slice(&(8 * len as u64).to_le_bytes());
        Some((&self.blocks.as_flattened()[..len], &self.blocks[..used]))
    }
}

impl<const N: usize> Sink for Blocks<N> {
    #[inline]
    fn put(&mut self, ascii: &[u8]) {
        let end = self.len + ascii.len();
        if let Some(room) = self.blocks.as_flattened_mut().get_mut(self.len..end) {
            room.copy_from_slice(ascii);
        }
        self.len = end;
    }
}

/// MD5 between blocks.
pub(crate) struct State([u32; 4]);

impl State {
    pub(crate) const fn new() -> Self {
        Self([0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476])
    }

    #[inline]
    pub(crate) fn compress(&mut self, blocks: &[[u8; 64]]) {
        compress(&mut self.0, blocks);
    }

    #[inline]
    pub(crate) fn digest(&self) -> [u8; 16] {
        let words = self.0.map(u32::to_le_bytes);
        let mut digest = [0; 16];
        digest.copy_from_slice(words.as_flattened());
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use md5::{Digest, Md5};

    #[test]
    fn digests_agree_at_every_length() {
        let text: Vec<u8> = (b' '..=b'~').cycle().take(300).collect();
        for len in 0..text.len() {
            let mut blocks = Blocks::<4>::new();
            for piece in text[..len].chunks(7) {
                blocks.put(piece);
            }
            match blocks.pad() {
                Some((kept, blocks)) => {
                    assert_eq!(kept, &text[..len]);
                    let mut state = State::new();
                    state.compress(blocks);
                    assert_eq!(state.digest(), *Md5::digest(&text[..len]), "{len}");
                }
                None => assert!(len > 247, "{len}"),
            }
        }
    }

    /// A piece that does not fit, then one that would, is still too much.
    #[test]
    fn what_was_left_out_stays_out() {
        let mut blocks = Blocks::<1>::new();
        blocks.put(&[b'a'; 100]);
        blocks.put(b"b");
        assert!(blocks.pad().is_none());
    }
}
