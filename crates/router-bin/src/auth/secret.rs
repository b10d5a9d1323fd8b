//! Reads secrets from files and environment variables.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use intent_router::Diagnostic;

/// The largest file of a secret that is read.
const MOST: u64 = 64 << 10;

/// Where a secret is kept.
pub(crate) enum Place<'a> {
    File(&'a Path),
    Variable(&'a str),
}

impl<'a> Place<'a> {
    /// The place that a pair of settings names.
    ///
    /// # Errors
    /// Both or neither is set, or the variable has a name that this program reads as a
    /// setting.
    pub(crate) fn of(
        names: [&str; 2],
        file: Option<&'a Path>,
        variable: Option<&'a str>,
    ) -> Result<Self, Diagnostic> {
        let [file_name, env_name] = names;
        match (file, variable) {
            (Some(file), None) => Ok(Self::File(file)),
            (None, Some(name)) if name.starts_with("ROUTER_") => {
                let message =
                    format!("`{env_name}` names {name}, and such variables hold settings");
                Err(Diagnostic::error(message)
                    .with_remedy("choose a name that does not begin with `ROUTER_`"))
            }
            (None, Some(name)) => Ok(Self::Variable(name)),
            (Some(_), Some(_)) => Err(Diagnostic::error(format!(
                "the secret is in `{file_name}` or in `{env_name}`, not in both"
            ))
            .with_remedy("remove one")),
            (None, None) => Err(
                Diagnostic::error("the secret is missing").with_remedy(format!(
                    "name its file with `{file_name}` or its environment variable with `{env_name}`"
                )),
            ),
        }
    }

    /// The secret, without the white space at its end that editors leave.
    ///
    /// # Errors
    /// It cannot be read. The error names the place and never shows the content.
    pub(crate) fn read(&self) -> Result<String, Diagnostic> {
        let text = match self {
            Self::File(path) => file(path)?,
            Self::Variable(name) => std::env::var(name).map_err(|error| {
                let why = match error {
                    std::env::VarError::NotPresent => "is not set",
                    std::env::VarError::NotUnicode(_) => "is not valid UTF-8",
                };
                Diagnostic::error(format!("the environment variable {name} {why}"))
                    .with_remedy("set it to the secret")
            })?,
        };
        Ok(text.trim_end().to_owned())
    }
}

/// The text of a bounded file.
pub(super) fn file(path: &Path) -> Result<String, Diagnostic> {
    let name = path.display();
    let mut text = Vec::new();
    // The read is bounded, so a device or a pipe cannot exhaust memory.
    File::open(path)
        .and_then(|file| file.take(MOST + 1).read_to_end(&mut text))
        .map_err(|error| {
            Diagnostic::error(format!("{name} cannot be read: {error}"))
                .with_remedy("name an existing, readable file")
        })?;
    if text.len() as u64 > MOST {
        let message = format!("{name} is larger than {} KiB", MOST >> 10);
        return Err(Diagnostic::error(message));
    }
    String::from_utf8(text).map_err(|_| Diagnostic::error(format!("{name} is not valid UTF-8")))
}
