#![doc = include_str!("../README.md")]

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
