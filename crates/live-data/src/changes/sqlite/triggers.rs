//! The SQL of the change table and of the triggers that fill it.

use rusqlite::{Connection, OptionalExtension};

/// The name of the change table, and the beginning of the triggers' names.
pub(crate) const TABLE: &str = "router_changes";

/// How many rows the change table keeps. A reader that falls behind further has a gap.
pub(super) const KEPT: u64 = 10_000;

/// The change table, and the trigger that removes its oldest rows: names and
/// statements.
pub(super) fn common() -> [(String, String); 2] {
    let prune = format!("{TABLE}_prune");
    let sql = format!(
        "CREATE TRIGGER {prune} AFTER INSERT ON {TABLE} BEGIN \
         DELETE FROM {TABLE} WHERE seq <= NEW.seq - {KEPT}; END"
    );
    let table = format!(
        "CREATE TABLE {TABLE} (seq INTEGER PRIMARY KEY AUTOINCREMENT, tbl TEXT NOT NULL, \
         op TEXT NOT NULL, old TEXT, new TEXT)"
    );
    [(TABLE.to_owned(), table), (prune, sql)]
}

/// Triggers as pairs of name and statement, or why there are none.
type Triggers = Result<Vec<(String, String)>, &'static str>;

/// The triggers of a table, which report these columns of each changed row.
///
/// A row that `REPLACE` removes fires no trigger of its own. So where columns are
/// reported, a trigger before each insertion and update reports the rows that the
/// new one would replace.
pub(super) fn of(
    connection: &Connection,
    table: &str,
    columns: &[String],
) -> rusqlite::Result<Triggers> {
    let Some(shape) = Shape::of(connection, table)? else {
        return Ok(Err("is not an ordinary table, so it cannot have triggers"));
    };
    let on = quoted(table);
    let images = |row: &str| match columns.is_empty() {
        true => "NULL".to_owned(),
        false => image(row, columns),
    };
    let note = |op: &str, old: &str, new: &str| {
        format!(
            "INSERT INTO {TABLE} (tbl, op, old, new) VALUES ({}, '{op}', {old}, {new})",
            text(table)
        )
    };
    let mut triggers = Vec::new();
    let mut add = |when: &str, action: &str, body: String| {
        let name = format!("{TABLE}_{table}_{when}_{action}").to_lowercase();
        let sql = format!(
            "CREATE TRIGGER {} {when} {action} ON {on} FOR EACH ROW BEGIN {body}; END",
            quoted(&name)
        );
        triggers.push((name, sql));
    };
    add("AFTER", "INSERT", note("insert", "NULL", &images("NEW")));
    add(
        "AFTER",
        "UPDATE",
        note("update", &images("OLD"), &images("NEW")),
    );
    add("AFTER", "DELETE", note("delete", &images("OLD"), "NULL"));
    if columns.is_empty() {
        return Ok(Ok(triggers));
    }
    let Some((conflict, this)) = shape.conditions() else {
        return Ok(Err("has a unique index over an expression"));
    };
    let replaced = |but: &str| {
        format!(
            "INSERT INTO {TABLE} (tbl, op, old) SELECT {}, 'replace', {} FROM {on} AS at \
             WHERE ({conflict}){but}",
            text(table),
            image("at", columns)
        )
    };
    add("BEFORE", "INSERT", replaced(""));
    add("BEFORE", "UPDATE", replaced(&format!(" AND NOT ({this})")));
    Ok(Ok(triggers))
}

/// The columns of a row as a JSON object of texts. `0` stands for a value that is no
/// text of an identifier: a BLOB, or a number with a fraction.
fn image(row: &str, columns: &[String]) -> String {
    let member = |column: &String| {
        let value = format!("{row}.{}", quoted(column));
        format!(
            "{}, CASE typeof({value}) WHEN 'text' THEN {value} WHEN 'integer' \
             THEN CAST({value} AS TEXT) WHEN 'null' THEN NULL ELSE 0 END",
            text(column)
        )
    };
    let members: Vec<_> = columns.iter().map(member).collect();
    format!("json_object({})", members.join(", "))
}

/// What identifies the rows of a table.
struct Shape {
    /// The name of the row identifier; `None` for a table without.
    rowid: Option<&'static str>,
    /// The columns of each unique index with their collations. `None` if one has an
    /// expression.
    unique: Option<Vec<Vec<(String, String)>>>,
    /// The columns of the primary key.
    key: Vec<String>,
}

impl Shape {
    /// `None` unless it is an ordinary table.
    fn of(connection: &Connection, table: &str) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' \
                   AND name = ?1 COLLATE NOCASE";
        let without_rowid: Option<bool> = connection
            .query_one(sql, [table], |row| row.get(0))
            .optional()?;
        let Some(without_rowid) = without_rowid else {
            return Ok(None);
        };
        let sql = "SELECT name, pk FROM pragma_table_xinfo(?1, 'main') ORDER BY pk";
        let columns: Vec<(String, i64)> =
            listed(connection, sql, table, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let is_free = |name: &&str| !columns.iter().any(|(c, _)| c.eq_ignore_ascii_case(name));
        let rowid = ["_rowid_", "rowid", "oid"].into_iter().find(is_free);
        let key = columns.iter().filter(|(_, pk)| *pk > 0);
        let sql = "SELECT name FROM pragma_index_list(?1, 'main') WHERE \"unique\"";
        let mut unique = Some(Vec::new());
        for index in listed(connection, sql, table, |row| row.get::<_, String>(0))? {
            let sql = "SELECT name, coll FROM pragma_index_xinfo(?1, 'main') WHERE key";
            let parts: Vec<(Option<String>, String)> = listed(connection, sql, &index, |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            let parts = parts.into_iter().map(|(name, coll)| Some((name?, coll)));
            let parts = parts.collect::<Option<Vec<_>>>();
            unique = unique.zip(parts).map(|(mut all, parts): (Vec<_>, _)| {
                all.push(parts);
                all
            });
        }
        Ok(Some(Self {
            unique: unique.filter(|_| without_rowid || rowid.is_some()),
            rowid: rowid.filter(|_| !without_rowid),
            key: key.map(|(name, _)| name.clone()).collect(),
        }))
    }

    /// Whether the row `at` is one that `NEW` would replace, and whether it is `OLD`.
    fn conditions(&self) -> Option<(String, String)> {
        let same = |(column, coll): &(String, String)| {
            let column = quoted(column);
            format!("at.{column} = NEW.{column} COLLATE {}", quoted(coll))
        };
        let unique = self.unique.as_ref()?.iter();
        let mut conflicts: Vec<String> = unique
            .map(|parts| parts.iter().map(same).collect::<Vec<_>>().join(" AND "))
            .collect();
        let this = match self.rowid {
            Some(rowid) => {
                conflicts.push(format!("at.{rowid} = NEW.{rowid}"));
                format!("at.{rowid} = OLD.{rowid}")
            }
            None => {
                let is_old = |column: &String| {
                    let column = quoted(column);
                    format!("at.{column} IS OLD.{column}")
                };
                self.key
                    .iter()
                    .map(is_old)
                    .collect::<Vec<_>>()
                    .join(" AND ")
            }
        };
        Some((conflicts.join(" OR "), this))
    }
}

/// The rows of a pragma about `of`.
fn listed<T>(
    connection: &Connection,
    sql: &str,
    of: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([of], read)?;
    rows.collect()
}

/// A name as an SQL identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as an SQL literal.
fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
