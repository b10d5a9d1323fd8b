//! What a feed of changes reports.

use std::collections::BTreeMap;
use std::time::Instant;

/// A place in the history of a database. Later places are greater. Only positions
/// of one feed can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub u64);

/// The value of a column, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnValue {
    /// A value, in the text that the database casts it to.
    Text(String),
    /// No value.
    Null,
    /// The feed cannot tell.
    Unknown,
}

/// Columns of a row by name, in any case. A column that is missing is
/// [unknown](ColumnValue::Unknown).
pub type Columns = BTreeMap<String, ColumnValue>;

/// One changed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    /// The name of its table, in any case.
    pub table: String,
    /// The row before the change; `None` if there was none. Of a row whose former
    /// values are not known, give no columns: `Some(Columns::new())`.
    pub old: Option<Columns>,
    /// The row after the change; `None` if there is none.
    pub new: Option<Columns>,
}

/// Why changes may have been missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Gap {
    /// The connection to the database was lost, or could not be made.
    Disconnected,
    /// The database no longer has the changes that were not read yet.
    Lost,
    /// Another database took the place of the one that was read.
    Replaced,
    /// A change could not be understood.
    Undecodable,
    /// The catalogue has changed.
    Catalogue,
}

impl Gap {
    /// Every reason, in the order of their declaration.
    pub const ALL: [Self; 5] = [
        Self::Disconnected,
        Self::Lost,
        Self::Replaced,
        Self::Undecodable,
        Self::Catalogue,
    ];

    /// A short name for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Lost => "lost",
            Self::Replaced => "replaced",
            Self::Undecodable => "undecodable",
            Self::Catalogue => "catalogue",
        }
    }
}

/// What a [`ChangeFeed`](super::ChangeFeed) reports.
///
/// Changes come in the order of their commits. Those of a transaction are followed
/// by a `Position`, which may follow several transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeEvent {
    /// A row was inserted, updated or deleted.
    Row(RowChange),
    /// Any rows of a table may have changed: it was truncated, its schema changed, or
    /// the feed does not report its rows. `None` stands for all tables that the
    /// catalogue does not declare.
    Table(Option<String>),
    /// Changes may have been missed since the last `Position`, in every table of the
    /// feed. Report it as soon as it is known, before reconnecting.
    Gap {
        /// Why.
        reason: Gap,
        /// What happened, for the log, without values of rows.
        detail: String,
    },
    /// Everything committed before `as_of` has been reported, except for what the
    /// gaps before this event hide. A feed reports it after every transaction, and
    /// regularly while nothing changes. After a gap it says that the feed is
    /// connected again: every later change will be reported.
    Position {
        /// Up to where, if the feed has positions.
        at: Option<Position>,
        /// When the last reported transaction was committed, or later if all of them
        /// have been reported. Where commits have no time: when it was noticed.
        as_of: Instant,
    },
}
