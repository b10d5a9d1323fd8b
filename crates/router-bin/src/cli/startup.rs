//! What commands start with: the configuration, the runtime and the log.

use std::path::Path;

use tokio::runtime::Runtime;

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
