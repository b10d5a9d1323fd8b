//! `cargo xtask check`: every check, in order, each repeatable alone.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::shell::{Shell, Usage};
use crate::steps::snapshot::Snapshot;
use crate::steps::{Context, Outcome, STEPS, Step};

/// The options from the command line.
#[derive(Debug)]
enum Request {
    List,
    Run {
        steps: Vec<&'static Step>,
        keep_going: bool,
    },
}

/// How one step ended.
enum Ending {
    Passed(String),
    Skipped(String),
    Failed,
    NotRun,
}

/// Runs the command.
pub(crate) fn run(shell: &Shell, args: Vec<String>) -> Result<()> {
    let (steps, keep_going) = match parse(args)? {
        Request::List => {
            for step in STEPS {
                println!("{:<10} {}", step.name, step.about);
            }
            return Ok(());
        }
        Request::Run { steps, keep_going } => (steps, keep_going),
    };

    let context = Context {
        shell,
        before: Snapshot::take(shell),
    };
    let mut endings = Vec::new();
    let mut failed = false;
    for (index, step) in steps.iter().enumerate() {
        if failed && !keep_going {
            endings.push((*step, Ending::NotRun, Duration::ZERO));
            continue;
        }
        println!(
            "\n==> [{}/{}] {}: {}",
            index + 1,
            steps.len(),
            step.name,
            step.about
        );
        println!("    alone: {}", step.repeat());
        let start = Instant::now();
        let ending = match (step.run)(&context) {
            Ok(Outcome::Passed(note)) => Ending::Passed(note),
            Ok(Outcome::Skipped(reason)) => {
                println!("SKIPPED: {}: {reason}", step.name);
                Ending::Skipped(reason)
            }
            Err(error) => {
                failed = true;
                println!("FAILED: {}: {error:#}", step.name);
                println!("    repeat it alone: {}", step.repeat());
                Ending::Failed
            }
        };
        endings.push((*step, ending, start.elapsed()));
    }
    summarise(&endings);
    if failed {
        bail!("not all checks passed");
    }
    Ok(())
}

fn parse(args: Vec<String>) -> Result<Request> {
    let mut steps: Vec<&Step> = STEPS.iter().collect();
    let mut chosen = None;
    let mut keep_going = false;
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--list" => return Ok(Request::List),
            "--keep-going" => keep_going = true,
            "--only" | "--from" => {
                if chosen.is_some() {
                    return Err(Usage::new("give one of --only and --from, and once"));
                }
                let value = args
                    .next()
                    .ok_or_else(|| Usage::new(format!("{arg} wants the name of a step")))?;
                chosen = Some((arg, value));
            }
            other => return Err(Usage::new(format!("check knows no `{other}`"))),
        }
    }
    if let Some((option, value)) = chosen {
        let named = value.split(',').map(position).collect::<Result<Vec<_>>>()?;
        match (option.as_str(), named.as_slice()) {
            ("--from", [first]) => steps = STEPS.iter().skip(*first).collect(),
            ("--from", _) => return Err(Usage::new("--from wants one step")),
            _ => {
                steps = STEPS
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| named.contains(index))
                    .map(|(_, step)| step)
                    .collect();
            }
        }
    }
    Ok(Request::Run { steps, keep_going })
}

fn position(name: &str) -> Result<usize> {
    STEPS
        .iter()
        .position(|step| step.name == name)
        .ok_or_else(|| {
            let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
            Usage::new(format!(
                "there is no step `{name}`; the steps are {}",
                names.join(", ")
            ))
        })
}

/// A table of all steps, then a line for each skip and each failure.
fn summarise(endings: &[(&Step, Ending, Duration)]) {
    println!("\n==> summary");
    for (step, ending, time) in endings {
        let (word, note) = match ending {
            Ending::Passed(note) => ("ok", note.as_str()),
            Ending::Skipped(reason) => ("SKIPPED", reason.as_str()),
            Ending::Failed => ("FAILED", ""),
            Ending::NotRun => ("not run", ""),
        };
        let row = format!(
            "{:<10} {word:<8} {:>7.1} s  {note}",
            step.name,
            time.as_secs_f64()
        );
        println!("{}", row.trim_end());
    }
    let total: Duration = endings.iter().map(|(_, _, time)| *time).sum();
    println!("{:<10} {:<8} {:>7.1} s", "all", "", total.as_secs_f64());
    for (step, ending, _) in endings {
        match ending {
            Ending::Skipped(reason) => println!("SKIPPED: {}: {reason}", step.name),
            Ending::Failed => println!("FAILED: {}; repeat it alone: {}", step.name, step.repeat()),
            Ending::Passed(_) | Ending::NotRun => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(args: &[&str]) -> Vec<&'static str> {
        match parse(args.iter().map(|arg| (*arg).to_owned()).collect()).unwrap() {
            Request::Run { steps, .. } => steps.iter().map(|step| step.name).collect(),
            Request::List => panic!("a list was not asked for"),
        }
    }

    #[test]
    fn steps_are_chosen_in_their_own_order() {
        assert_eq!(names(&[]).len(), STEPS.len());
        assert_eq!(names(&["--only", "test,fmt"]), ["fmt", "test"]);
        assert_eq!(names(&["--from", "outside"]), ["outside", "clean"]);
    }

    #[test]
    fn mistakes_are_usage_errors() {
        for args in [
            &["--only"][..],
            &["--only", "nothing"],
            &["--only", "fmt", "--from", "test"],
            &["--from", "fmt,test"],
            &["--fast"],
        ] {
            let error = parse(args.iter().map(|arg| (*arg).to_owned()).collect()).unwrap_err();
            assert!(error.is::<Usage>(), "{args:?}: {error}");
        }
    }
}
