//! The key: a digest to find an entry by, and a check that it is the right one.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use equivalent::Equivalent;

use crate::error::ParseDigestError;
use crate::json_string::hex;

/// The MD5 digest that names an entry, written as 32 lower-case hex digits.
///
/// A digest finds an entry, but does not prove that it is the right one: see
/// [`CacheKey`].
///
/// ```
/// use cache_keys::Digest;
///
/// let digest: Digest = "bd086473266af9626406ca991aca6753".parse()?;
/// assert_eq!(digest.to_string(), "bd086473266af9626406ca991aca6753");
/// # Ok::<(), cache_keys::ParseDigestError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 16]);

impl Digest {
    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The digest's bytes, in the order of its hex digits.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from_le_bytes(self.0));
    }
}

impl fmt::LowerHex for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = hex::<32>(&self.0);
        f.pad(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(self, f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    /// Reads 32 hex digits of either case.
    ///
    /// # Errors
    /// A text of another length, or with another character.
    fn from_str(text: &str) -> Result<Self, ParseDigestError> {
        if text.len() != 32 {
            return Err(ParseDigestError::Length(text.len()));
        }
        let mut bytes = [0; 16];
        for (at, digit) in text.bytes().enumerate() {
            let value = char::from(digit)
                .to_digit(16)
                .ok_or(ParseDigestError::Digit(at))?;
            // A hex digit's value is below 16, so nothing is cut off.
            bytes[at / 2] = bytes[at / 2] << 4 | value as u8;
        }
        Ok(Self(bytes))
    }
}

/// The key of a cached answer: its [`Digest`], and a check of 128 bits that shows
/// whether an entry found by the digest belongs to the same request.
///
/// Equality compares both; hashing uses only the digest. So requests whose digests
/// collide, by chance or by design, have the same hash but are never equal. A store
/// that finds entries by the digest's hex form must keep [`check`](Self::check) with
/// each entry and treat another value as a miss.
///
/// [`Digest`] and `CacheKey` hash alike, and a `Digest` is
/// [`Equivalent`] to every `CacheKey` that has it, so an entry can be looked
/// up in a table of `hashbrown` or `indexmap` by the digest alone. Use this for
/// removal: if digests collide it finds one entry of several, so repeat it until
/// none is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheKey {
    digest: Digest,
    check: u128,
}

impl CacheKey {
    /// A key of these parts, for a [`KeyScheme`](crate::KeyScheme) of your own
    /// or a key that another process computed.
    pub const fn new(digest: Digest, check: u128) -> Self {
        Self { digest, check }
    }

    /// The digest that names the entry.
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The independent check over the whole request.
    pub const fn check(&self) -> u128 {
        self.check
    }
}

impl Hash for CacheKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl Equivalent<CacheKey> for Digest {
    fn equivalent(&self, key: &CacheKey) -> bool {
        *self == key.digest
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digest.fmt(f)
    }
}
