//! The users of the traffic.

use serde::Serialize;

/// The identifiers of the users, a prefix and a number from 1, and their role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Population {
    /// The start of every identifier.
    pub(crate) prefix: String,
    /// The number of digits that the number is padded to.
    pub(crate) digits: usize,
    /// The role of all users.
    pub(crate) role: String,
}

impl Default for Population {
    /// The demo data's beneficiaries, `BEN-000001` and so on.
    fn default() -> Self {
        Self {
            prefix: "BEN-".into(),
            digits: 6,
            role: "beneficiary".into(),
        }
    }
}

impl Population {
    /// The identifier of the user with this index, from 0.
    pub(crate) fn id(&self, index: u32) -> String {
        let number = u64::from(index) + 1;
        format!("{}{number:0width$}", self.prefix, width = self.digits)
    }
}
