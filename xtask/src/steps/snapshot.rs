//! The state of a checkout, for comparisons.

use crate::shell::{self, Shell};

/// The state by git: which files differ from the commit, and how.
#[derive(PartialEq, Eq)]
pub(crate) struct Snapshot {
    status: String,
    changes: String,
}

impl Snapshot {
    /// Runs git; an error if there is no checkout or no git.
    pub(crate) fn take(shell: &Shell) -> std::result::Result<Self, String> {
        let git = |args: &[&str]| {
            shell::output(&mut shell.program("git", args))
                .map_err(|error| error.root_cause().to_string())
        };
        Ok(Self {
            status: git(&["status", "--porcelain", "--untracked-files=all"])?,
            changes: git(&["diff", "HEAD", "--binary"])?,
        })
    }

    /// A text that names the files that the checks changed.
    pub(super) fn difference(&self, after: &Self) -> String {
        let mut text = "the checks changed files:".to_owned();
        for (mark, lines, other) in [('-', self, after), ('+', after, self)] {
            for line in lines.status.lines() {
                if !other.status.lines().any(|one| one == line) {
                    text.push_str(&format!("\n  {mark} {line}"));
                }
            }
        }
        if self.status == after.status {
            text.push_str("\n  files that differed from the commit before now differ otherwise");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_appeared_or_changed_are_named() {
        let snapshot = |status: &str, changes: &str| Snapshot {
            status: status.to_owned(),
            changes: changes.to_owned(),
        };
        let before = snapshot(" M a.rs\n", "@@ one");
        assert!(before == snapshot(" M a.rs\n", "@@ one"));
        let appeared = snapshot(" M a.rs\n?? b.rs\n", "@@ one");
        assert!(before != appeared);
        assert!(before.difference(&appeared).ends_with("\n  + ?? b.rs"));
        let rewritten = snapshot(" M a.rs\n", "@@ two");
        assert!(before != rewritten);
        assert!(before.difference(&rewritten).contains("differ otherwise"));
    }
}
