//! `router demo-db`: writes a database of demo data.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use live_data::{DemoError, DemoOptions, write_demo, write_script};

use crate::exit::{Code, Failure, written};

/// Writes a demo SQLite database; the same seed gives the same data.
#[derive(Args, Debug)]
pub(crate) struct DemoDbArgs {
    /// The file to write; it must not exist.
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
    let (written_rows, outcome) = match &args.script {
        None => {
            let options = DemoOptions {
                members: args.users,
                seed: args.seed,
            };
            let members = format!("{} members", args.users);
            (members, write_demo(&args.path, &options))
        }
        Some(script) => {
            let text = std::fs::read_to_string(script).map_err(|error| {
                let name = script.display();
                Failure::new(Code::Io, format_args!("cannot read {name}: {error}"))
            })?;
            let what = format!("the result of {}", script.display());
            (what, write_script(&args.path, &text))
        }
    };
    outcome.map_err(|error| {
        let code = match error {
            DemoError::Members(_) => Code::Usage,
            DemoError::Script(_) => Code::Data,
            _ => Code::Io,
        };
        Failure::new(code, error)
    })?;
    let told = format!(
        "wrote {written_rows} to {path}; serve from it with ROUTER_SOURCE__URL=sqlite://{path} router\n",
        path = args.path.display(),
    );
    written(std::io::stdout().lock().write_all(told.as_bytes()))
}
