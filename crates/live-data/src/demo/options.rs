//! Options of the demo data.

use super::error::{DemoError, MOST_MEMBERS};

/// The size and the seed of demo data.
///
/// The same options give the same rows on every platform, dated relative to
/// 2025-11-20 whatever the clock says. The first *n* members are the same
/// whatever the total is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoOptions {
    /// The number of beneficiaries, from `BEN-000001` on: 1 to 999,999, with one
    /// employer (from `EMP-0001` on) for every twenty. Default: 2,000, which take
    /// about 10 MB.
    pub members: u32,
    /// The seed of the random numbers. Default: 1.
    pub seed: u64,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            members: 2_000,
            seed: 1,
        }
    }
}

impl DemoOptions {
    pub(super) fn check(&self) -> Result<(), DemoError> {
        if (1..=MOST_MEMBERS).contains(&self.members) {
            Ok(())
        } else {
            Err(DemoError::Members(self.members))
        }
    }
}
