//! `router bench`: the same traffic with the cache off, then on; or with each
//! key mode in turn.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use intent_router::{Intent, KeyMode, Kind, Request, Router, UserContext};
use serde::Serialize;

use crate::bench::declaration;
use crate::bench::report;
use crate::bench::run::{self, Run};
use crate::bench::subject::Routed;
use crate::bench::summary::{Facts, Summary};
use crate::bench::table;
use crate::bench::traffic::{AskedIntent, Options, Population, Traffic};
use crate::bench::wordings;
use crate::config::Config;
use crate::exit::{Code, Failure, written};
use crate::setup::{self, Assembly};

/// Measures what the cache saves, on declared traffic.
#[derive(Args, Debug)]
#[command(after_help = declaration::help())]
pub(crate) struct BenchArgs {
    /// Compare the key modes on traffic that asks the same in many wordings.
    #[arg(long, conflicts_with_all = ["report", "concurrency"])]
    wordings: bool,
    /// How many different users ask [default: 200, with --wordings 20].
    #[arg(long, value_name = "N")]
    users: Option<u32>,
    /// How many requests each phase makes [default: 20000, with --wordings 100000].
    #[arg(long, value_name = "N")]
    requests: Option<usize>,
    /// Zipf's exponent over the users: 0 when all ask equally often.
    #[arg(long, value_name = "S", default_value_t = Options::default().skew, allow_negative_numbers = true)]
    skew: f64,
    /// How many wordings of each intent are in use [default: 3, with --wordings 10].
    #[arg(long, value_name = "N")]
    phrasings: Option<usize>,
    /// What the random choices start from: the same seed, the same requests.
    #[arg(long, value_name = "N", default_value_t = Options::default().seed)]
    seed: u64,
    /// How many requests are under way at a time.
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
        // So many requests of so few users that their questions repeat, however
        // many wordings there are.
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

    /// The command that repeats the run, its defaults spelt out.
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

/// Runs the traffic twice and shows what came of it.
pub(super) fn run(
    mut config: Config,
    file: Option<&Path>,
    args: &BenchArgs,
) -> Result<(), Failure> {
    if let Some(path) = &args.report {
        check_report(path)?;
    }
    // The bench switches caching itself, whatever the service is told to do.
    config.cache.enabled = false;
    if args.wordings {
        return compare(config, file, args);
    }
    let assembly = Assembly::new(&config)?;
    let asked = asked_intents(assembly.router());
    let traffic = Traffic::new(args.options(), Population::default(), asked)
        .map_err(|error| Failure::new(Code::Usage, error))?;
    let traffic = Arc::new(traffic);
    let bar = run::progress_bar(&traffic);
    let subject = Arc::new(Routed::new(Arc::clone(assembly.router())));
    let run = super::runtime()?
        .block_on(run::run(&subject, &traffic, &bar))
        .map_err(|error| Failure::new(Code::Unavailable, format_args!("{error:#}")))?;
    let facts = Facts::now(args.command(file), setup::source_name(&config));
    let summary = Summary::new(facts, &traffic, &run);
    if let Some(path) = &args.report {
        write_report(path, &summary, &run)?;
    }
    show(args, &summary, table::render)
}

/// Makes traffic of many wordings with each key mode and shows what came of it.
fn compare(mut config: Config, file: Option<&Path>, args: &BenchArgs) -> Result<(), Failure> {
    let options = args.options();
    let usage = |error| Failure::new(Code::Usage, error);
    options.check().map_err(usage)?;
    config.cache.enabled = true;
    let bar = run::bar_of((2 + wordings::KEYS.len()) * options.requests);
    let (plan, columns, guards) = super::runtime()?.block_on(async {
        let failed = |error| Failure::new(Code::Unavailable, format_args!("{error:#}"));
        let exact = Assembly::keyed(&config, KeyMode::Message)?;
        let exact = exact.router();
        let plan = wordings::Plan::new(options, exact, &bar)
            .await
            .map_err(failed)?;
        let truth = wordings::Truth::of(exact, &plan, &bar)
            .await
            .map_err(failed)?;
        let (mut columns, mut guards) = (Vec::new(), BTreeMap::new());
        for (name, key) in wordings::KEYS {
            bar.set_message(name);
            let assembly = Assembly::keyed(&config, key)?;
            let router = assembly.router();
            let column = wordings::column(router, &plan, &truth, &bar).await;
            columns.push(column.map_err(failed)?);
            let found = plan
                .requests()
                .iter()
                .filter_map(|request| wordings::guard(router, &plan, request));
            for guard in found {
                *guards.entry(guard.name()).or_default() += 1;
            }
        }
        Ok::<_, Failure>((plan, columns, guards))
    })?;
    bar.finish_and_clear();
    let facts = Facts::now(args.command(file), setup::source_name(&config));
    let summary = wordings::Summary::new(facts, &plan, columns, guards);
    show(args, &summary, wordings::Summary::render)
}

/// Prints the figures as JSON or as `render` shows them.
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

/// Fails where no report could be written, before the run that it would tell
/// of. What is there already stays until then.
fn check_report(path: &Path) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    match options.append(true).create(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(unwritable(path, &error)),
    }
}

fn write_report(path: &Path, summary: &Summary, run: &Run) -> Result<(), Failure> {
    std::fs::write(path, report::render(summary, run)).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Code::Io,
        format_args!("cannot write the report to {}: {error}", path.display()),
    )
}

/// The intents with the examples that the detector takes for them: another
/// one would have the bench measure an intent that it did not declare.
fn asked_intents(router: &Router) -> Vec<AskedIntent> {
    let cache = router.cache();
    let understood = |example: &str, intent: &Intent| {
        let question = Request::new(example, UserContext::guest());
        router.detect(&question).intent == intent.name
    };
    let asked = |intent: &Intent| AskedIntent {
        name: intent.name.clone(),
        examples: intent
            .examples
            .iter()
            .filter(|example| understood(example, intent))
            .cloned()
            .collect(),
        shared: intent.kind == Kind::KnowledgeBase,
        ttl: cache.ttl_of(&intent.class),
    };
    router.catalogue().intents().iter().map(asked).collect()
}
