//! How identifiers of people appear in logs and statistics: as keyed hashes, or as
//! they are where `[privacy] show_ids` says so.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::config::Privacy;
use crate::exit::{Code, Failure};

/// The bytes of a hash that are shown, as twice as many hexadecimal digits.
const SHOWN_BYTES: usize = 6;

/// The most characters of an identifier that is shown as it is.
const MOST_SHOWN: usize = 80;

/// The length of a key file in bytes, at least and at most.
const KEY_LENGTH: std::ops::RangeInclusive<usize> = 16..=4096;

/// What an identifier is of. Equal texts of different kinds have different hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Role,
    /// The key of a stored answer, which is computed from the user and the message.
    Key,
    /// The name of a record, which may be a member's identifier.
    Record,
    Pattern,
    /// A name that no intent and no class has.
    Unknown,
}

/// Writes identifiers as the setting `[privacy]` says.
#[derive(Clone)]
pub(crate) enum Identifiers {
    /// As they are, at most their first characters.
    Shown,
    /// As HMAC-SHA256 of the kind and the text by this key.
    Hashed(Hmac<Sha256>),
}

impl Identifiers {
    /// Reads the key file, or makes a random key if there is none.
    ///
    /// # Errors
    /// The key file cannot be read, or is too short or too long.
    pub(crate) fn new(privacy: &Privacy) -> Result<Self, Failure> {
        if privacy.show_ids {
            return Ok(Self::Shown);
        }
        let key = match &privacy.key_file {
            Some(file) => read_key(file)?,
            None => random_key()?,
        };
        // HMAC takes a key of any length.
        let mac = Hmac::new_from_slice(&key).map_err(|error| Failure::new(Code::Config, error))?;
        Ok(Self::Hashed(mac))
    }

    /// Whether identifiers are shown as they are.
    pub(crate) fn are_shown(&self) -> bool {
        matches!(self, Self::Shown)
    }

    /// The text to show for an identifier.
    pub(crate) fn text(&self, kind: Kind, identifier: &str) -> String {
        match self {
            Self::Shown => shortened(identifier),
            Self::Hashed(mac) => hashed(mac.clone(), kind, identifier),
        }
    }
}

fn hashed(mut mac: Hmac<Sha256>, kind: Kind, identifier: &str) -> String {
    mac.update(&[kind as u8]);
    mac.update(identifier.as_bytes());
    let digest = mac.finalize().into_bytes();
    let mut text = String::with_capacity(1 + 2 * SHOWN_BYTES);
    text.push('#');
    for byte in digest.iter().take(SHOWN_BYTES) {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The beginning of a text; an ellipsis stands for the rest.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn read_key(file: &Path) -> Result<Vec<u8>, Failure> {
    let fail = |what: &dyn std::fmt::Display| {
        let path = file.display();
        Failure::new(
            Code::Config,
            format_args!("privacy.key_file: {path}: {what}"),
        )
    };
    let mut key = Vec::new();
    let most = *KEY_LENGTH.end() as u64;
    File::open(file)
        .and_then(|file| file.take(most + 1).read_to_end(&mut key))
        .map_err(|error| fail(&format_args!("cannot be read: {error}")))?;
    if !KEY_LENGTH.contains(&key.len()) {
        let (least, most) = KEY_LENGTH.into_inner();
        let length = format_args!(
            "must have {least} to {most} random bytes; make one with `openssl rand -out FILE 32`"
        );
        return Err(fail(&length));
    }
    Ok(key)
}

fn random_key() -> Result<Vec<u8>, Failure> {
    let mut key = vec![0; 32];
    getrandom::fill(&mut key).map_err(|error| {
        Failure::new(
            Code::Unavailable,
            format_args!("the system gives no random numbers: {error}"),
        )
    })?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(key: &[u8]) -> Identifiers {
        Identifiers::Hashed(Hmac::new_from_slice(key).expect("any length"))
    }

    #[test]
    fn a_hash_depends_on_the_key_the_kind_and_the_text() {
        let ids = by(b"0123456789abcdef");
        let hash = ids.text(Kind::User, "BEN-000001");
        assert_eq!(hash, "#634d8d1f621d");
        assert_eq!(hash, by(b"0123456789abcdef").text(Kind::User, "BEN-000001"));
        for other in [
            by(b"0123456789abcdeg").text(Kind::User, "BEN-000001"),
            ids.text(Kind::Role, "BEN-000001"),
            ids.text(Kind::User, "BEN-000002"),
        ] {
            assert_ne!(hash, other);
        }
        let random = || Identifiers::new(&Privacy::default()).map(|ids| ids.text(Kind::User, ""));
        assert_ne!(random().ok(), random().ok());
    }

    #[test]
    fn identifiers_that_are_shown_are_shortened() {
        let shown = |text: &str| Identifiers::Shown.text(Kind::User, text);
        assert_eq!(shown("BEN-000001"), "BEN-000001");
        assert_eq!(shown(&"é".repeat(80)), "é".repeat(80));
        assert_eq!(shown(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
    }
}
