//! A part of a message that a slot took.

use std::ops::Range;

/// What a slot took of a text in normal form, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken<T> {
    pub(super) value: T,
    /// Its bytes in the text.
    pub(super) place: Range<usize>,
}
