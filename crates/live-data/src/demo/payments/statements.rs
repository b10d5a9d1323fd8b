//! What both kinds of demo database have in common.

use crate::demo::DemoError;

pub(super) const MEMBERS: &str =
    "SELECT DISTINCT member_id FROM payments ORDER BY member_id LIMIT $1";
pub(super) const SET_AMOUNTS: &str = "UPDATE payments SET amount_cents = $1 WHERE member_id = $2";

/// The error of a database with other data.
pub(super) fn not_demo(name: impl ToString, reason: impl std::fmt::Display) -> DemoError {
    DemoError::write(name, format_args!("it is not demo data: {reason}"))
}

/// The error of a member whose payments are to be changed and who has none.
pub(super) fn no_payments(name: impl ToString, member: &str) -> DemoError {
    DemoError::write(name, format_args!("{member} has no payments"))
}
