//! Which tables a publication reports, and how well.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use intent_router::{Catalogue, Tie};

use super::wire::{Connection, Row, WireError};

/// The name of the publication.
pub(super) const PUBLICATION: &str = "router_changes";

/// A table of the database that holds rows of a declared table: itself, one of its
/// partitions, or one that inherits from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// The table's number in the database.
    pub(super) table: u32,
    /// Its quoted name, with the schema.
    pub(super) name: String,
    /// Whether it has the declared name itself.
    pub(super) is_named: bool,
    /// Whether all its changes are reported; the reason if not.
    pub(super) state: Publishing,
    /// The columns of its replica identity; `None` stands for all.
    pub(super) identity: Option<BTreeSet<String>>,
    /// Changes with its columns, and when its rows are rewritten as a whole.
    form: String,
}

/// Whether a table's changes are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Publishing {
    /// It has no rows of its own, as a partitioned table.
    Empty,
    Published,
    /// It could be published, and is not.
    Missing,
    /// Only some rows are published.
    Filtered,
    /// It cannot be published: a foreign table, a materialised view, or an unlogged table.
    Impossible,
}

/// What the database says about the declared tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Published {
    /// Whether the publication exists.
    pub(super) exists: bool,
    /// Whether it reports every kind of change, each by the table that holds the row.
    pub(super) is_complete: bool,
    /// The tables behind each declared name.
    pub(super) families: BTreeMap<String, Vec<Member>>,
    /// The declared names that the rows of a table count for.
    names: BTreeMap<u32, Vec<String>>,
}

impl Published {
    /// Asks the database.
    pub(super) async fn read(
        sql: &mut Connection,
        catalogue: &Catalogue,
    ) -> Result<Self, WireError> {
        let mut published = Self::default();
        let state = format!(
            "SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate AND NOT pubviaroot \
             FROM pg_catalog.pg_publication WHERE pubname = '{PUBLICATION}'"
        );
        if let Some(row) = sql.query(&state).await?.first() {
            published.exists = true;
            published.is_complete = text(row, 0) == "t";
        }
        for row in sql.query(&families(catalogue.tables().keys())).await? {
            let table = text(&row, 1).parse().unwrap_or(0);
            let name = text(&row, 0).to_owned();
            let state = match (text(&row, 4), text(&row, 5)) {
                ("empty", _) => Publishing::Empty,
                ("impossible", _) => Publishing::Impossible,
                (_, "whole") => Publishing::Published,
                (_, "part") => Publishing::Filtered,
                _ => Publishing::Missing,
            };
            let identity = match text(&row, 6) {
                "all" => None,
                columns => Some(serde_json::from_str(columns).unwrap_or_default()),
            };
            let names = published.names.entry(table).or_default();
            if !names.contains(&name) {
                names.push(name.clone());
            }
            published.families.entry(name).or_default().push(Member {
                table,
                name: text(&row, 2).to_owned(),
                is_named: text(&row, 3) == "t",
                state,
                identity,
                form: text(&row, 7).to_owned(),
            });
        }
        Ok(published)
    }

    /// The declared tables all of whose changes are reported.
    pub(super) fn covered(&self) -> BTreeSet<String> {
        let is_seen =
            |member: &Member| matches!(member.state, Publishing::Empty | Publishing::Published);
        let families = self.families.iter();
        families
            .filter(|(_, family)| self.is_complete && family.iter().all(is_seen))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The declared tables whose schema changed, if that is all that changed; `None` if
    /// other tables hold their rows now, or are published.
    pub(super) fn reformed(&self, former: &Self) -> Option<BTreeSet<String>> {
        let mut reformed = BTreeSet::new();
        let mut alike = self.clone();
        for (name, family) in &mut alike.families {
            for (now, before) in family.iter_mut().zip(former.families.get(name)?) {
                if now.form != before.form {
                    reformed.insert(name.clone());
                    now.form.clone_from(&before.form);
                }
            }
        }
        (alike == *former).then_some(reformed)
    }

    /// The declared tables that the rows of a table count for; `None` for a table that
    /// holds rows of no declared table.
    pub(super) fn names(&self, table: u32) -> Option<&[String]> {
        self.names.get(&table).map(Vec::as_slice)
    }

    /// Tables whose changes can only be reported for all members, and how to mend it.
    pub(super) fn lacks(&self, catalogue: &Catalogue) -> Vec<String> {
        let mut lacks = BTreeSet::new();
        for (name, family) in &self.families {
            for member in family {
                if lacks_identity(catalogue, name, member) {
                    let statement = identity_statement(member);
                    lacks.insert(format!(
                        "the changes of {} do not say whose rows they were: {statement}",
                        member.name
                    ));
                }
            }
        }
        lacks.into_iter().collect()
    }
}

/// Whether the former owner of a changed row is unknown, or the table's rows could not be
/// changed at all once it is published.
pub(super) fn lacks_identity(catalogue: &Catalogue, name: &str, member: &Member) -> bool {
    let Some(identity) = &member.identity else {
        return false;
    };
    let columns = match catalogue.tables().get(name).map(|spec| &spec.tie) {
        Some(Tie::Member(columns)) => columns.as_slice(),
        _ => &[],
    };
    let has = |column: &String| identity.iter().any(|c| c.eq_ignore_ascii_case(column));
    let is_used = matches!(member.state, Publishing::Published | Publishing::Missing);
    is_used && (identity.is_empty() || !columns.iter().all(has))
}

/// The statement by which a table's changes say whose rows they were.
pub(super) fn identity_statement(member: &Member) -> String {
    format!("ALTER TABLE {} REPLICA IDENTITY FULL;", member.name)
}

/// A column of a row of the catalogue of the database; empty if it is NULL.
fn text(row: &Row, column: usize) -> &str {
    row.get(column).and_then(Option::as_deref).unwrap_or("")
}

/// A text as an SQL literal.
fn literal(text: &str) -> String {
    let text = text.replace('\'', "''");
    match text.contains('\\') {
        true => format!("E'{}'", text.replace('\\', "\\\\")),
        false => format!("'{text}'"),
    }
}

/// Every table that holds rows of a table with one of the names, in any schema.
fn families<'n>(names: impl Iterator<Item = &'n String>) -> String {
    let mut listed = String::new();
    for name in names {
        let comma = if listed.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(listed, "{comma}{}", literal(name));
    }
    format!(
        "WITH RECURSIVE family(name, oid, is_named) AS (
           SELECT lower(c.relname), c.oid, true FROM pg_catalog.pg_class c
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind IN ('r', 'p', 'f', 'm') AND n.nspname !~ '^pg_'
             AND n.nspname <> 'information_schema'
             AND lower(c.relname) = ANY (ARRAY[{listed}]::text[])
           UNION SELECT f.name, i.inhrelid, false FROM family f
           JOIN pg_catalog.pg_inherits i ON i.inhparent = f.oid
         ), published AS (
           SELECT t.schemaname, t.tablename, to_jsonb(t) ->> 'rowfilter' IS NULL AS is_whole
           FROM pg_catalog.pg_publication_tables t WHERE t.pubname = '{PUBLICATION}'
         )
         SELECT f.name, c.oid, format('%I.%I', n.nspname, c.relname), bool_or(f.is_named),
           CASE WHEN c.relkind = 'p' THEN 'empty'
             WHEN c.relkind IN ('f', 'm') OR c.relpersistence <> 'p' THEN 'impossible' END,
           CASE WHEN p.is_whole THEN 'whole' WHEN NOT p.is_whole THEN 'part' END,
           CASE WHEN c.relreplident = 'f' THEN 'all' ELSE coalesce((
             SELECT json_agg(a.attname)::text FROM pg_catalog.pg_index x
             JOIN pg_catalog.pg_attribute a
               ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey)
             WHERE x.indrelid = c.oid AND (c.relreplident = 'd' AND x.indisprimary
               OR c.relreplident = 'i' AND x.indisreplident)), '[]') END,
           c.relfilenode || ' ' || (SELECT md5(string_agg(
               concat_ws(' ', a.attnum, a.attname, a.atttypid, a.atttypmod), ',' ORDER BY a.attnum))
             FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
         FROM family f JOIN pg_catalog.pg_class c ON c.oid = f.oid
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN published p ON p.schemaname = n.nspname AND p.tablename = c.relname
         GROUP BY f.name, c.oid, n.nspname, c.relname, c.relkind, c.relpersistence,
           c.relreplident, c.relfilenode, p.is_whole
         ORDER BY 1, 3"
    )
}
