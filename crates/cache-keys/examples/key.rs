//! The key of a request given on the command line, and how it comes about.
//!
//! `cargo run -p cache-keys --example key -- INTENT MESSAGE [USER_ID [USER_ROLE]]`
//!
//! The user's identity and role are JSON values, such as `'"BEN-000001"'` or `42`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "its output is what it is for"
)]

use std::env;
use std::process::ExitCode;

use cache_keys::{CanonicalJson, KeyError, KeyParts, KeyScheme, Md5Scheme, canonical_text};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("no key: {error}");
            ExitCode::from(65)
        }
    }
}

fn run() -> Result<(), KeyError> {
    let mut args = env::args().skip(1);
    let intent = args.next().unwrap_or("claim_status".into());
    let message = args.next().unwrap_or("What is my claim status?".into());
    let mut field = || {
        args.next()
            .map(|json| CanonicalJson::parse(&json))
            .transpose()
    };
    let user_id = field().map_err(KeyError::UserId)?;
    let user_role = field().map_err(KeyError::UserRole)?;

    let parts = KeyParts {
        intent: &intent,
        user_id: user_id.as_ref().into(),
        user_role: user_role.as_ref().into(),
        message: &message,
    };
    println!("text   {}", canonical_text(&parts)?);
    let key = Md5Scheme::default().key(&parts)?;
    println!("digest {key}");
    println!("check  {:032x} (of this process alone)", key.check());
    Ok(())
}
