//! A PostgreSQL server for one test, in a temporary folder on a free port.
//!
//! Other crates' tests include this file by `#[path]`. It needs the crate `tempfile`
//! and the programs `initdb`, `postgres`, `psql`, and `sh`.
#![allow(dead_code, reason = "no test binary needs all of it")]
#![allow(clippy::print_stderr, reason = "a skipped test must be seen")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use tempfile::TempDir;

/// The user who runs the server when root runs the tests: PostgreSQL refuses root.
const NOBODY: u32 = 65534;
/// The server may find its port taken by another test; then it tries the next.
const PORTS_TO_TRY: usize = 8;

/// A running server with the superuser `postgres` (no password) and the database
/// `postgres`, in UTF-8 and the collation `C`. Dropping it stops the server and
/// removes its files.
#[derive(Debug)]
pub(crate) struct PostgresServer {
    programs: PathBuf,
    folder: TempDir,
    settings: Vec<String>,
    port: u16,
    /// `None` while the server is stopped.
    process: Option<Child>,
}

impl PostgresServer {
    /// Starts a server. `None` if its programs are not installed: the test prints that
    /// and returns.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with settings such as `wal_level=logical`.
    pub(crate) fn start_with(settings: &[&str]) -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!(
                "\n*** SKIPPED: PostgreSQL is not installed; this test checked NOTHING ***\n"
            );
            return None;
        };
        let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap();
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let made = unprivileged(&programs.join("initdb"), folder.path())
            .args(["--no-sync", "--auth=trust", "--username=postgres"])
            .args(["--encoding=UTF8", "--locale=C", "--pgdata"])
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {made:?}");
        let mut server = Self {
            programs,
            folder,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            port: 0,
            process: None,
        };
        for _ in 0..PORTS_TO_TRY {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            server.port = free.local_addr().unwrap().port();
            drop(free);
            if server.try_run().is_ok() {
                return Some(server);
            }
        }
        panic!("the server starts on none of {PORTS_TO_TRY} ports");
    }

    /// Where the server listens: `postgres://postgres@127.0.0.1:PORT/postgres`.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The port of 127.0.0.1, the same after a restart.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the server's data, with `postgresql.conf` and `pg_hba.conf`.
    pub(crate) fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Runs SQL by `psql`, each statement by itself, and returns the rows: a line each,
    /// with `|` between columns. Panics with the server's message when a statement fails.
    pub(crate) fn execute(&self, sql: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"])
            .args(["--set=ON_ERROR_STOP=1", "--file=-", &self.url()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Written by another thread: a long script's output fills the pipe before its end.
        let (mut input, script) = (psql.stdin.take().unwrap(), sql.to_owned());
        let writer = thread::spawn(move || drop(input.write_all(script.as_bytes())));
        let output = psql.wait_with_output().unwrap();
        writer.join().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}in: {sql}");
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    /// Stops the server as an administrator does: connections end, data is written.
    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            signal("INT", &[process.id()]);
            process.wait().unwrap();
        }
    }

    /// Kills every process of the server at once, as a power failure does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Stopped first, so that it starts no process meanwhile.
            signal("STOP", &[process.id()]);
            let mut all = children(process.id());
            all.push(process.id());
            signal("KILL", &all);
            process.wait().unwrap();
        }
    }

    /// Starts the server on its port after `stop` or `kill`; stops it before if it runs.
    pub(crate) fn restart(&mut self) {
        self.stop();
        if let Err(log) = self.try_run() {
            panic!("the server does not start again: {log}");
        }
    }

    /// Stops every process of the server where it is: connections stay open and get no
    /// answer until `thaw`.
    pub(crate) fn freeze(&self) {
        let process = self.process.as_ref().expect("the server runs").id();
        signal("STOP", &[process]);
        signal("STOP", &children(process));
    }

    /// Continues after `freeze`.
    pub(crate) fn thaw(&self) {
        let process = self.process.as_ref().expect("the server runs").id();
        signal("CONT", &children(process));
        signal("CONT", &[process]);
    }

    /// Starts the process and waits until it takes connections. The error is its log.
    fn try_run(&mut self) -> Result<(), String> {
        let mut command = unprivileged(&self.programs.join("postgres"), self.folder.path());
        command.arg("-D").arg(self.data_folder());
        let common = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "shared_buffers=16MB",
            "log_min_messages=log",
            "logging_collector=off",
            "log_destination=stderr",
        ];
        let port = format!("port={}", self.port);
        let settings = common.into_iter().chain([port.as_str()]);
        for setting in settings.chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let (ready, started) = mpsc::channel();
        // Reads on after the start, or the server's log fills the pipe and stops it.
        thread::spawn(move || {
            let mut seen = String::new();
            let mut ready = Some(ready);
            for line in log.lines().map_while(Result::ok) {
                if ready.is_some() {
                    seen.push_str(&line);
                    seen.push('\n');
                }
                if line.contains("database system is ready to accept connections")
                    && let Some(ready) = ready.take()
                {
                    drop(ready.send(Ok(())));
                }
            }
            if let Some(ready) = ready {
                drop(ready.send(Err(seen)));
            }
        });
        let started = started.recv().unwrap();
        if started.is_ok() {
            self.process = Some(process);
        } else {
            process.wait().unwrap();
        }
        started
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The folder of the server's programs: one of `PATH`, or Debian's newest version.
fn programs() -> Option<PathBuf> {
    let has_all = |folder: &PathBuf| {
        let programs = ["initdb", "postgres", "psql"];
        programs.iter().all(|name| folder.join(name).is_file())
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) = std::env::split_paths(&path).find(has_all) {
        return Some(found);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let versions = versions.filter_map(|entry| {
        let entry = entry.ok()?;
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin")))
    });
    let installed = versions.filter(|(_, folder)| has_all(folder));
    installed.max().map(|(_, folder)| folder)
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The program, run in the folder by a user whom PostgreSQL accepts.
fn unprivileged(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("LC_ALL", "C");
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Processes that this one started.
fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap();
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter(|id: &u32| {
        // `ID (NAME) STATE PARENT …`, where a name may hold blanks and parentheses.
        let status = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let rest = status.rsplit_once(')').map_or("", |(_, rest)| rest);
        rest.split_whitespace().nth(1) == Some(parent.to_string().as_str())
    })
    .collect()
}

/// Sends a signal; processes that have ended meanwhile do not matter.
fn signal(name: &str, processes: &[u32]) {
    let ids: Vec<String> = processes.iter().map(u32::to_string).collect();
    let command = format!("kill -{name} {} 2>/dev/null", ids.join(" "));
    Command::new("sh").args(["-c", &command]).status().unwrap();
}
