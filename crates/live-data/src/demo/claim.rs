//! What the other records of a claim need to know of it.

use super::calendar::Day;
use super::names::Injury;

/// One claim, as its documents and payments need to know it.
pub(super) struct Claim {
    pub(super) number: String,
    pub(super) injury: Injury,
    pub(super) status: &'static str,
    pub(super) filed_on: Day,
    /// Set once somebody decided.
    pub(super) decided_on: Option<Day>,
    pub(super) closed_on: Option<Day>,
}
