//! The payments of a PostgreSQL demo database.

use std::fmt;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::statements::{MEMBERS, SET_AMOUNTS, no_payments, not_demo};
use crate::demo::DemoError;
use crate::postgres::{PostgresAddress, error_text};

pub(super) struct PostgresPayments {
    name: String,
    client: Client,
    /// Serves the connection while a method waits; `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl PostgresPayments {
    pub(super) fn open(address: &PostgresAddress) -> Result<Self, DemoError> {
        let name = address.to_string();
        let failed = |error: &dyn fmt::Display| DemoError::write(&name, error);
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(&error))?;
        let client = runtime.block_on(address.connect());
        let client = client.map_err(|error| failed(&error))?;
        let checked = runtime.block_on(client.simple_query("SELECT 1 FROM demo_origin"));
        checked.map_err(|error| not_demo(&name, error_text(&error)))?;
        Ok(Self {
            name,
            client,
            runtime: Some(runtime),
        })
    }

    pub(super) fn members(&self, most: u32) -> Result<Vec<String>, DemoError> {
        let rows = self.run(self.client.query(MEMBERS, &[&i64::from(most)]))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    pub(super) fn set_amounts(
        &self,
        member: &str,
        amount_cents: i64,
    ) -> Result<Option<String>, DemoError> {
        let values: [&(dyn ToSql + Sync); 2] = [&amount_cents, &member];
        if self.run(self.client.execute(SET_AMOUNTS, &values))? == 0 {
            return Err(no_payments(&self.name, member));
        }
        let position = "SELECT pg_current_wal_insert_lsn()::text";
        let row = self.run(self.client.query_one(position, &[]))?;
        Ok(Some(row.get(0)))
    }

    fn run<T>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, DemoError> {
        let done = match &self.runtime {
            Some(runtime) => runtime.block_on(work),
            None => return Err(DemoError::write(&self.name, "it is closed")),
        };
        done.map_err(|error| DemoError::write(&self.name, error_text(&error)))
    }
}

impl Drop for PostgresPayments {
    fn drop(&mut self) {
        // Waiting for it is not allowed in a task of another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for PostgresPayments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresPayments").field(&self.name).finish()
    }
}
