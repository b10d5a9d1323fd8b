//! The command line: arguments, and the command that each runs.

mod ask;
mod bench;
mod changes;
mod changes_bench;
mod config;
mod data;
mod demo_db;
mod detect;
mod eval;
mod key;
mod lines;
mod log;
mod mcp;
mod serve;
mod startup;
mod train;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::exit::{Code, Failure};
use log::{log, log_without_blocking};
use startup::configuration;

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
    /// Serve over HTTP; the default without a command.
    Serve(serve::ServeArgs),
    /// Ask one question in this process, without the service.
    Ask(ask::AskArgs),
    /// Serve the intents as tools of agents, by the Model Context Protocol on standard input and
    /// output.
    Mcp(mcp::McpArgs),
    /// Print the cache key of each request read from standard input.
    ///
    /// Each line of the input is a JSON object {"intent", "user_context", "message"}; "message" is
    /// optional, and other members are ignored. Each line of the output is a key: 32 hexadecimal
    /// digits. The first invalid line ends the command with exit code 65, after the keys of the lines
    /// before it: the keys written always belong to the first lines, in order.
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
    /// Prepare a database to report its changes.
    #[command(subcommand)]
    Changes(changes::ChangesCommand),
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
                let log = log_without_blocking("info")?;
                serve::run(configuration(file)?, &args, &log)
            }
            Command::Ask(args) => {
                log("warn")?;
                ask::run(&configuration(file)?, &args)
            }
            Command::Bench(args) => {
                log("warn")?;
                bench::run(configuration(file)?, file, &args)
            }
            Command::Mcp(args) => {
                log("warn")?;
                mcp::run(&configuration(file)?, args)
            }
            Command::Key => key::run(),
            Command::Detect(args) => detect::run(&configuration(file)?, &args),
            Command::Train(args) => train::run(&configuration(file)?, &args),
            Command::Eval(args) => eval::run(&configuration(file)?, &args),
            Command::Config(command) => config::run(&command, file),
            Command::Changes(command) => changes::run(&configuration(file)?, &command),
            Command::DemoDb(args) => demo_db::run(&args),
        }
    }
}
