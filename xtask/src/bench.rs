//! `cargo xtask bench`: the benchmarks, which print their own tables.

use std::path::Path;

use anyhow::{Result, bail};

use crate::metadata::{Metadata, Target};
use crate::shell::{self, Shell, Usage};

/// Benchmarks with a command line of their own: they get the arguments after their
/// name.
const WITH_ARGUMENTS: &[&str] = &["store"];

/// Runs the command.
pub(crate) fn run(shell: &Shell, mut args: Vec<String>) -> Result<()> {
    let own = own_arguments(&mut args);
    let (options, names): (Vec<String>, Vec<String>) =
        args.into_iter().partition(|arg| arg.starts_with('-'));
    let (mut quick, mut list) = (false, false);
    for option in options {
        match option.as_str() {
            "--quick" => quick = true,
            "--list" => list = true,
            other => return Err(Usage::new(format!("bench knows no `{other}`"))),
        }
    }

    let metadata = Metadata::load(shell)?;
    let all = benches(&metadata);
    if all.is_empty() {
        bail!("no package of the workspace has a benchmark");
    }
    let full_names = || {
        all.iter()
            .map(|(package, bench)| format!("{package}/{}", bench.name))
    };
    if list {
        full_names().for_each(|name| println!("{name}"));
        return Ok(());
    }
    let is_meant = |name: &String, package: &str, bench: &Target| {
        *name == bench.name || name == package || *name == format!("{package}/{}", bench.name)
    };
    for name in &names {
        if !all
            .iter()
            .any(|(package, bench)| is_meant(name, package, bench))
        {
            let known = full_names().collect::<Vec<_>>().join(", ");
            return Err(Usage::new(format!(
                "there is no benchmark `{name}`; there are: {known}"
            )));
        }
    }

    for (package, bench) in &all {
        if !names.is_empty() && !names.iter().any(|name| is_meant(name, package, bench)) {
            continue;
        }
        println!("\n==> {package}/{}", bench.name);
        let mut command = shell.cargo(["bench", "--locked", "--package", package]);
        command.args(["--bench", &bench.name]);
        if !bench.required_features.is_empty() {
            command.args(["--features", &bench.required_features.join(",")]);
        }
        let quick = quick.then(|| "--quick".to_owned());
        let own = own
            .iter()
            .filter(|_| takes_arguments(&bench.name))
            .flatten();
        let mut passed_on = quick.iter().chain(own).peekable();
        if passed_on.peek().is_some() {
            command.arg("--").args(passed_on);
        }
        shell::run(&mut command)?;
    }
    Ok(())
}

/// Whether a help option among these arguments of `bench` is for a benchmark.
pub(crate) fn answers(args: &[String]) -> bool {
    own_arguments(&mut args.to_vec()).is_some()
}

fn takes_arguments(name: &str) -> bool {
    WITH_ARGUMENTS.contains(&name)
}

/// Removes and returns the arguments after the name of a benchmark with a command
/// line of its own. File names are made absolute, because cargo runs a benchmark in
/// the folder of its package.
fn own_arguments(args: &mut Vec<String>) -> Option<Vec<String>> {
    let name = args.iter().position(|arg| takes_arguments(arg))?;
    let own = args.split_off(name + 1).into_iter();
    let own = own.map(|arg| {
        let file = Path::new(&arg).is_file().then(|| std::path::absolute(&arg));
        match file {
            Some(Ok(path)) => path.to_str().map(str::to_owned).unwrap_or(arg),
            _ => arg,
        }
    });
    Some(own.collect())
}

/// Every benchmark of the workspace, with its package.
fn benches(metadata: &Metadata) -> Vec<(&str, &Target)> {
    let members = metadata.members().into_iter();
    members
        .flat_map(|member| {
            let benches = member.targets_of("bench");
            benches.map(move |bench| (member.name.as_str(), bench))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metadata::sample;

    #[test]
    fn what_follows_a_benchmark_with_arguments_is_its_own() {
        let check = |args: &str, kept: &str, own: Option<&str>| {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
            let mut args: Vec<String> = words(args);
            assert_eq!(own_arguments(&mut args), own.map(words));
            assert_eq!(args, words(kept) as Vec<String>);
        };
        check("key route --quick", "key route --quick", None);
        check("store", "store", Some(""));
        check("store hits --quick", "store", Some("hits --quick"));
        check("--quick key store hits", "--quick key store", Some("hits"));

        let file = "Cargo.toml";
        let absolute = std::path::absolute(file).unwrap();
        let line = format!("store --trace {file} no-such-file");
        let own = format!("--trace {} no-such-file", absolute.display());
        check(&line, "store", Some(&own));
    }

    #[test]
    fn benchmarks_are_found_in_every_member() {
        let metadata = sample(json!([
            {"name": "b", "targets": [
                {"name": "store", "kind": ["bench"]},
                {"name": "b", "kind": ["lib"]},
            ]},
            {"name": "a", "targets": [{"name": "key", "kind": ["bench"]}]},
            {"name": "far", "source": "registry", "targets": [{"name": "x", "kind": ["bench"]}]},
        ]));
        let found: Vec<_> = benches(&metadata)
            .into_iter()
            .map(|(package, bench)| (package, bench.name.as_str()))
            .collect();
        assert_eq!(found, [("a", "key"), ("b", "store")]);
    }
}
