//! Cache keys for assistant requests.
//!
//! A key is the MD5 of the text that Python's `json.dumps(sort_keys=True)`
//! writes for a request, byte for byte, so that services in both languages
//! agree on it; beside it stands an independent check, for MD5 collides.
//!
//! ```
//! use cache_keys::{Field, KeyParts, KeyScheme, Md5Scheme};
//!
//! let scheme = Md5Scheme::default();
//! let key = scheme.key(&KeyParts {
//!     intent: "claim_status",
//!     user_id: Field::Str("BEN-000001"),
//!     user_role: Field::Str("beneficiary"),
//!     message: "What is my claim status?",
//! })?;
//! assert_eq!(key.to_string(), "740ee08b0bfa6f466b0795e40fd6ec69");
//! # Ok::<(), cache_keys::KeyError>(())
//! ```

mod blocks;
mod canonical;
mod error;
mod key;
mod number;
mod parse;
mod python_json;
mod scheme;

pub use canonical::CanonicalJson;
pub use error::{JsonError, JsonProblem, KeyError, ParseDigestError};
pub use key::{CacheKey, Digest};
pub use scheme::{Field, KeyParts, KeyScheme, Md5Scheme, canonical_text};

/// How many arrays and objects may stand inside one another, the outermost
/// counted. Python stops too, at a depth that depends on its version.
pub const MAX_DEPTH: usize = 128;

/// How many digits an integer may have: CPython's own limit
/// (`sys.int_info.default_max_str_digits`), beyond which `json.loads` fails.
pub const MAX_DIGITS: usize = 4300;
