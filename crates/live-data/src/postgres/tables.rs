//! The tables of a database as the catalogue declares them: which of them a query
//! reads, and how it is limited to the rows of the member who asks.
//!
//! A table that is tied to members is hidden behind a common table expression
//! of its name, which holds only the asker's rows. A query that names the table with its
//! schema (`public.payments`) reads all rows, on purpose.
//!
//! While a query is analysed, the server locks every table that it names, also through
//! views and policies, and keeps the locks until the transaction ends. So the locks tell
//! what a query reads, whatever plan is chosen later, and on standbys as well. KnownTables
//! that are read even if the expressions are empty are read beyond the asker's rows.

use std::collections::{BTreeMap, BTreeSet};

use intent_router::{Catalogue, Tie};
use tokio_postgres::{Client, Error, Statement};

use super::fault::{error_text, fault};
use super::parameters::numbered;
use crate::error::{OpenError, QueryFault};
use crate::plan::{Bound, Declared, quoted, with};

/// The tables that a catalogue declares, as the database has them.
pub(super) struct KnownTables<'c> {
    declared: Declared<'c>,
    found: BTreeMap<String, Table>,
}

struct Table {
    oid: u32,
    /// The quoted name with its schema.
    name: String,
    columns: Vec<TableColumn>,
}

struct TableColumn {
    name: String,
    /// With its length or precision.
    kind: String,
    /// The type's own name, such as `int8`.
    base: String,
}

/// What the analysis of a query found.
struct Analysed {
    statement: Statement,
    reads: BTreeSet<String>,
}

/// The name that stands for tables that cannot be known: no table has it.
const UNKNOWN: &str = "";

impl<'c> KnownTables<'c> {
    /// Checks the declared tables against the database.
    pub(super) async fn of(client: &Client, catalogue: &'c Catalogue) -> Result<Self, OpenError> {
        let declared = Declared(catalogue.tables());
        let mut found = BTreeMap::new();
        for name in declared.0.keys() {
            let refuse = |reason: String| OpenError::Table {
                table: name.clone(),
                reason,
            };
            let table = table(client, name).await;
            match table.map_err(|error| refuse(error_text(&error)))? {
                Some((_, true)) => {
                    return Err(refuse(
                        "is a view; declare the tables that it reads".to_owned(),
                    ));
                }
                None => return Err(refuse("is not in the database".to_owned())),
                Some((table, false)) => drop(found.insert(name.clone(), table)),
            }
        }
        declared.check_columns(|name| {
            let columns = found.get(name).map_or(&[][..], |table| &table.columns);
            columns.iter().map(|column| column.name.clone()).collect()
        })?;
        Ok(Self { declared, found })
    }

    /// The query limited to the asker's rows, if it has `:user_id`.
    pub(super) async fn bind(
        &self,
        client: &Client,
        sql: &str,
        asks_who: bool,
    ) -> Result<(Bound, Statement), QueryFault> {
        // A number of the query's own would be taken for one of the named parameters.
        let is_number = |word: &&String| {
            let number = word.strip_prefix('$');
            number.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
        };
        if let Some(number) = words(sql).iter().find(is_number) {
            return Err(QueryFault::UnknownParameter(number.clone()));
        }
        let named = self.analyse(client, sql, sql).await?;
        let hidden = if asks_who {
            self.declared.hidden(&named.reads)
        } else {
            BTreeSet::new()
        };
        if hidden.is_empty() {
            let bound = Bound {
                sql: sql.to_owned(),
                reads: self.declared.reads(&named.reads, &named.reads),
            };
            return Ok((bound, named.statement));
        }
        let hidden = self.parents_first(hidden);
        let limited = with(sql, hidden.iter().map(|name| self.part(name)));
        let empty = with(sql, hidden.iter().map(|name| self.empty(name)));
        let all = self.analyse(client, &limited, sql).await?;
        let beyond = self.analyse(client, &empty, sql).await?;
        let bound = Bound {
            reads: self.declared.reads(&all.reads, &beyond.reads),
            sql: limited,
        };
        Ok((bound, all.statement))
    }

    /// The tables in an order in which each comes after the one that ties it: an
    /// expression sees only those before it.
    fn parents_first(&self, names: BTreeSet<String>) -> Vec<String> {
        let depth = |name: &String| {
            let mut depth = 0;
            let mut at = name;
            while let Tie::Within { table, .. } = self.declared.tie(at) {
                depth += 1;
                at = table;
            }
            depth
        };
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_by_key(depth);
        names
    }

    /// The asker's rows of a table.
    fn part(&self, name: &str) -> String {
        let table = self.found.get(name);
        let column = |column: &str| {
            let columns = table.into_iter().flat_map(|table| &table.columns);
            let mut columns = columns.filter(|found| found.name.eq_ignore_ascii_case(column));
            columns.next()
        };
        let name_of = |name: &str| quoted(column(name).map_or(name, |found| &found.name));
        let rows = match self.declared.tie(name) {
            Tie::Member(columns) => {
                let same = |column: &String| self.is_asker(name, column);
                columns.iter().map(same).collect::<Vec<_>>().join(" OR ")
            }
            Tie::Within { column, table } => {
                let column = name_of(column);
                format!("{column} IN (SELECT {column} FROM {})", quoted(table))
            }
            Tie::None => "true".to_owned(),
        };
        let stored = table.map_or_else(|| quoted(name), |table| table.name.clone());
        let name = quoted(name);
        format!("{name} AS NOT MATERIALIZED (SELECT * FROM {stored} WHERE {rows})")
    }

    /// Whether a column names the asker, byte for byte. Where the type's own comparison
    /// can use an index, it comes first.
    fn is_asker(&self, table: &str, column: &str) -> String {
        let columns = self
            .found
            .get(table)
            .into_iter()
            .flat_map(|table| &table.columns);
        let mut columns = columns.filter(|found| found.name.eq_ignore_ascii_case(column));
        let Some(column) = columns.next() else {
            return "false".to_owned();
        };
        let name = quoted(&column.name);
        let exact = format!("{name}::text COLLATE \"C\" = :user_id::text");
        match column.base.as_str() {
            // Only the form that the server writes is bound: equal is exact.
            "int2" | "int4" | "int8" | "uuid" => format!("{name} = :user_id"),
            "bpchar" => format!("({name} = :user_id::bpchar AND {exact})"),
            "text" | "varchar" | "name" => format!("({name} = :user_id::text AND {exact})"),
            _ => format!("({exact})"),
        }
    }

    /// A table of the same columns without rows.
    fn empty(&self, name: &str) -> String {
        let columns = self
            .found
            .get(name)
            .into_iter()
            .flat_map(|table| &table.columns);
        let columns: Vec<_> = columns
            .map(|column| format!("NULL::{} AS {}", column.kind, quoted(&column.name)))
            .collect();
        let (name, columns) = (quoted(name), columns.join(", "));
        format!("{name} AS NOT MATERIALIZED (SELECT {columns} WHERE false)")
    }

    /// Lets the server analyse a query, in a transaction of its own. `written` is the
    /// query in the catalogue.
    async fn analyse(
        &self,
        client: &Client,
        sql: &str,
        written: &str,
    ) -> Result<Analysed, QueryFault> {
        let failed = |error: Error| QueryFault::Sql(error_text(&error));
        client
            .batch_execute("BEGIN READ ONLY")
            .await
            .map_err(failed)?;
        let found = self.analyse_begun(client, sql, written).await;
        client.batch_execute("ROLLBACK").await.map_err(failed)?;
        found
    }

    async fn analyse_begun(
        &self,
        client: &Client,
        sql: &str,
        written: &str,
    ) -> Result<Analysed, QueryFault> {
        let failed = |error: Error| QueryFault::Sql(error_text(&error));
        let query = numbered(sql);
        let statement = client.prepare(&query.sql).await;
        let statement = statement.map_err(|error| fault(&error, &query.sql, &query.names))?;
        let declared: Vec<u32> = self.found.values().map(|table| table.oid).collect();
        let rows = client.query(include_str!("locked.sql"), &[&declared]).await;
        let rows = rows.map_err(failed)?;
        let mut reads = BTreeSet::new();
        let mut locked: Vec<u32> = Vec::new();
        for row in &rows {
            let oid: u32 = row.try_get(0).map_err(failed)?;
            let name: String = row.try_get(1).map_err(failed)?;
            let is_view: bool = row.try_get(2).map_err(failed)?;
            let writes: bool = row.try_get(3).map_err(failed)?;
            if writes {
                return Err(QueryFault::NotAQuery);
            }
            locked.push(oid);
            if !is_view {
                let known = self.found.iter().find(|(_, table)| table.oid == oid);
                reads.insert(known.map_or(name, |(name, _)| name.clone()));
            }
        }
        let words = words(written);
        let unknown = client
            .query_one(include_str!("functions.sql"), &[&words, &locked])
            .await;
        if unknown.and_then(|row| row.try_get(0)).map_err(failed)? {
            reads.insert(UNKNOWN.to_owned());
        }
        Ok(Analysed { statement, reads })
    }
}

/// All that may be the name of a function in a query: its words, whether or not they are
/// in strings, and what is between double quotes.
fn words(sql: &str) -> Vec<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let plain = sql.split(|c: char| !is_name(c)).map(str::to_lowercase);
    plain.chain(sql.split('"').map(str::to_owned)).collect()
}

/// A table or view by its name in lower case, and whether it is a view.
async fn table(client: &Client, name: &str) -> Result<Option<(Table, bool)>, Error> {
    let sql = "SELECT c.oid, format('%I.%I', n.nspname, c.relname), c.relkind = 'v'
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.oid = to_regclass($1)";
    let Some(row) = client.query_opt(sql, &[&quoted(name)]).await? else {
        return Ok(None);
    };
    let oid: u32 = row.try_get(0)?;
    let sql = "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), t.typname::text
               FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
               WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
               ORDER BY a.attnum";
    let mut columns = Vec::new();
    for row in client.query(sql, &[&oid]).await? {
        columns.push(TableColumn {
            name: row.try_get(0)?,
            kind: row.try_get(1)?,
            base: row.try_get(2)?,
        });
    }
    let table = Table {
        oid,
        name: row.try_get(1)?,
        columns,
    };
    Ok(Some((table, row.try_get(2)?)))
}
