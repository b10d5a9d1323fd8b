//! What commands start with: the configuration, the runtime and the log.

use std::io::{self, IsTerminal};
use std::path::Path;

use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::exit::{Code, Failure};

/// Loads the configuration from the file and the environment.
pub(super) fn configuration(file: Option<&Path>) -> Result<Config, Failure> {
    Config::load(file, std::env::vars_os()).map_err(|errors| Failure::new(Code::Config, errors))
}

/// Starts a runtime for a command's requests.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(
                Code::Unavailable,
                format_args!("cannot start the runtime: {error}"),
            )
        })
}

/// Logs to standard error, from `level` on or as the variable `ROUTER_LOG` says.
pub(super) fn log(level: &str) -> Result<(), Failure> {
    let directives = std::env::var("ROUTER_LOG").unwrap_or_else(|_| level.to_owned());
    let filter = EnvFilter::try_new(directives).map_err(|error| {
        let remedy = "write a level such as `info`, or `target=level`";
        Failure::new(
            Code::Config,
            format_args!("ROUTER_LOG (environment): {error}; {remedy}"),
        )
    })?;
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        // A line that cannot be written is lost. Reporting that on the same stream
        // would fail too, and then panic.
        .log_internal_errors(false)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && !plain)
        .init();
    Ok(())
}
