//! From a request to its key.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, OnceLock};

use md5::{Digest as _, Md5};
use serde_json::Value;
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::canonical::{CanonicalJson, ascii_text};
use crate::error::{JsonError, KeyError};
use crate::key::{CacheKey, Digest, hex};
use crate::python_json::{Node, Sink, write_string};

/// One member of the user context.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// The context has no such member: counts as the string `guest`.
    Absent,
    /// A string.
    Str(&'a str),
    /// Any JSON value; [`CanonicalJson::from_value`] says what it may have lost.
    Value(&'a Value),
    /// Any JSON value, exact.
    Canonical(&'a CanonicalJson),
}

impl<'a> From<Option<&'a CanonicalJson>> for Field<'a> {
    fn from(member: Option<&'a CanonicalJson>) -> Self {
        member.map_or(Self::Absent, Self::Canonical)
    }
}

/// What a key is made of.
#[derive(Clone, Copy, Debug)]
pub struct KeyParts<'a> {
    /// The intent's name.
    pub intent: &'a str,
    /// Who asks.
    pub user_id: Field<'a>,
    /// In which role.
    pub user_role: Field<'a>,
    /// The message, or the text that stands for it.
    pub message: &'a str,
}

/// A way to make keys. Requests that differ in any part must get keys that
/// differ.
pub trait KeyScheme: Send + Sync {
    /// The key of a request.
    ///
    /// # Errors
    /// A part that cannot be written: see [`KeyError`].
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

/// Keys whose digest is the MD5 of the text that Python's
/// `json.dumps(sort_keys=True)` writes for the request ([`canonical_text`]),
/// and whose check is SipHash-1-3 with 128 bits of that text followed by the
/// whole message, under a secret.
///
/// The digest covers only 32 bits of the message's own MD5, and MD5 collides
/// for whoever wants it to. The check does not: for those who do not know the
/// secret it is a random function, so any two different requests share it with
/// probability 2⁻¹²⁸.
///
/// A key costs about as much as its two MD5 digests. Nothing is allocated for
/// fields that are strings or [`Field::Canonical`].
#[derive(Clone)]
pub struct Md5Scheme {
    check: SipHasher13,
}

impl Md5Scheme {
    /// Keys whose check depends on `secret`: the same in every process that
    /// knows it, now and later. For processes that share a tier of the cache.
    /// Draw the secret at random, and keep it from whoever chooses messages.
    pub fn with_secret(secret: [u8; 16]) -> Self {
        Self {
            check: SipHasher13::new_with_key(&secret),
        }
    }
}

impl Default for Md5Scheme {
    /// Keys whose check depends on a secret that is drawn once in the life of
    /// the process, from the entropy behind [`RandomState`].
    fn default() -> Self {
        static SECRET: OnceLock<[u8; 16]> = OnceLock::new();
        Self::with_secret(*SECRET.get_or_init(|| {
            // Two outputs of SipHash under one random key of 128 bits.
            let random = RandomState::new();
            let halves = [random.hash_one(0), random.hash_one(1)].map(u64::to_le_bytes);
            let mut secret = [0; 16];
            secret.copy_from_slice(halves.as_flattened());
            secret
        }))
    }
}

impl fmt::Debug for Md5Scheme {
    /// Does not show the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Md5Scheme").finish_non_exhaustive()
    }
}

impl KeyScheme for Md5Scheme {
    fn key(&self, parts: &KeyParts<'_>) -> Result<CacheKey, KeyError> {
        let mut stream = Stream::new(self.check);
        write_parts(&mut stream, parts)?;
        Ok(stream.finish(parts.message))
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

fn write_parts(out: &mut impl Sink, parts: &KeyParts<'_>) -> Result<(), KeyError> {
    out.put(b"{\"intent\": ");
    write_string(out, parts.intent);
    if parts.message.is_empty() {
        out.put(b", \"message_hash\": \"\", \"user_id\": ");
    } else {
        let digest = Md5::digest(parts.message);
        out.put(b", \"message_hash\": \"");
        out.put(&hex::<8>(&digest[..4]));
        out.put(b"\", \"user_id\": ");
    }
    write_field(out, &parts.user_id).map_err(KeyError::UserId)?;
    out.put(b", \"user_role\": ");
    write_field(out, &parts.user_role).map_err(KeyError::UserRole)?;
    out.put(b"}");
    Ok(())
}

fn write_field(out: &mut impl Sink, field: &Field<'_>) -> Result<(), JsonError> {
    match field {
        Field::Absent => out.put(b"\"guest\""),
        Field::Str(text) => write_string(out, text),
        Field::Value(Value::String(text)) => write_string(out, text),
        Field::Value(value) => {
            let mut text = Vec::new();
            Node::of(value, 0)?.write(&mut text);
            out.put(&text);
        }
        Field::Canonical(value) => out.put(value.as_str().as_bytes()),
    }
    Ok(())
}

/// Enough for the text of most requests, whose digest is then computed at once.
const BUFFER: usize = 256;

/// Feeds a text to both functions, by way of a buffer on the stack.
struct Stream {
    buffer: [u8; BUFFER],
    len: usize,
    digest: Md5,
    check: SipHasher13,
}

impl Stream {
    #[inline]
    fn new(check: SipHasher13) -> Self {
        Self {
            buffer: [0; BUFFER],
            len: 0,
            digest: Md5::new(),
            check,
        }
    }

    #[inline]
    fn flush(&mut self) {
        let text = &self.buffer[..self.len];
        // The check first: it is short, and what follows overlaps with it.
        self.check.write(text);
        self.digest.update(text);
        self.len = 0;
    }

    /// Takes what the buffer has no room for.
    #[cold]
    fn overflow(&mut self, ascii: &[u8]) {
        self.flush();
        match self.buffer.get_mut(..ascii.len()) {
            Some(room) => {
                room.copy_from_slice(ascii);
                self.len = ascii.len();
            }
            None => {
                self.check.write(ascii);
                self.digest.update(ascii);
            }
        }
    }

    #[inline]
    fn finish(mut self, message: &str) -> CacheKey {
        // The text is a JSON object, and no object begins another: where the
        // text ends and the message begins is beyond doubt.
        let text = &self.buffer[..self.len];
        self.check.write(text);
        self.check.write(message.as_bytes());
        let check = self.check.finish128().as_u128();
        self.digest.update(text);
        let digest = Digest::from_bytes(self.digest.finalize().into());
        CacheKey::new(digest, check)
    }
}

impl Sink for Stream {
    #[inline]
    fn put(&mut self, ascii: &[u8]) {
        let end = self.len + ascii.len();
        match self.buffer.get_mut(self.len..end) {
            Some(room) => {
                room.copy_from_slice(ascii);
                self.len = end;
            }
            None => self.overflow(ascii),
        }
    }
}
