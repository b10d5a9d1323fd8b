//! `router bench`: the same traffic with the cache off, then on; or with each
//! key mode in turn; or changes of the records, and when answers show them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use intent_router::KeyMode;
use router_bench::Provenance;
use router_bench::bench::{self, Options, Summary, Traffic, traffic_help};
use router_bench::changes::{ChangesOptions, ChangesSummary};
use router_bench::paraphrases::{self, KEY_MODES, ParaphraseSummary};
use serde::Serialize;

use super::changes_bench;
use super::startup::runtime;
use crate::config::Config;
use crate::exit::{Code, Failure, written};
use crate::setup::Assembly;
use crate::source;

/// Measures what the cache saves, on declared traffic.
#[derive(Args, Debug)]
#[command(after_help = traffic_help())]
pub(crate) struct BenchArgs {
    /// Compare the key modes on traffic that asks the same questions in many wordings.
    #[arg(long, conflicts_with_all = ["report", "concurrency"])]
    wordings: bool,
    /// Measure how soon committed changes show in answers, and count stale answers.
    ///
    /// It writes to the database: to demo data in a temporary file, or to the configured
    /// database if that is demo data.
    #[arg(long, conflicts_with_all = ["wordings", "report", "concurrency", "users", "requests", "phrasings"])]
    changes: bool,
    /// How many changes are committed.
    #[arg(long, value_name = "N", requires = "changes", default_value_t = ChangesOptions::default().trials)]
    trials: u32,
    /// How many different users ask [default: 200, with --wordings 20].
    #[arg(long, value_name = "N")]
    users: Option<u32>,
    /// How many requests each phase makes [default: 20000, with --wordings 100000].
    #[arg(long, value_name = "N")]
    requests: Option<usize>,
    /// The exponent of Zipf's law over the users; with 0 all ask equally often.
    #[arg(long, value_name = "S", default_value_t = Options::default().skew, allow_negative_numbers = true)]
    skew: f64,
    /// How many wordings of each intent are in use [default: 3, with --wordings 10].
    #[arg(long, value_name = "N")]
    phrasings: Option<usize>,
    /// The seed of the random choices; the same seed gives the same requests.
    #[arg(long, value_name = "N", default_value_t = Options::default().seed)]
    seed: u64,
    /// How many requests are in flight at a time.
    #[arg(long, value_name = "N", default_value_t = Options::default().concurrency)]
    concurrency: usize,
    /// Print the figures as JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Write a report with plots, one HTML file, to this path.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

impl BenchArgs {
    fn options(&self) -> Options {
        // With many wordings, questions repeat only if few users make many requests.
        let defaults = match self.wordings {
            true => Options {
                users: 20,
                requests: 100_000,
                wordings: 10,
                ..Options::default()
            },
            false => Options::default(),
        };
        Options {
            users: self.users.unwrap_or(defaults.users),
            requests: self.requests.unwrap_or(defaults.requests),
            skew: self.skew,
            wordings: self.phrasings.unwrap_or(defaults.wordings),
            seed: self.seed,
            concurrency: self.concurrency,
            ..defaults
        }
    }

    /// The command that repeats the run, with every option spelt out.
    fn command(&self, file: Option<&Path>) -> String {
        let file = file.map_or(String::new(), |file| {
            format!(" --config {}", file.display())
        });
        let mode = match self.wordings {
            true => " --wordings".to_owned(),
            false => format!(" --concurrency {}", self.concurrency),
        };
        let options = self.options();
        format!(
            "router{file} bench --users {} --requests {} --skew {} --phrasings {} --seed {}{mode}",
            options.users, options.requests, options.skew, options.wordings, options.seed
        )
    }
}

/// Makes the traffic with the cache off and on, and prints the metrics.
pub(super) fn run(
    mut config: Config,
    file: Option<&Path>,
    args: &BenchArgs,
) -> Result<(), Failure> {
    if let Some(path) = &args.report {
        check_report(path)?;
    }
    // The bench switches the cache itself, whatever the configuration says.
    config.cache.enabled = false;
    if args.wordings {
        return compare(config, file, args);
    }
    if args.changes {
        return follow_changes(config, file, args);
    }
    let assembly = Assembly::new(&config)?;
    let router = assembly.router();
    let traffic = Traffic::for_router(args.options(), router)
        .map_err(|error| Failure::new(Code::Usage, error))?;
    let traffic = Arc::new(traffic);
    let run = runtime()?
        .block_on(bench::run(Arc::clone(router), Arc::clone(&traffic)))
        .map_err(unavailable)?;
    let provenance = Provenance::now(args.command(file), source::name(&config));
    let summary = Summary::new(provenance, &traffic, &run);
    if let Some(path) = &args.report {
        std::fs::write(path, summary.to_html(&run)).map_err(|error| unwritable(path, &error))?;
    }
    show(args, &summary, Summary::to_table)
}

/// Makes traffic of many wordings with each key mode, and prints the metrics.
fn compare(mut config: Config, file: Option<&Path>, args: &BenchArgs) -> Result<(), Failure> {
    let options = args.options();
    options
        .check()
        .map_err(|error| Failure::new(Code::Usage, error))?;
    config.cache.enabled = true;
    let router = |key| Assembly::keyed(&config, key).map(|assembly| Arc::clone(assembly.router()));
    let exact = router(KeyMode::Message)?;
    let [message, normalised, slots] = KEY_MODES.map(|(_, key)| router(key));
    let routers = [message?, normalised?, slots?];
    let compared = runtime()?
        .block_on(paraphrases::compare(options, &exact, &routers))
        .map_err(unavailable)?;
    let provenance = Provenance::now(args.command(file), source::name(&config));
    let summary = ParaphraseSummary::new(provenance, compared);
    show(args, &summary, ParaphraseSummary::to_table)
}

/// Commits changes, and prints how soon answers show them.
fn follow_changes(config: Config, file: Option<&Path>, args: &BenchArgs) -> Result<(), Failure> {
    let options = ChangesOptions {
        trials: args.trials,
        seed: args.seed,
        ..ChangesOptions::default()
    };
    let source = match config.source.url {
        Some(_) => source::name(&config),
        None => "demo data in temporary SQLite files".to_owned(),
    };
    let runs = changes_bench::run(config, options)?;
    let stale: u64 = runs.iter().map(|(_, run)| run.stale()).sum();
    let file = file.map_or(String::new(), |file| {
        format!(" --config {}", file.display())
    });
    let (trials, seed) = (options.trials, options.seed);
    let command = format!("router{file} bench --changes --trials {trials} --seed {seed}");
    let summary = ChangesSummary::new(Provenance::now(command, source), runs);
    show(args, &summary, ChangesSummary::to_table)?;
    match stale {
        0 => Ok(()),
        _ => Err(Failure::new(
            Code::Internal,
            format_args!("{stale} answers were stale, which is a bug of this program"),
        )),
    }
}

fn unavailable(error: anyhow::Error) -> Failure {
    Failure::new(Code::Unavailable, format_args!("{error:#}"))
}

/// Prints a summary as JSON, or as the table that `render` makes.
fn show<S: Serialize>(
    args: &BenchArgs,
    summary: &S,
    render: impl Fn(&S) -> String,
) -> Result<(), Failure> {
    let shown = if args.json {
        serde_json::to_string_pretty(summary).unwrap_or_default() + "\n"
    } else {
        render(summary)
    };
    written(std::io::stdout().lock().write_all(shown.as_bytes()))
}

/// Fails before the run if the report could not be written. An existing file
/// keeps its content until then.
fn check_report(path: &Path) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    match options.append(true).create(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(unwritable(path, &error)),
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Code::Io,
        format_args!("cannot write the report to {}: {error}", path.display()),
    )
}
