//! Running other programs: each is echoed as a line that can be pasted.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Where the workspace is, and which cargo drives it.
pub(crate) struct Shell {
    root: PathBuf,
    cargo: OsString,
}

impl Shell {
    /// Finds the workspace: cargo names this package's folder when it runs it.
    pub(crate) fn new() -> Result<Self> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .context("CARGO_MANIFEST_DIR is not set: run this as `cargo xtask …`")?;
        let root = Path::new(&package)
            .parent()
            .context("the xtask package has no parent folder")?
            .to_owned();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Ok(Self { root, cargo })
    }

    /// The workspace's root folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A cargo command, run at the root.
    pub(crate) fn cargo<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Command {
        self.program(&self.cargo, args)
    }

    /// Any other program, run at the root.
    pub(crate) fn program<I: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        args: impl IntoIterator<Item = I>,
    ) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.root);
        command.stdin(Stdio::null());
        command
    }
}

/// Echoes a command and runs it; its failure is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", line(command));
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs a command without an echo and returns its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` failed ({}): {}",
            line(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` wrote what is not UTF-8", line(command)))
}

/// Echoes and runs a `cargo test`, passes its output on and returns how many
/// tests passed.
pub(crate) fn run_tests(command: &mut Command) -> Result<usize> {
    watch_tests(command, |_| {})
}

/// Like [`run_tests`]; also passes each line of the output to `watch`.
pub(crate) fn watch_tests(command: &mut Command, mut watch: impl FnMut(&str)) -> Result<usize> {
    println!("$ {}", line(command));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    let stdout = child.stdout.take().context("no pipe from the tests")?;
    let mut passed = 0;
    for bytes in BufReader::new(stdout).split(b'\n') {
        let text = bytes.context("cannot read the tests' output")?;
        let text = String::from_utf8_lossy(&text);
        println!("{text}");
        passed += tests_passed(&text).unwrap_or(0);
        watch(&text);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(passed)
}

/// The count in libtest's `test result: ok. 3 passed; 0 failed; …`.
fn tests_passed(line: &str) -> Option<usize> {
    let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    counts.split_once(" passed")?.0.parse().ok()
}

/// A command as typed at the workspace's root.
pub(crate) fn line(command: &Command) -> String {
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_string_lossy(), value?.to_string_lossy())))
        .map(|(name, value)| format!("{name}={}", quoted(&value)));
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let words = std::iter::once(program)
        .chain(command.get_args())
        .map(|word| quoted(&word.to_string_lossy()));
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_=./:,+@{}".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A mistake in the command line; `main` shows the usage and exits with 64.
#[derive(Debug)]
pub(crate) struct Usage(String);

impl Usage {
    #[allow(clippy::new_ret_no_self, reason = "callers return it at once")]
    pub(crate) fn new(message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self(message.into()))
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_libtest_lines() {
        let check = |line: &str, expect| assert_eq!(tests_passed(line), expect, "{line}");
        check(
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out",
            Some(12),
        );
        check(
            "test result: FAILED. 4 passed; 1 failed; 0 ignored",
            Some(4),
        );
        check("running 12 tests", None);
        check("test it::says ... test result: ok. 5 passed", None);
    }

    #[test]
    fn an_echoed_command_can_be_pasted() {
        let mut command = Command::new("/usr/bin/cargo");
        command
            .args(["test", "--", "it's here"])
            .env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(
            line(&command),
            r"RUSTDOCFLAGS='-D warnings' cargo test -- 'it'\''s here'"
        );
    }
}
