//! [`Mapping`]: which records a change of a table's rows is about.

use std::collections::{BTreeMap, BTreeSet};

use intent_router::{Catalogue, Coverage, Selector, TableSpec, Tie};

use super::batch::{Batch, Users};
use super::event::{ColumnValue, Columns, RowChange};

/// Maps changes to the records that a catalogue declares.
///
/// A changed row reaches every answer that depends on it: those that read its table
/// as a whole, and those that read the part of a member who owned the row before
/// or owns it after. Where the owner is not in the row, it reaches the part of
/// every member.
#[derive(Clone, Debug)]
pub struct Mapping {
    tables: BTreeMap<String, TableSpec>,
    coverage: Coverage,
}

impl Mapping {
    /// The mapping of a catalogue's tables, for a feed of this coverage.
    pub fn new(catalogue: &Catalogue, coverage: Coverage) -> Self {
        Self {
            tables: catalogue.tables().clone(),
            coverage,
        }
    }

    /// The name of a declared table as the catalogue has it.
    pub fn declared(&self, table: &str) -> Option<&str> {
        let name = table.to_ascii_lowercase();
        let (name, _) = self.tables.get_key_value(&name)?;
        Some(name)
    }

    /// The columns of a table that [`RowChange`]s need: those that say whose a row is.
    pub fn columns(&self, table: &str) -> &[String] {
        match self.tables.get(&table.to_ascii_lowercase()) {
            Some(TableSpec {
                tie: Tie::Member(columns),
                ..
            }) => columns,
            _ => &[],
        }
    }

    /// Adds a changed row to a batch.
    pub(super) fn add_row(&self, change: &RowChange, batch: &mut Batch) {
        let Some(spec) = self.tables.get(&change.table.to_ascii_lowercase()) else {
            return batch.add(None, Users::Any);
        };
        let users = match &spec.tie {
            Tie::None => Users::These(BTreeSet::new()),
            Tie::Member(columns) => owners(change, columns),
            // The other table would have to be read as it was at the change.
            Tie::Within { .. } => Users::Any,
        };
        batch.add(Some(&spec.record), users);
    }

    /// Adds all rows of a table to a batch; `None` for undeclared tables.
    pub(super) fn add_table(&self, table: Option<&str>, batch: &mut Batch) {
        let spec = table.and_then(|table| self.tables.get(&table.to_ascii_lowercase()));
        match spec {
            None => batch.add(None, Users::Any),
            Some(TableSpec {
                tie: Tie::None,
                record,
                ..
            }) => batch.add(Some(record), Users::These(BTreeSet::new())),
            Some(spec) => batch.add(Some(&spec.record), Users::Any),
        }
    }

    /// What any change of a table of the feed may reach.
    pub fn everything(&self) -> Vec<Selector> {
        let tables = match &self.coverage {
            Coverage::Tables(tables) => tables,
            // Every answer of the source, also of kinds that no table declares.
            _ => {
                return vec![Selector::Records {
                    kind: None,
                    users: None,
                }];
            }
        };
        let mut batch = Batch::default();
        for table in tables {
            self.add_table(Some(table), &mut batch);
        }
        batch.into_selectors()
    }
}

/// The owners of a row before and after a change.
fn owners(change: &RowChange, columns: &[String]) -> Users {
    let mut users = BTreeSet::new();
    let rows: Vec<_> = [&change.old, &change.new].into_iter().flatten().collect();
    if rows.is_empty() {
        return Users::Any;
    }
    for (row, column) in rows
        .iter()
        .flat_map(|row| columns.iter().map(move |column| (row, column)))
    {
        match value(row, column) {
            Some(ColumnValue::Text(user)) => drop(users.insert(user.clone())),
            Some(ColumnValue::Null) => {}
            Some(ColumnValue::Unknown) | None => return Users::Any,
        }
    }
    Users::These(users)
}

/// The value of a column, whose name databases compare without case.
fn value<'r>(row: &'r Columns, column: &str) -> Option<&'r ColumnValue> {
    row.get(column).or_else(|| {
        let mut columns = row.iter();
        let found = columns.find(|(name, _)| name.eq_ignore_ascii_case(column));
        found.map(|(_, value)| value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping() -> Mapping {
        Mapping::new(Catalogue::built_in(), Coverage::Everything)
    }

    fn row(values: &[(&str, ColumnValue)]) -> Option<Columns> {
        let values = values.iter();
        Some(
            values
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        )
    }

    fn text(text: &str) -> ColumnValue {
        ColumnValue::Text(text.to_owned())
    }

    #[track_caller]
    fn check(
        table: &str,
        old: Option<Columns>,
        new: Option<Columns>,
        kind: Option<&str>,
        users: Option<&[&str]>,
    ) {
        let mut batch = Batch::default();
        let table = table.to_owned();
        mapping().add_row(&RowChange { table, old, new }, &mut batch);
        let users = users.map(|users| users.iter().map(|user| (*user).to_owned()).collect());
        let kind = kind.map(str::to_owned);
        assert_eq!(batch.into_selectors(), [Selector::Records { kind, users }]);
    }

    #[test]
    fn a_row_reaches_its_owners_before_and_after() {
        let of = |user| row(&[("member_id", text(user))]);
        check(
            "payments",
            of("A"),
            of("B"),
            Some("payment"),
            Some(&["A", "B"]),
        );
        check("PAYMENTS", None, of("B"), Some("payment"), Some(&["B"]));
        check("payments", of("A"), None, Some("payment"), Some(&["A"]));
        check(
            "payments",
            row(&[("Member_ID", text("A"))]),
            None,
            Some("payment"),
            Some(&["A"]),
        );
        let both = row(&[("member_id", text("A")), ("employer_id", text("E"))]);
        check("claims", None, both, Some("claim"), Some(&["A", "E"]));
        check("claims", None, of("A"), Some("claim"), None);
        check(
            "payments",
            None,
            row(&[("member_id", ColumnValue::Null)]),
            Some("payment"),
            Some(&[]),
        );
        check(
            "payments",
            None,
            row(&[("member_id", ColumnValue::Unknown)]),
            Some("payment"),
            None,
        );
        check("payments", row(&[]), of("A"), Some("payment"), None);
        check("payments", None, None, Some("payment"), None);
        check("claim_events", of("A"), of("A"), Some("claim"), None);
        check("adjusters", row(&[]), row(&[]), Some("adjuster"), Some(&[]));
        check("demo_origin", row(&[]), None, None, Some(&[]));
    }

    #[test]
    fn everything_is_what_the_feed_covers() {
        let records = |kind: &str, users: Option<Vec<String>>| Selector::Records {
            kind: Some(kind.to_owned()),
            users,
        };
        let tables = ["claims", "claim_events", "adjusters", "members"];
        let coverage = Coverage::Tables(tables.map(str::to_owned).into());
        let mapping = Mapping::new(Catalogue::built_in(), coverage);
        assert_eq!(
            mapping.everything(),
            [
                records("adjuster", Some(Vec::new())),
                records("claim", None),
                records("member", None)
            ]
        );
    }
}
