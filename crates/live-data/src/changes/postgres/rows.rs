//! From the rows that `pgoutput` sends to changes of declared tables.

use std::collections::HashMap;

use super::pgoutput::{Datum, Old, Relation, Tuple};
use crate::changes::event::{ChangeEvent, ColumnValue, Columns, RowChange};
use crate::changes::mapping::Mapping;

/// The types whose text identifies a value: `text`, `varchar`, `name`, the integers, and
/// `uuid`. Of others, such as padded `char(n)`, two texts may be equal values.
const TEXTUAL: [u32; 7] = [25, 1043, 19, 20, 21, 23, 2950];

/// The tables whose rows were announced.
#[derive(Debug, Default)]
pub(super) struct AnnouncedTables(HashMap<u32, AnnouncedTable>);

/// A table as it was announced last.
#[derive(Debug)]
struct AnnouncedTable {
    /// The tables that its rows count for.
    names: Vec<String>,
    columns: Vec<TrackedColumn>,
}

#[derive(Debug, PartialEq, Eq)]
struct TrackedColumn {
    name: String,
    kind: u32,
    is_identity: bool,
    is_wanted: bool,
}

/// What is known of a row before a change.
#[derive(Debug)]
pub(super) enum Before<'m> {
    /// There was none.
    None,
    /// Its replica identity is that of the new row.
    SameIdentity,
    Sent(Old<'m>),
}

/// A row of a table that was not announced.
#[derive(Debug)]
pub(super) struct Unannounced;

impl AnnouncedTables {
    /// Notes what a table looks like. `names` are the declared tables that its rows count
    /// for. A schema that differs from the former one changes them as a whole.
    pub(super) fn announce(
        &mut self,
        relation: &Relation<'_>,
        names: Option<&[String]>,
        mapping: &Mapping,
        events: &mut Vec<ChangeEvent>,
    ) {
        let own = [relation.name.to_owned()];
        let names = names.unwrap_or(&own).to_vec();
        let is_wanted = |column: &str| {
            let mut wanted = names.iter().flat_map(|name| mapping.columns(name));
            wanted.any(|name| name.eq_ignore_ascii_case(column))
        };
        let columns = relation.columns.iter().map(|column| TrackedColumn {
            name: column.name.to_owned(),
            kind: column.kind,
            is_identity: column.is_identity,
            is_wanted: is_wanted(column.name),
        });
        let columns: Vec<_> = columns.collect();
        let table = AnnouncedTable { names, columns };
        let names = table.names.clone();
        let is_same = |former: &AnnouncedTable| former.columns == table.columns;
        let former = self.0.get(&relation.table);
        let has_changed = former.is_some_and(|former| !is_same(former));
        self.0.insert(relation.table, table);
        if has_changed {
            let names = names.into_iter().map(Some);
            events.extend(names.map(ChangeEvent::Table));
        }
    }

    /// Adds a changed row.
    pub(super) fn change(
        &self,
        table: u32,
        old: Before<'_>,
        new: Option<Tuple<'_>>,
        events: &mut Vec<ChangeEvent>,
    ) -> Result<(), Unannounced> {
        let table = self.0.get(&table).ok_or(Unannounced)?;
        let (before, after) = table.images(old, new);
        for name in &table.names {
            events.push(ChangeEvent::Row(RowChange {
                table: name.clone(),
                old: before.clone(),
                new: after.clone(),
            }));
        }
        Ok(())
    }

    /// Adds a truncated table.
    pub(super) fn truncate(
        &self,
        table: u32,
        events: &mut Vec<ChangeEvent>,
    ) -> Result<(), Unannounced> {
        let table = self.0.get(&table).ok_or(Unannounced)?;
        let names = table.names.iter().cloned();
        events.extend(names.map(|name| ChangeEvent::Table(Some(name))));
        Ok(())
    }
}

impl AnnouncedTable {
    /// The wanted columns before and after a change.
    fn images(
        &self,
        old: Before<'_>,
        new: Option<Tuple<'_>>,
    ) -> (Option<Columns>, Option<Columns>) {
        let mut before = Columns::new();
        let mut after = Columns::new();
        for (index, column) in self.columns.iter().enumerate() {
            if !column.is_wanted {
                continue;
            }
            let at = |tuple: &Tuple<'_>| tuple.get(index).map(|datum| column.value(*datum));
            let was = match &old {
                Before::Sent(Old::Row(tuple)) => at(tuple),
                Before::Sent(Old::Identity(tuple)) if column.is_identity => at(tuple),
                Before::SameIdentity if column.is_identity => new.as_ref().and_then(at),
                _ => None,
            };
            let is = match new.as_ref().and_then(|tuple| tuple.get(index)) {
                Some(Datum::Unchanged) => was.clone(),
                Some(datum) => Some(column.value(*datum)),
                None => None,
            };
            before.extend(was.map(|value| (column.name.clone(), value)));
            after.extend(is.map(|value| (column.name.clone(), value)));
        }
        let was_there = !matches!(old, Before::None);
        (was_there.then_some(before), new.map(|_| after))
    }
}

impl TrackedColumn {
    fn value(&self, datum: Datum<'_>) -> ColumnValue {
        match datum {
            Datum::Null => ColumnValue::Null,
            Datum::Text(text) if TEXTUAL.contains(&self.kind) => match std::str::from_utf8(text) {
                Ok(text) => ColumnValue::Text(text.to_owned()),
                Err(_) => ColumnValue::Unknown,
            },
            _ => ColumnValue::Unknown,
        }
    }
}
