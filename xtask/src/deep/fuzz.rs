//! Fuzzing, in bounded time.
//!
//! The fuzzer is LLVM's libFuzzer, linked into each target of `crates/fuzz`. The
//! compiler's flags for it are stable, so that no other toolchain and no program but
//! cargo is needed, except a C++ compiler to build libFuzzer. There are no
//! sanitizers, as our crates have no `unsafe`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::metadata::Metadata;
use crate::shell::{self, Shell};

/// Where the targets are, from the root.
const FOLDER: &str = "crates/fuzz";

/// A fuzz target: its name in [`FOLDER`], and the crate that it tests.
struct FuzzTarget {
    name: &'static str,
    about: &'static str,
}

const TARGETS: &[FuzzTarget] = &[
    FuzzTarget {
        name: "json",
        about: "cache-keys",
    },
    FuzzTarget {
        name: "key",
        about: "cache-keys",
    },
    FuzzTarget {
        name: "message",
        about: "intent-router",
    },
    FuzzTarget {
        name: "model",
        about: "intent-model",
    },
    FuzzTarget {
        name: "store",
        about: "cache-core",
    },
];

/// Compiler flags that instrument coverage for libFuzzer, and make a failed
/// assertion or an overflow a crash.
const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
    "-Coverflow-checks",
];

/// Fuzzes the targets of the packages in `asked`, each for so many seconds. An input
/// that crashes a target is an error that says how to replay it.
pub(super) fn run(shell: &Shell, seconds: u32, asked: impl Fn(&str) -> bool) -> Result<String> {
    let targets: Vec<_> = TARGETS.iter().filter(|one| asked(one.about)).collect();
    if targets.is_empty() {
        return Ok("no target is about these packages".to_owned());
    }
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    if shell::output(&mut shell.program(&compiler, ["--version"])).is_err() {
        let reason = format!(
            "no C++ compiler `{compiler}` to build libFuzzer: on Debian, apt-get install g++"
        );
        println!("SKIPPED: fuzz: {reason}");
        return Ok(format!("SKIPPED: {reason}"));
    }

    let folder = Metadata::load(shell)?.target_directory.join("fuzz");
    let host = host(&shell::output(&mut shell.program("rustc", ["-vV"]))?)?;
    let mut build = shell.cargo(["build", "--release", "--locked", "--package=fuzz", "--bins"]);
    // Naming the host keeps the flags away from build scripts and macros.
    build.args(["--target", &host]);
    build.arg("--target-dir").arg(&folder);
    build.env("RUSTFLAGS", FLAGS.join(" "));
    build.env("CARGO_PROFILE_RELEASE_LTO", "off");
    shell::run(&mut build)?;

    let mut runs = Vec::new();
    for target in targets {
        let program = folder.join(&host).join("release").join(target.name);
        let inputs = fuzz(shell, target, &program, &folder, seconds)?;
        runs.push(format!("{} {inputs}", target.name));
    }
    Ok(format!("inputs tried: {}", runs.join(", ")))
}

/// Runs one target and returns how many inputs it tried.
fn fuzz(
    shell: &Shell,
    target: &FuzzTarget,
    program: &Path,
    folder: &Path,
    seconds: u32,
) -> Result<u64> {
    // Interesting inputs are kept for the next run.
    let corpus = folder.join("corpus").join(target.name);
    let crashes = folder.join("crashes").join(target.name);
    for folder in [&corpus, &crashes] {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let seeds = shell.root().join(FOLDER).join("seeds").join(target.name);
    let mut fuzzer = shell.program(program, [corpus, seeds]);
    fuzzer.arg(format!("-max_total_time={seconds}"));
    // Longer inputs find no more than shorter ones; ten seconds for one
    // means that it hangs.
    fuzzer.args(["-max_len=4096", "-timeout=10", "-verbosity=0"]);
    fuzzer.arg("-print_final_stats=1");
    // The prefix is prepended to the file's name unchanged.
    fuzzer.arg(format!("-artifact_prefix={}/", crashes.display()));
    println!("$ {}", shell::line(&fuzzer));
    let output = fuzzer
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let told = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        println!("{told}");
        bail!("{}", verdict(target.name, program, &told));
    }
    let inputs = inputs_tried(&told).context("the fuzzer does not tell what it tried")?;
    println!("{}: {inputs} inputs in {seconds} s, no crash", target.name);
    Ok(inputs)
}

/// The failure, and how to reproduce it.
fn verdict(name: &str, program: &Path, told: &str) -> String {
    let program = program.display();
    let saved = told
        .lines()
        .find_map(|line| line.split_once("Test unit written to "));
    match saved {
        Some((_, input)) => format!(
            "an input made the fuzz target `{name}` fail; replay it with\n    {program} {input}\n\
             and keep it in {FOLDER}/seeds/{name} with the fix"
        ),
        None => format!("the fuzz target `{name}` failed before any input: {program}"),
    }
}

/// The number in libFuzzer's `stat::number_of_executed_units: 128971`.
fn inputs_tried(told: &str) -> Option<u64> {
    let sign = "stat::number_of_executed_units:";
    let number = told.lines().find_map(|line| line.strip_prefix(sign))?;
    number.trim().parse().ok()
}

/// The platform in the output of `rustc -vV`.
fn host(version: &str) -> Result<String> {
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not name its host")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fuzzers_words_are_read() {
        let told = "Done 7 runs\nstat::number_of_executed_units: 128971\nstat::peak_rss_mb: 40";
        assert_eq!(inputs_tried(told), Some(128_971));
        assert_eq!(inputs_tried("Done 7 runs"), None);

        let told = "x\nartifact_prefix='/f/'; Test unit written to /f/crash-1\nBase64: ";
        let verdict = |told| verdict("key", Path::new("/bin/key"), told);
        assert!(verdict(told).contains("    /bin/key /f/crash-1\n"));
        assert!(verdict("").contains("before any input"));
    }

    #[test]
    fn the_host_is_read_from_the_compilers_version() {
        let version = "rustc 1.95.0\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\n";
        assert_eq!(host(version).unwrap(), "x86_64-unknown-linux-gnu");
        assert!(host("rustc 1.95.0").is_err());
    }

    #[test]
    fn every_target_has_its_program_and_its_seeds() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(FOLDER);
        let mut programs: Vec<_> = fs::read_dir(folder.join("src/bin"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        programs.sort();
        let targets: Vec<_> = TARGETS.iter().map(|one| one.name).collect();
        assert_eq!(programs, targets);
        for target in targets {
            assert!(folder.join("seeds").join(target).is_dir(), "{target}");
        }
    }
}
