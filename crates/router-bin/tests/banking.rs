//! The worked example of docs/banking.md: every command, in its order, and
//! what the page shows of its output; then the service that it ends with.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::Server;

const PAGE: &str = include_str!("../../../docs/banking.md");

/// A copy of the example's files, in a folder of the test's own.
fn copy() -> PathBuf {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/banking");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("banking");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    for entry in std::fs::read_dir(files).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    folder
}

/// The fenced blocks of the page: the language of each, and its lines.
fn blocks() -> Vec<(&'static str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in PAGE.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => blocks.push(block),
            (Some(language), None) => open = Some((language, String::new())),
            (None, Some((language, text))) => open = Some((language, text + line + "\n")),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block of the page has no end");
    blocks
}

/// Whether a line is as the page shows it, where `…` matches anything.
fn is_as_shown(line: &str, shown: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or("")) else {
        return false;
    };
    let mut last = "";
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        last = part;
    }
    // The end of what is shown is the end of the line, unless it goes on.
    rest.is_empty() || (last.is_empty() && shown.contains('…'))
}

fn run(folder: &Path, command: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_router")).parent().unwrap();
    let system = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-e", "-c", command])
        .current_dir(folder)
        .env_clear()
        .env("PATH", format!("{}:{system}", program.display()))
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{command}{errors}");
    assert_eq!(errors, "", "{command}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_of_the_page_does_what_the_page_shows() {
    let folder = copy();
    let (mut commands, mut compared) = (0, 0);
    let mut output = String::new();
    for (language, text) in blocks() {
        match language {
            "sh" => {
                output = run(&folder, &text);
                commands += 1;
            }
            "text" => {
                // The lines that are shown come in this order.
                let mut lines = output.lines();
                for shown in text.lines() {
                    let found = lines.any(|line| is_as_shown(line, shown));
                    assert!(found, "no {shown:?} in its place in\n{output}");
                    compared += 1;
                }
            }
            other => panic!("a block of `{other}` that nobody runs"),
        }
    }
    assert!(commands >= 9 && compared >= 15, "{commands} {compared}");
    serves(&folder);
}

/// The service answers as the commands did, and each customer apart.
fn serves(folder: &Path) {
    let configuration = folder.join("router.toml");
    let server = Server::start_with(&[("ROUTER_CONFIG", configuration.to_str().unwrap())]);
    for (who, card) in [("CUS-0001", "CRD-100001"), ("CUS-0003", "CRD-100003")] {
        for is_hit in [false, true] {
            let reply = server.ask("has my card been posted yet", who, "customer");
            let cards = &reply.value()["data"]["cards"];
            assert_eq!(cards[0]["card_number"], card, "{cards}");
            assert_eq!(reply.is_hit(), is_hit, "{}", reply.cache_status());
        }
    }
    // One question in several wordings has one entry; about another record, or
    // with a complaint in it, it is another question.
    for (question, is_hit) in [
        ("Where is my new card?", false),
        ("where is my  new CARD", true),
        ("when will i get my new card", true),
        ("where is my new card CRD-100001", false),
        ("my new card has not arrived", false),
    ] {
        let reply = server.ask(question, "CUS-0001", "customer");
        assert_eq!(reply.value()["intent"], "card_arrival", "{question}");
        assert_eq!(reply.is_hit(), is_hit, "{question}");
    }
    let reply = server.ask("which countries do you support", "CUS-0001", "customer");
    assert_eq!(reply.value()["intent"], "country_support");
}

#[test]
fn what_is_shown_is_compared() {
    for (line, shown, same) in [
        ("ok", "ok", true),
        ("not ok", "ok", false),
        ("okay", "ok", false),
        ("wrote 0.2 MB", "wrote … MB", true),
        ("wrote 0.2 MB more", "wrote … MB", false),
        ("a 1 b 2 c", "a … b …", true),
        ("a 1 c", "a … b …", false),
        ("anything", "…", true),
    ] {
        assert_eq!(is_as_shown(line, shown), same, "{line:?} {shown:?}");
    }
}
