//! `router config`: checks, prints or describes the configuration.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use clap::Subcommand;
use intent_router::Diagnostic;

use super::startup::configuration;
use crate::auth::Authenticator;
use crate::changes;
use crate::config::{self, Config, SourceUrl};
use crate::detector;
use crate::exit::{Code, Failure, written};
use crate::setup;
use crate::source;

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Check the configuration: print `ok`, or everything that is wrong with it.
    ///
    /// Warnings on standard error name settings that are valid but probably not meant, and phrases,
    /// examples, slots and queries of the catalogue file that probably do not work as intended.
    Check {
        /// Treat warnings as errors: exit code 78.
        #[arg(long)]
        strict: bool,
        /// Also open the source: check the catalogue's queries and tables, and whether changes can
        /// be followed, against the database. Exit code 69 if it cannot be reached.
        #[arg(long)]
        source: bool,
    },
    /// Print the effective settings as TOML, each with its origin.
    Show,
    /// Print a JSON Schema of the configuration file.
    Schema,
}

/// Runs the command on the configuration of `file` and the environment.
pub(super) fn run(command: &ConfigCommand, file: Option<&Path>) -> Result<(), Failure> {
    let text = match command {
        ConfigCommand::Check { strict, source } => {
            let config = configuration(file)?;
            // Also reports a model that cannot be used.
            detector::configured(&config, config.intents())
                .map_err(|error| Failure::new(Code::Config, error))?;
            // Also reports a secret that cannot be read.
            Authenticator::open(&config).map_err(|error| Failure::new(Code::Config, error))?;
            // Also reports a header of the HTTP back end that cannot be filled.
            source::back_end(&config).map_err(|error| Failure::new(Code::Config, error))?;
            // Also reports a password or a certificate that cannot be read.
            if let Some(SourceUrl::Postgres(url)) = &config.source.url {
                let address = source::postgres(&config, url);
                address.map_err(|error| Failure::new(Code::Config, error))?;
            }
            let mut warnings = config.warnings();
            warnings.extend(config.catalogue_warnings());
            if *source {
                warnings.extend(look(&config)?);
            }
            let count = warn(&warnings);
            if *strict && count > 0 {
                let plural = if count == 1 { "" } else { "s" };
                return Err(Failure::new(
                    Code::Config,
                    format_args!("{count} warning{plural}, which --strict treats as errors"),
                ));
            }
            "ok\n".to_owned()
        }
        ConfigCommand::Show => configuration(file)?.show().map_err(internal)?,
        ConfigCommand::Schema => {
            let schema = serde_json::to_string_pretty(&config::schema()).map_err(internal)?;
            schema + "\n"
        }
    };
    let mut output = io::stdout().lock();
    written(
        output
            .write_all(text.as_bytes())
            .and_then(|()| output.flush()),
    )
}

/// Opens the source, and looks at its changes if they are followed. Returns what is not
/// seen of them.
fn look(config: &Config) -> Result<Vec<Diagnostic>, Failure> {
    let catalogue = Arc::new(config.intents().clone());
    setup::open_source(config, &catalogue)?;
    let feed = changes::feed(config, &catalogue);
    let lacks = feed.map_err(|error| Failure::new(Code::Unavailable, error))?;
    let lacks = lacks.map_or_else(Vec::new, |feed| feed.lacks);
    Ok(lacks.into_iter().map(Diagnostic::warning).collect())
}

/// Prints the warnings and returns their number.
fn warn(warnings: &[Diagnostic]) -> usize {
    let mut stderr = io::stderr().lock();
    for warning in warnings {
        // If standard error is closed, nobody reads the warning.
        let _ = writeln!(stderr, "{}: {warning}", warning.severity);
    }
    warnings.len()
}

fn internal(error: impl std::fmt::Display) -> Failure {
    Failure::new(
        Code::Internal,
        format_args!("the configuration cannot be written: {error}"),
    )
}
