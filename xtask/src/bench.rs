//! `cargo xtask bench`: the benchmarks, which print their own tables.

use anyhow::{Result, bail};

use crate::metadata::{Metadata, Target};
use crate::shell::{self, Shell, Usage};

/// Runs the command.
pub(crate) fn run(shell: &Shell, args: Vec<String>) -> Result<()> {
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
        if quick {
            command.args(["--", "--quick"]);
        }
        shell::run(&mut command)?;
    }
    Ok(())
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
