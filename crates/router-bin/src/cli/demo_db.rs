//! `router demo-db`: writes a database of demo data.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use live_data::{DemoError, DemoOptions, write_demo, write_postgres_demo, write_script};

use crate::config::{Config, PostgresUrl};
use crate::exit::{Code, Failure, written};
use crate::source;

/// Writes a demo database, SQLite or PostgreSQL; the same seed gives the same data.
#[derive(Args, Debug)]
pub(crate) struct DemoDbArgs {
    /// The SQLite file to write, which must not exist; or the `postgres://…` URL of a database
    /// without such tables. Its password may be in the variable PGPASSWORD.
    path: PathBuf,
    /// Number of members.
    #[arg(long, value_name = "N", default_value_t = DemoOptions::default().members, value_parser = clap::value_parser!(u32).range(1..=999_999))]
    users: u32,
    /// Seed of the generated data.
    #[arg(long, value_name = "S", default_value_t = DemoOptions::default().seed)]
    seed: u64,
    /// Run this SQL script instead of generating data.
    #[arg(long, value_name = "FILE.sql", conflicts_with_all = ["users", "seed"])]
    script: Option<PathBuf>,
}

/// Writes the database and prints how to serve from it.
pub(super) fn run(args: &DemoDbArgs) -> Result<(), Failure> {
    let options = DemoOptions {
        members: args.users,
        seed: args.seed,
    };
    let members = format!("{} members", args.users);
    let url = args.path.to_str().and_then(PostgresUrl::parse);
    let (what, outcome) = match (&args.script, &url) {
        (None, None) => (members, write_demo(&args.path, &options)),
        (None, Some(url)) => {
            let address = source::postgres(&Config::default(), url);
            let address = address.map_err(|error| Failure::new(Code::Usage, error))?;
            (members, write_postgres_demo(&address, &options))
        }
        (Some(script), None) => {
            let text = std::fs::read_to_string(script).map_err(|error| {
                let name = script.display();
                Failure::new(Code::Io, format_args!("cannot read {name}: {error}"))
            })?;
            let what = format!("the result of {}", script.display());
            (what, write_script(&args.path, &text))
        }
        (Some(_), Some(_)) => {
            return Err(Failure::new(
                Code::Usage,
                "`--script` writes SQLite files only; run the script with `psql`",
            ));
        }
    };
    outcome.map_err(|error| {
        let code = match error {
            DemoError::Members(_) => Code::Usage,
            DemoError::Script(_) => Code::Data,
            DemoError::Database(_) => Code::Unavailable,
            _ => Code::Io,
        };
        Failure::new(code, error)
    })?;
    let url = url.map_or_else(
        || format!("sqlite://{}", args.path.display()),
        |url| url.to_string(),
    );
    let place = url.strip_prefix("sqlite://").unwrap_or(&url);
    let told =
        format!("wrote {what} to {place}; serve from it with ROUTER_SOURCE__URL={url} router\n");
    written(std::io::stdout().lock().write_all(told.as_bytes()))
}
