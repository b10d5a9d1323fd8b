//! `tokenizer.json`: from a text to the numbers of its word pieces (tokens).
//!
//! WordPiece, as BERT's authors describe it (Devlin et al. 2018) and the
//! `tokenizers` library does it, for the one combination of settings that
//! BERT's descendants have.

mod vocabulary;
mod words;

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use crate::error::OpenError;
use crate::files;

use vocabulary::Vocabulary;
use words::{Spelling, floor, for_each_word};

/// The number of bytes of a text that are read per wanted token. Tokens of ordinary
/// text have four to six bytes; a text that begins with a megabyte of spaces is not
/// searched for words.
const BYTES_PER_TOKEN: usize = 32;

/// Splits texts into word pieces.
#[derive(Debug)]
pub(crate) struct Tokenizer {
    vocabulary: Vocabulary,
    spelling: Spelling,
    opening: u32,
    closing: u32,
}

/// The members of `tokenizer.json` that are used or checked.
#[derive(Deserialize)]
struct File {
    model: Model,
    normalizer: Option<Normalizer>,
    pre_tokenizer: Option<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Model {
    /// Older files leave the kind out.
    #[serde(rename = "type", default = "word_piece")]
    kind: String,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    max_input_chars_per_word: Option<usize>,
    /// Other kinds have a list here, so it is parsed only after the kind is checked.
    vocab: serde_json::Value,
}

#[derive(Deserialize)]
struct Normalizer {
    #[serde(rename = "type")]
    kind: String,
    lowercase: Option<bool>,
    strip_accents: Option<bool>,
    #[serde(default = "yes")]
    clean_text: bool,
    #[serde(default = "yes")]
    handle_chinese_chars: bool,
}

fn word_piece() -> String {
    "WordPiece".to_owned()
}

fn yes() -> bool {
    true
}

impl Tokenizer {
    pub(crate) fn read(file: &Path, bytes: &[u8]) -> Result<Self, OpenError> {
        let File {
            model,
            normalizer,
            pre_tokenizer,
        } = files::json(file, bytes)?;
        let wanted = |part: &str, kind: Option<&str>, only: &str| match kind {
            Some(kind) if kind == only => Ok(()),
            other => {
                let found = other.unwrap_or("nothing");
                let reason = format!("its {part} is {found}, and only {only} is known");
                Err(files::unsupported(file, reason))
            }
        };
        wanted("model", Some(&model.kind), "WordPiece")?;
        let kind = pre_tokenizer.as_ref().map(|one| one.kind.as_str());
        wanted("pre_tokenizer", kind, "BertPreTokenizer")?;
        let kind = normalizer.as_ref().map(|one| one.kind.as_str());
        wanted("normalizer", kind, "BertNormalizer")?;
        let Some(normalizer) = normalizer else {
            return Err(files::damaged(file, "it has no normalizer"));
        };
        if !(normalizer.clean_text && normalizer.handle_chinese_chars) {
            let reason = "its normalizer leaves control characters or Chinese words as they are";
            return Err(files::unsupported(file, reason));
        }

        let vocab: HashMap<String, u32> = serde_json::from_value(model.vocab)
            .map_err(|error| files::damaged(file, format!("vocab: {error}")))?;
        let number = |token: &str| {
            vocab
                .get(token)
                .copied()
                .ok_or_else(|| files::damaged(file, format!("its vocab has no `{token}`")))
        };
        let unknown = number(model.unk_token.as_deref().unwrap_or("[UNK]"))?;
        let (opening, closing) = (number("[CLS]")?, number("[SEP]")?);
        let prefix = model.continuing_subword_prefix.as_deref().unwrap_or("##");
        let longest = model.max_input_chars_per_word.unwrap_or(100);
        let lowercase = normalizer.lowercase.unwrap_or(true);
        Ok(Self {
            vocabulary: Vocabulary::new(vocab, prefix, unknown, longest),
            spelling: Spelling {
                lowercase,
                strip_accents: normalizer.strip_accents.unwrap_or(lowercase),
            },
            opening,
            closing,
        })
    }

    /// One more than the largest number that [`encode`](Self::encode) returns.
    pub(crate) fn size(&self) -> usize {
        let special = self.opening.max(self.closing) as usize + 1;
        self.vocabulary.size().max(special)
    }

    /// The numbers of the text's word pieces, at most `limit` including the opening
    /// and closing token. Unlike in the `tokenizers` library, `[SEP]` in a text is
    /// ordinary text, not the closing token.
    ///
    /// Time and memory depend on `limit`, not on the length of the text.
    pub(crate) fn encode(&self, text: &str, limit: usize) -> Vec<u32> {
        let room = limit.saturating_sub(2);
        let text = cut(text, room.saturating_mul(BYTES_PER_TOKEN));
        let mut tokens = vec![self.opening];
        for_each_word(text, self.spelling, |word| {
            self.vocabulary.pieces(word, &mut tokens);
            tokens.len() <= room
        });
        tokens.truncate(room + 1);
        tokens.push(self.closing);
        tokens
    }
}

/// The first `bytes` bytes of a text, or fewer, so as not to split a character.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..floor(text, bytes)]
}

#[cfg(test)]
mod tests;
