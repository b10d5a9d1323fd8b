//! What the catalogue says of the tables that its queries read.

use serde::{Deserialize, Serialize};

/// One table of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TableSpec {
    /// The kind of its records: `payment`, where the tags that name them are
    /// such as `payment:PAY-1`. Tables may share a kind.
    pub record: String,
    /// What ties a row to a member.
    pub tie: Tie,
    /// Whether the tag of a record names its member, as `member:BEN-000001`
    /// does: then that tag reaches all that was made of the member's rows.
    pub by_member: bool,
}

/// What ties the rows of a table to a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tie {
    /// Nothing: a query reads the whole table.
    None,
    /// A row is of the members that one of these columns names.
    Member(Vec<String>),
    /// A row is of the members of the rows of `table` with the same value in
    /// the column of this name.
    Within {
        /// The column that both tables have.
        column: String,
        /// The table that knows the members.
        table: String,
    },
}
