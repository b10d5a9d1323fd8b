//! A claim, as far as the generation of its other records needs it.

use super::calendar::Day;
use super::names::Injury;

/// A claim, as far as its documents and payments need it.
pub(super) struct Claim {
    pub(super) number: String,
    pub(super) injury: Injury,
    pub(super) status: &'static str,
    pub(super) filed_on: Day,
    /// Set once the claim is decided.
    pub(super) decided_on: Option<Day>,
    pub(super) closed_on: Option<Day>,
}
