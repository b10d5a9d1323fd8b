//! `router ask`: one question, answered in this process.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use clap::Args;
use intent_router::{CacheUse, OutcomeClass, Request, RouteError, Routed, UserContext};

use super::startup::runtime;
use crate::config::Config;
use crate::exit::{Code, Failure, written};
use crate::setup::Assembly;

/// Asks one question in this process, without the service.
#[derive(Args, Debug)]
pub(crate) struct AskArgs {
    /// The question, such as "what is my claim status?".
    message: String,
    /// The user who asks, such as BEN-000001; by default a guest.
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// The role of the user.
    #[arg(long, value_name = "ROLE", default_value = "beneficiary")]
    role: String,
    /// How many times to ask; the cache may answer every time but the first.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    repeat: u32,
    /// Bypass the cache: neither read nor store answers.
    #[arg(long)]
    no_cache: bool,
}

/// Asks, and shows each answer, where it came from, and how long it took.
pub(super) fn run(config: &Config, args: &AskArgs) -> Result<(), Failure> {
    let assembly = Assembly::new(config)?;
    let router = assembly.router();
    let user_context = match &args.user_id {
        Some(id) => UserContext::new(id, &args.role),
        None => UserContext::guest(),
    };
    let mut request = Request::new(&args.message, user_context);
    if args.no_cache {
        request.cache_use = CacheUse::Forbidden;
    }
    let runtime = runtime()?;
    for round in 1..=args.repeat {
        let started = Instant::now();
        let routed = runtime.block_on(router.route(&request));
        let took = started.elapsed();
        let routed = routed.map_err(failed)?;
        let shown = show(round, &routed, took);
        let reader_left = shown.is_err();
        written(shown)?;
        if reader_left {
            break;
        }
    }
    Ok(())
}

fn failed(error: RouteError) -> Failure {
    let code = match error {
        RouteError::Source(_) => Code::Unavailable,
        _ => Code::Data,
    };
    Failure::new(code, error)
}

/// Writes the answer the first time and after every request that the source was
/// asked for, and a line on what the cache did every time.
fn show(round: u32, routed: &Routed, took: Duration) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    let response = routed.answer.response()?;
    if round == 1 || routed.cache.class() != OutcomeClass::Hit {
        if stdout.is_terminal() {
            let data = serde_json::to_string_pretty(&response.data)?;
            writeln!(stdout, "{data}")?;
        } else {
            writeln!(stdout, "{}", routed.answer.json())?;
        }
    }
    writeln!(
        stdout,
        "{}  {} ({:.2})  {}  {:.3} ms  {} database calls",
        response.source.as_str(),
        response.intent,
        response.confidence,
        routed.cache,
        took.as_secs_f64() * 1e3,
        routed.calls,
    )
}
