//! The tables that the catalogue's queries read.

use serde::{Deserialize, Serialize};

/// One table of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TableSpec {
    /// The kind of its records: `payment` for tags such as `payment:PAY-1`.
    /// Tables may share a kind.
    pub record: String,
    /// How a row belongs to a member.
    pub tie: Tie,
    /// Whether the tag of a record names its member, as `member:BEN-000001` does.
    /// Such a tag reaches every answer made of the member's rows.
    pub by_member: bool,
}

/// How the rows of a table belong to members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tie {
    /// They do not: a query reads the whole table.
    None,
    /// A row belongs to the members that these columns name.
    Member(Vec<String>),
    /// A row belongs to the members of the rows of `table` that have the same
    /// value in `column`.
    Within {
        /// The column that both tables have.
        column: String,
        /// The table whose rows belong to members.
        table: String,
    },
}
