//! From a request to its key.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, OnceLock};

use md5::{Digest as _, Md5};
use serde_json::Value;
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::blocks::{Blocks, State};
use crate::canonical::{CanonicalJson, ascii_text};
use crate::error::{JsonError, KeyError};
use crate::json_string::{Sink, hex, write_string};
use crate::key::{CacheKey, Digest};

/// One member of the user context.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// The context has no such member, which counts as the string `guest`.
    Absent,
    /// A string.
    Str(&'a str),
    /// Any JSON value; see [`CanonicalJson::from_value`] for what it may have lost.
    Value(&'a Value),
    /// Any JSON value, exact.
    Canonical(&'a CanonicalJson),
}

impl<'a> From<&'a str> for Field<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(text)
    }
}

impl<'a> From<Option<&'a CanonicalJson>> for Field<'a> {
    fn from(member: Option<&'a CanonicalJson>) -> Self {
        member.map_or(Self::Absent, Self::Canonical)
    }
}

/// The parts of a request that determine its key.
#[derive(Clone, Copy, Debug)]
pub struct KeyParts<'a> {
    /// The intent's name.
    pub intent: &'a str,
    /// The user who asks.
    pub user_id: Field<'a>,
    /// The user's role.
    pub user_role: Field<'a>,
    /// The message, or the text that replaces it.
    pub message: &'a str,
}

/// A way to compute keys. Requests that differ in any part must get different
/// keys.
pub trait KeyScheme: Send + Sync {
    /// The key of a request.
    ///
    /// # Errors
    /// If a part cannot be written: see [`KeyError`].
    fn key(&self, parts: &KeyParts<'_>) -> Result<CacheKey, KeyError>;
}

impl<S: KeyScheme + ?Sized> KeyScheme for &S {
    fn key(&self, parts: &KeyParts<'_>) -> Result<CacheKey, KeyError> {
        (**self).key(parts)
    }
}

impl<S: KeyScheme + ?Sized> KeyScheme for Box<S> {
    fn key(&self, parts: &KeyParts<'_>) -> Result<CacheKey, KeyError> {
        (**self).key(parts)
    }
}

impl<S: KeyScheme + ?Sized> KeyScheme for Arc<S> {
    fn key(&self, parts: &KeyParts<'_>) -> Result<CacheKey, KeyError> {
        (**self).key(parts)
    }
}

/// Keys whose digest is the MD5 (RFC 1321) of the request's [`canonical_text`],
/// and whose check is SipHash-1-3 with 128 bits of output, under a secret, of
/// the message's length in bytes as a little-endian 64-bit integer, the
/// message, and the canonical text.
///
/// The digest covers only 32 bits of the message's own MD5, and MD5
/// collisions can be made on purpose. The check covers every byte of the request, and is
/// a random function to anyone who does not know the secret: any two different
/// requests share it with probability 2⁻¹²⁸.
///
/// A key costs about a tenth more than its two MD5 digests: some 0.35 µs for a
/// message of 50 bytes. Nothing is allocated for fields that are strings or
/// [`Field::Canonical`].
#[derive(Clone)]
pub struct Md5Scheme {
    check: SipHasher13,
}

impl Md5Scheme {
    /// Keys whose check depends on `secret`, for processes that share a tier of the
    /// cache: all that know the secret compute the same keys. Choose it at random, and
    /// hide it from those who choose messages.
    pub fn with_secret(secret: [u8; 16]) -> Self {
        Self {
            check: SipHasher13::new_with_key(&secret),
        }
    }

    /// A new secret, from the entropy behind [`RandomState`], for
    /// [`with_secret`](Self::with_secret).
    pub fn new_secret() -> [u8; 16] {
        // Two outputs of SipHash under one random key of 128 bits.
        let random = RandomState::new();
        let halves = [random.hash_one(0), random.hash_one(1)].map(u64::to_le_bytes);
        let mut secret = [0; 16];
        secret.copy_from_slice(halves.as_flattened());
        secret
    }
}

impl Default for Md5Scheme {
    /// Keys whose check depends on a secret that the process draws once, from the
    /// entropy of [`RandomState`].
    fn default() -> Self {
        static SECRET: OnceLock<[u8; 16]> = OnceLock::new();
        Self::with_secret(*SECRET.get_or_init(Self::new_secret))
    }
}

impl fmt::Debug for Md5Scheme {
    /// Hides the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Md5Scheme").finish_non_exhaustive()
    }
}

impl KeyScheme for Md5Scheme {
    fn key(&self, parts: &KeyParts<'_>) -> Result<CacheKey, KeyError> {
        let mut text = Blocks::<TEXT_BLOCKS>::new();
        write_parts(&mut text, parts)?;
        let Some((text, blocks)) = text.pad() else {
            return self.long_key(parts);
        };

        // Each hash is a long chain of dependent steps. Interleaved, each runs
        // while the processor would wait for the other.
        let (first, others) = blocks.split_at(1);
        let mut check = self.check;
        let mut digest = State::new();
        digest.compress(first);
        check.write_u64((parts.message.len() as u64).to_le());
        check.write(parts.message.as_bytes());
        digest.compress(others);
        check.write(text);
        Ok(CacheKey::new(
            Digest::from_bytes(digest.digest()),
            check.finish128().into(),
        ))
    }
}

impl Md5Scheme {
    /// The key of a request whose text is too long for the stack.
    #[cold]
    fn long_key(&self, parts: &KeyParts<'_>) -> Result<CacheKey, KeyError> {
        let mut check = self.check;
        check.write_u64((parts.message.len() as u64).to_le());
        check.write(parts.message.as_bytes());
        let mut both = Both {
            digest: Md5::new(),
            check,
        };
        write_parts(&mut both, parts)?;
        Ok(CacheKey::new(
            Digest::from_bytes(both.digest.finalize().into()),
            both.check.finish128().into(),
        ))
    }
}

/// The text whose MD5 is the key's digest.
///
/// ```
/// use cache_keys::{Field, KeyParts, canonical_text};
///
/// let text = canonical_text(&KeyParts {
///     intent: "claim_status",
///     user_id: Field::Str("BEN-000001"),
///     user_role: Field::Absent,
///     message: "What is my claim status?",
/// })?;
/// assert_eq!(
///     text,
///     r#"{"intent": "claim_status", "message_hash": "f568f339", "user_id": "BEN-000001", "user_role": "guest"}"#
/// );
/// # Ok::<(), cache_keys::KeyError>(())
/// ```
///
/// # Errors
/// As [`KeyScheme::key`].
pub fn canonical_text(parts: &KeyParts<'_>) -> Result<String, KeyError> {
    let mut text = Vec::new();
    write_parts(&mut text, parts)?;
    Ok(ascii_text(text))
}

/// Enough for the text of most requests: up to 375 bytes.
const TEXT_BLOCKS: usize = 6;

/// Enough for most messages: up to 119 bytes.
const MESSAGE_BLOCKS: usize = 2;

#[inline]
fn write_parts(out: &mut impl Sink, parts: &KeyParts<'_>) -> Result<(), KeyError> {
    out.put(b"{\"intent\": ");
    write_string(out, parts.intent);
    write_message_hash(out, parts.message);
    write_field(out, &parts.user_id).map_err(KeyError::UserId)?;
    out.put(b", \"user_role\": ");
    write_field(out, &parts.user_role).map_err(KeyError::UserRole)?;
    out.put(b"}");
    Ok(())
}

#[inline]
fn write_field(out: &mut impl Sink, field: &Field<'_>) -> Result<(), JsonError> {
    match field {
        Field::Absent => out.put(b"\"guest\""),
        Field::Str(text) => write_string(out, text),
        Field::Value(Value::String(text)) => write_string(out, text),
        Field::Value(value) => out.put(CanonicalJson::from_value(value)?.as_str().as_bytes()),
        Field::Canonical(value) => out.put(value.as_str().as_bytes()),
    }
    Ok(())
}

/// Writes the text between the intent and the user's identity.
#[inline]
fn write_message_hash(out: &mut impl Sink, message: &str) {
    if message.is_empty() {
        return out.put(b", \"message_hash\": \"\", \"user_id\": ");
    }
    let mut short = Blocks::<MESSAGE_BLOCKS>::new();
    short.put(message.as_bytes());
    let digest: [u8; 16] = match short.pad() {
        Some((_, blocks)) => {
            let mut state = State::new();
            state.compress(blocks);
            state.digest()
        }
        None => Md5::digest(message).into(),
    };
    out.put(b", \"message_hash\": \"");
    out.put(&hex::<8>(&digest[..4]));
    out.put(b"\", \"user_id\": ");
}

/// The digest and the check of one text.
struct Both {
    digest: Md5,
    check: SipHasher13,
}

impl Sink for Both {
    fn put(&mut self, ascii: &[u8]) {
        self.digest.update(ascii);
        self.check.write(ascii);
    }
}
