//! The input of a model for one message.

use crate::features::Gram;

/// The features of a message, as the model reads them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    /// Rows, each once, with their values.
    pub(crate) values: Vec<(u32, f32)>,
    /// What the sentence vector adds to the score of each column; empty
    /// without one.
    pub(crate) sentence: Vec<f32>,
    pub(crate) words: u32,
    /// How many words are in no example of an intent.
    pub(crate) unseen_words: u32,
    pub(crate) chars: u32,
    pub(crate) unseen_chars: u32,
}

impl Input {
    /// Counts a word or a character n-gram; pairs of words do not count.
    pub(crate) fn count(&mut self, gram: &Gram<'_>, is_unseen: bool) {
        let (all, unseen) = match gram {
            Gram::Word(_) => (&mut self.words, &mut self.unseen_words),
            Gram::Pair(..) => return,
            Gram::Chars(_) => (&mut self.chars, &mut self.unseen_chars),
        };
        *all += 1;
        *unseen += u32::from(is_unseen);
    }
}
