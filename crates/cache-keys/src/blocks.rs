//! MD5 of a text short enough to be assembled on the stack.

use md5::block_api::compress;

use crate::json_string::Sink;

/// A text in the blocks that MD5 (RFC 1321) compresses, with room for the padding
/// after it, so that nothing is copied between the writer and the digest. The text
/// has at most `N * 64 - 9` bytes. Aligned, so that the speed does not depend on
/// the position of the stack.
#[repr(align(64))]
pub(crate) struct Blocks<const N: usize> {
    blocks: [[u8; 64]; N],
    /// The text's length; if it exceeds the room, only the length is kept.
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

    /// The text and its blocks, if there was room for it.
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

    /// Once a piece does not fit, later pieces that would fit are not appended.
    #[test]
    fn what_was_left_out_stays_out() {
        let mut blocks = Blocks::<1>::new();
        blocks.put(&[b'a'; 100]);
        blocks.put(b"b");
        assert!(blocks.pad().is_none());
    }
}
