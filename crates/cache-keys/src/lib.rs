#![doc = include_str!("../README.md")]

mod blocks;
mod canonical;
mod error;
mod json_string;
mod key;
mod limits;
mod number;
mod parse;
mod python_json;
mod scheme;

pub use canonical::CanonicalJson;
pub use error::{JsonError, JsonProblem, KeyError, ParseDigestError};
pub use key::{CacheKey, Digest};
pub use limits::{MAX_DEPTH, MAX_DIGITS};
pub use scheme::{Field, KeyParts, KeyScheme, Md5Scheme, canonical_text};
