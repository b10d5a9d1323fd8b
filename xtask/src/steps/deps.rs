//! The direction of dependencies: which crate may depend on which.

use anyhow::Result;

use super::step::{Context, Outcome, verdict};
use crate::metadata::{Metadata, Package};

/// The dependencies that a crate of ours may have.
struct Rule {
    name: &'static str,
    may_know: &'static [&'static str],
    /// A library leaves the choice of runtime, error reports and logger to the
    /// program that uses it.
    library: bool,
}

/// One line for every crate of the workspace.
const RULES: &[Rule] = &[
    Rule {
        name: "cache-core",
        may_know: &[],
        library: true,
    },
    Rule {
        name: "cache-keys",
        may_know: &[],
        library: true,
    },
    Rule {
        name: "fuzz",
        may_know: &["cache-core", "cache-keys", "intent-model", "intent-router"],
        library: false,
    },
    Rule {
        name: "intent-model",
        may_know: &[],
        library: true,
    },
    Rule {
        name: "intent-router",
        may_know: &["cache-core", "cache-keys", "intent-model"],
        library: true,
    },
    Rule {
        name: "intent-train",
        may_know: &["intent-model"],
        library: true,
    },
    Rule {
        name: "live-data",
        may_know: &["intent-router"],
        library: true,
    },
    Rule {
        name: "router-bench",
        may_know: &["intent-router", "intent-train"],
        library: false,
    },
    Rule {
        name: "router-bin",
        may_know: &[
            "cache-core",
            "cache-keys",
            "intent-model",
            "intent-router",
            "intent-train",
            "live-data",
            "router-bench",
            "sentence-encoder",
        ],
        library: false,
    },
    Rule {
        name: "sentence-encoder",
        may_know: &["intent-model"],
        library: true,
    },
    Rule {
        name: "store-bench",
        may_know: &["cache-core"],
        library: false,
    },
    Rule {
        name: "xtask",
        may_know: &[],
        library: false,
    },
];

/// Dependencies for tests only: the first crate may depend on the second.
const IN_TESTS_ONLY: &[(&str, &str)] = &[("intent-router", "intent-train")];

/// Exceptions: the first crate may depend on the second. The clients of servers need a runtime.
const NEEDED_BY: &[(&str, &str)] = &[("live-data", "tokio")];

/// Packages that a library may not depend on, except in its tests.
const FOR_PROGRAMS_ONLY: &[&str] = &[
    // runtimes, and packages that need one
    "actix-web",
    "async-std",
    "axum",
    "smol",
    "tokio",
    // error reports
    "anyhow",
    "color-eyre",
    "eyre",
    // loggers
    "env_logger",
    "fern",
    "flexi_logger",
    "log4rs",
    "pretty_env_logger",
    "simple_logger",
    "simplelog",
    "tracing-subscriber",
];

pub(super) fn step(context: &Context<'_>) -> Result<Outcome> {
    let metadata = Metadata::load(context.shell)?;
    let crates = metadata.members().len();
    verdict(findings(&metadata), format!("{crates} crates"))
}

fn findings(metadata: &Metadata) -> Vec<String> {
    let members = metadata.members();
    let mut findings = Vec::new();
    for member in &members {
        let Some(rule) = RULES.iter().find(|rule| rule.name == member.name) else {
            findings.push(format!(
                "{} has no rule: add what it may know to RULES in xtask/src/steps/deps.rs",
                member.name
            ));
            continue;
        };
        findings.extend(breaches(member, rule, &members));
    }
    findings
}

fn breaches(member: &Package, rule: &Rule, members: &[&Package]) -> Vec<String> {
    let mut breaches = Vec::new();
    for dependency in &member.dependencies {
        let name = dependency.name.as_str();
        let is_ours = members.iter().any(|one| one.name == name);
        let in_tests = dependency.kind.as_deref() == Some("dev");
        let may_know =
            rule.may_know.contains(&name) || in_tests && IN_TESTS_ONLY.contains(&(rule.name, name));
        if is_ours && !may_know {
            let allowed = if rule.may_know.is_empty() {
                "none of our crates".to_owned()
            } else {
                format!("only {}", rule.may_know.join(", "))
            };
            breaches.push(format!(
                "{} depends on {name}: it may know {allowed}",
                member.name
            ));
        }
        let is_needed = NEEDED_BY.contains(&(rule.name, name));
        if rule.library && !in_tests && !is_needed && FOR_PROGRAMS_ONLY.contains(&name) {
            breaches.push(format!(
                "{} depends on {name}: a library leaves that to the program that uses it",
                member.name
            ));
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metadata::sample;

    /// The findings when `from` depends on `to`, in a workspace that is right otherwise.
    fn check(from: &str, to: &str, kind: Option<&str>) -> Vec<String> {
        let packages: Vec<_> = RULES
            .iter()
            .map(|rule| {
                let mut dependencies: Vec<_> = rule
                    .may_know
                    .iter()
                    .map(|name| json!({"name": name, "req": "^0.1.0", "kind": null}))
                    .collect();
                if rule.name == from {
                    dependencies.push(json!({"name": to, "req": "^1", "kind": kind}));
                }
                json!({"name": rule.name, "dependencies": dependencies})
            })
            .collect();
        findings(&sample(json!(packages)))
    }

    #[test]
    fn the_rightful_workspace_passes() {
        assert_eq!(check("cache-core", "serde", None), Vec::<String>::new());
    }

    #[test]
    fn a_dependency_against_the_direction_is_refused() {
        for (from, to) in [
            ("cache-core", "cache-keys"),
            ("cache-keys", "cache-core"),
            ("cache-core", "intent-router"),
            ("intent-model", "intent-train"),
            ("intent-router", "live-data"),
            ("intent-train", "intent-router"),
            ("live-data", "cache-core"),
            ("live-data", "cache-keys"),
            ("live-data", "router-bin"),
            ("router-bench", "router-bin"),
            ("store-bench", "intent-router"),
            ("xtask", "cache-keys"),
            ("router-bin", "xtask"),
        ] {
            for kind in [None, Some("dev"), Some("build")] {
                let found = check(from, to, kind);
                assert_eq!(found.len(), 1, "{from} -> {to}: {found:?}");
                assert!(found[0].starts_with(&format!("{from} depends on {to}")));
            }
        }
    }

    #[test]
    fn the_router_may_train_in_its_tests_only() {
        assert_eq!(check("intent-router", "intent-train", Some("dev")).len(), 0);
        for kind in [None, Some("build")] {
            assert_eq!(check("intent-router", "intent-train", kind).len(), 1);
        }
    }

    #[test]
    fn a_library_may_name_a_runtime_in_its_tests_only() {
        assert_eq!(check("intent-router", "tokio", None).len(), 1);
        assert_eq!(check("intent-router", "anyhow", Some("build")).len(), 1);
        assert_eq!(check("intent-router", "tokio", Some("dev")).len(), 0);
        assert_eq!(check("live-data", "tokio", None).len(), 0);
        assert_eq!(check("live-data", "smol", None).len(), 1);
        assert_eq!(check("router-bin", "tokio", None).len(), 0);
    }

    #[test]
    fn a_crate_without_a_rule_is_refused() {
        let found = findings(&sample(json!([{"name": "newcomer"}])));
        assert!(found[0].contains("newcomer has no rule"), "{found:?}");
    }
}
