//! The command line: what can be asked of the program, and who does it.

mod config;
mod detect;
mod key;
mod lines;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::exit::{Code, Failure};

/// Answers questions from a database, and caches the answers by intent and user.
#[derive(Debug, Parser)]
#[command(name = "router", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// The configuration file; `router config schema` describes it.
    #[arg(long, global = true, env = "ROUTER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the cache key of each request read from standard input.
    ///
    /// Each line of the input is a JSON object {"intent", "user_context", "message"}; "message" may
    /// be left out, other members are ignored. Each line of the output is a key: 32 hexadecimal
    /// digits. The first line that is no such object ends the command with exit code 65, after the
    /// keys of the lines before it; so the keys written always belong to the first lines, in order.
    #[command(verbatim_doc_comment)]
    Key,
    /// Print the intent of each message read from standard input.
    ///
    /// Each line of the input is a message; each line of the output is the name of its intent, or
    /// `unknown`, a tab, and the confidence from 0.0000 to 1.0000. The intents are those of the
    /// configuration's catalogue.
    #[command(verbatim_doc_comment)]
    Detect,
    /// Check, show or describe the configuration.
    #[command(subcommand)]
    Config(config::Command),
}

impl Cli {
    /// Does what the command line asks for.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let file = self.config.as_deref();
        match self.command {
            Command::Key => key::run(),
            Command::Detect => detect::run(file),
            Command::Config(command) => config::run(&command, file),
        }
    }
}

/// The configuration of the file and of this process's environment.
fn configuration(file: Option<&Path>) -> Result<Config, Failure> {
    Config::load(file, std::env::vars_os()).map_err(|errors| Failure::new(Code::Config, errors))
}
