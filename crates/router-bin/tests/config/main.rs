//! The configuration as its users meet it: its keys, its sources, its warnings
//! and its errors.

mod environment;
mod errors;
mod keys;
#[path = "../program/mod.rs"]
mod program;
mod warnings;

use std::collections::BTreeMap;

use program::{Run, argument, file, router};

fn check(test: &str, toml: &str) -> Run {
    let path = file(test, "router.toml", toml);
    router(&["config", "check", "--config", argument(&path)], "")
}

/// The lines of `config show`: path, value, origin.
fn shown(run: &Run) -> BTreeMap<String, (String, String)> {
    let mut section = "";
    let mut settings = BTreeMap::new();
    for line in run.output().lines().filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.strip_suffix(']').expect(line);
        } else {
            let (setting, origin) = line.split_once("  # ").expect(line);
            let (name, value) = setting.split_once(" = ").expect(line);
            let value = value.trim().trim_matches('"').to_owned();
            settings.insert(format!("{section}.{name}"), (value, origin.to_owned()));
        }
    }
    settings
}

fn variable(path: &str) -> String {
    format!("ROUTER_{}", path.to_uppercase().replace('.', "__"))
}
