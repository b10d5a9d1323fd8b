//! The command line: arguments, and the command that each runs.

mod ask;
mod bench;
mod config;
mod data;
mod demo_db;
mod detect;
mod eval;
mod key;
mod lines;
mod serve;
mod train;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::exit::{Code, Failure};

/// Answers questions from a database, and caches the answers by intent and user.
#[derive(Debug, Parser)]
#[command(name = "router", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// The configuration file; `router config schema` describes it.
    #[arg(long, global = true, env = "ROUTER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    serve: serve::ServeArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve over HTTP; what `router` alone does too.
    Serve(serve::ServeArgs),
    /// Ask one question in this process, without the service.
    Ask(ask::AskArgs),
    /// Print the cache key of each request read from standard input.
    ///
    /// Each line of the input is a JSON object {"intent", "user_context", "message"}; "message" may
    /// be left out, other members are ignored. Each line of the output is a key: 32 hexadecimal
    /// digits. The first invalid line ends the command with exit code 65, after the keys of the lines
    /// before it, so the keys written always belong to the first lines, in order.
    Key,
    /// Print the intent of each message read from standard input.
    ///
    /// Each line of the input is a message; each line of the output is the name of its intent (or
    /// `unknown`), a tab, and the confidence from 0.0000 to 1.0000. The intents are those of the
    /// configured catalogue.
    Detect(detect::DetectArgs),
    /// Train a detector on labelled messages.
    Train(train::TrainArgs),
    /// Measure how often a detector is right about labelled messages.
    Eval(eval::EvalArgs),
    /// Measure what the cache saves, on declared traffic.
    Bench(bench::BenchArgs),
    /// Check, show or describe the configuration.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Write a demo SQLite database.
    DemoDb(demo_db::DemoDbArgs),
}

impl Cli {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let file = self.config.as_deref();
        let command = match self.command {
            None => Command::Serve(self.serve),
            Some(Command::Serve(args)) => Command::Serve(args.or(self.serve)),
            Some(_) if self.serve.given() => {
                return Err(Failure::new(
                    Code::Usage,
                    "only `router serve` takes --listen; remove the option",
                ));
            }
            Some(command) => command,
        };
        match command {
            Command::Serve(args) => {
                log("info")?;
                serve::run(configuration(file)?, &args)
            }
            Command::Ask(args) => {
                log("warn")?;
                ask::run(&configuration(file)?, &args)
            }
            Command::Bench(args) => {
                log("warn")?;
                bench::run(configuration(file)?, file, &args)
            }
            Command::Key => key::run(),
            Command::Detect(args) => detect::run(&configuration(file)?, &args),
            Command::Train(args) => train::run(&configuration(file)?, &args),
            Command::Eval(args) => eval::run(&configuration(file)?, &args),
            Command::Config(command) => config::run(&command, file),
            Command::DemoDb(args) => demo_db::run(&args),
        }
    }
}

/// Loads the configuration from the file and the environment.
fn configuration(file: Option<&Path>) -> Result<Config, Failure> {
    Config::load(file, std::env::vars_os()).map_err(|errors| Failure::new(Code::Config, errors))
}

/// Starts a runtime for a command's requests.
fn runtime() -> Result<Runtime, Failure> {
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
fn log(level: &str) -> Result<(), Failure> {
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
