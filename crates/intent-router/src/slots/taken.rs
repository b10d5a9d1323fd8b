//! A part of a message that a slot took.

use std::ops::Range;

/// A value that a slot took from a text in normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken<T> {
    pub(super) value: T,
    /// Its byte range in the text.
    pub(super) place: Range<usize>,
}
