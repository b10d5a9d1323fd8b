//! Runs the program as its users do.
#![allow(dead_code, reason = "each test file uses its own part of this")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program with nothing in its environment but `environment`.
pub(crate) fn router_with(arguments: &[&str], environment: &[(&str, &str)], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_router"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    // Written beside the reading of the output: either pipe may fill up. The
    // program may stop reading early, so a failed write is no failure here.
    let Output {
        status,
        stdout,
        stderr,
    } = std::thread::scope(|scope| {
        scope.spawn(move || {
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().expect("the program ends")
    });
    Run {
        code: status.code().expect("no signal ended it"),
        stdout: String::from_utf8(stdout).expect("the output is UTF-8"),
        stderr: String::from_utf8(stderr).expect("messages are UTF-8"),
    }
}

/// Runs the program with an empty environment.
pub(crate) fn router(arguments: &[&str], input: impl AsRef<[u8]>) -> Run {
    router_with(arguments, &[], input.as_ref())
}

/// A file of this name for one test to fill; its directory is the test's own.
pub(crate) fn file(test: &str, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&directory).expect("a directory can be made");
    let path = directory.join(name);
    std::fs::write(&path, content).expect("a file can be written");
    path
}
