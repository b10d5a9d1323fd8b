//! Authentication as callers and operators meet it.

mod access;
mod dashboard;
mod identity;
mod issuer;
#[path = "../program/mod.rs"]
mod program;
mod setup;
mod start;
#[path = "../support/mod.rs"]
mod support;
