//! Sequences of keys, and the most hits that any cache could have on them.

pub(crate) mod belady;
pub(crate) mod file;
pub(crate) mod synthetic;

/// A sequence of keys, which are numbered in the order of their first use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) name: String,
    pub(crate) keys: Vec<u32>,
    /// How many different keys there are.
    pub(crate) distinct: usize,
}
