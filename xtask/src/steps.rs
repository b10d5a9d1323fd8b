//! The steps of `check`, in the order in which they run.

mod alone;
mod cargo;
mod clean;
mod deps;
mod manifests;
mod msrv;
mod outside;
mod package;
pub(crate) mod props;
mod python;
pub(crate) mod schedules;
mod sentences;
pub(crate) mod snapshot;
mod step;
mod structure;

use crate::vectors;

pub(crate) use step::{Context, Outcome, Step};

/// All steps, the fastest first.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "every source file is formatted",
        run: cargo::fmt,
    },
    Step {
        name: "deps",
        about: "dependencies between crates run in their one direction",
        run: deps::step,
    },
    Step {
        name: "manifests",
        about: "versions, lints and package fields are inherited; top-level names are known",
        run: manifests::step,
    },
    Step {
        name: "structure",
        about: "no published crate defines two types of one name",
        run: structure::step,
    },
    Step {
        name: "msrv",
        about: "no dependency needs a newer Rust than the crate states",
        run: msrv::step,
    },
    Step {
        name: "clippy",
        about: "no warning on any target with every feature",
        run: cargo::clippy,
    },
    Step {
        name: "test",
        about: "unit and integration tests",
        run: cargo::test,
    },
    Step {
        name: "prop",
        about: "property tests, with more cases",
        run: props::step,
    },
    Step {
        name: "schedules",
        about: "concurrency, under randomised schedules",
        run: schedules::step,
    },
    Step {
        name: "doc-test",
        about: "the examples in the documentation",
        run: cargo::doc_test,
    },
    Step {
        name: "alone",
        about: "each published library crate alone, with and without features",
        run: alone::step,
    },
    Step {
        name: "rustdoc",
        about: "the documentation builds without a warning",
        run: cargo::rustdoc,
    },
    Step {
        name: "package",
        about: "each published crate can be published",
        run: package::step,
    },
    Step {
        name: "vectors",
        about: "the key vectors are what CPython computes",
        run: vectors::step,
    },
    Step {
        name: "sentences",
        about: "sentence vectors are what the Python libraries compute",
        run: sentences::step,
    },
    Step {
        name: "python",
        about: "the Python client's form, types, and tests against the real service",
        run: python::step,
    },
    Step {
        name: "outside",
        about: "a workspace elsewhere can use the crates by path",
        run: outside::step,
    },
    Step {
        name: "clean",
        about: "the steps before changed no file",
        run: clean::step,
    },
];
