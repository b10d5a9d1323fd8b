//! The environment variables of the settings.
//!
//! A setting's variable is `ROUTER_`, then its path in upper case, joined by
//! `__`. Any other variable that begins with `ROUTER_` is reported: as an error
//! if it resembles a setting's, else as a warning. Ignored are only the variables
//! that the program reads elsewhere, and those that orchestrators set for
//! services whose name begins with "router".

use std::ffi::OsString;

use intent_router::Diagnostic;
use toml::Value;

use super::diagnostics::Origin;
use super::raw::{LATER, Setting};
use super::schema::{Keys, Known, dotted};
use super::spelling::distance;

/// The start of every setting's variable.
const PREFIX: &str = "ROUTER_";

/// Variables that are read elsewhere.
const OTHERS: [&str; 4] = [
    "ROUTER_CONFIG",
    "ROUTER_LOG",
    "ROUTER_MCP_ROLE",
    "ROUTER_MCP_USER_ID",
];

/// The settings in the environment, and what is wrong with its variables.
#[derive(Default)]
pub(super) struct Environment {
    pub(super) settings: Vec<Setting>,
    pub(super) errors: Vec<Diagnostic>,
    pub(super) warnings: Vec<Diagnostic>,
}

/// The environment variable of a setting.
pub(super) fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.to_uppercase().replace('.', "__"))
}

impl Environment {
    /// Reads the variables that begin with [`PREFIX`].
    pub(super) fn read(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        keys: &Keys,
    ) -> Self {
        let mut found = Self::default();
        let mut variables: Vec<_> = variables
            .into_iter()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value))
            .filter(|(name, _)| name.starts_with(PREFIX) && !OTHERS.contains(&&**name))
            .collect();
        variables.sort();
        let patterns: Vec<Pattern> = keys
            .settings()
            .iter()
            .map(|path| Pattern::of(path))
            .collect();
        for (name, value) in variables {
            found.take(name, value, keys, &patterns);
        }
        found
    }

    fn take(&mut self, name: String, value: OsString, keys: &Keys, patterns: &[Pattern]) {
        let origin = Origin::Environment(name.clone());
        let rest = &name[PREFIX.len()..];
        let mut path: Vec<String> = rest.split("__").map(str::to_lowercase).collect();
        let known = keys.find(&path);
        if known != Known::Setting {
            let joined = single(rest);
            if let Some(right) = patterns
                .iter()
                .filter_map(|pattern| pattern.fit(&joined))
                .max()
            {
                let right = right.variable;
                let error = Diagnostic::error("does not name a setting")
                    .with_remedy(format!("separate the parts of a path with `__`: {right}"));
                self.errors.push(origin.place("", error));
                return;
            }
            if is_orchestrated(rest) {
                return;
            }
            let first = joined.split('_').next().unwrap_or_default().to_lowercase();
            if LATER.contains(&&*first) {
                // The table is refused as a whole.
                path = vec![first];
            } else if known != Known::Table && !rest.contains("__") {
                self.report(origin, &name, &joined, patterns);
                return;
            }
        }
        match value.into_string() {
            Ok(text) => self.settings.push(Setting {
                value: Value::String(text),
                path,
                origin,
            }),
            Err(_) => {
                let error = Diagnostic::error("is not valid UTF-8");
                self.errors.push(origin.place(&dotted(&path), error));
            }
        }
    }

    /// Reports a variable that names no setting, however its parts are joined.
    fn report(&mut self, origin: Origin, name: &str, joined: &str, patterns: &[Pattern]) {
        let near = patterns.iter().filter_map(|pattern| pattern.near(joined));
        match near.min() {
            Some((_, meant)) => {
                let error = Diagnostic::error("does not name a setting")
                    .with_remedy(format!("did you mean {meant}?"));
                self.errors.push(origin.place("", error));
            }
            None => {
                let origin = Origin::Environment(name.escape_debug().to_string());
                let remedy = format!(
                    "the variable of `server.listen`, for example, is {}; `router config schema` lists the settings",
                    variable("server.listen"),
                );
                let warning = Diagnostic::warning("does not name a setting and is ignored");
                self.warnings
                    .push(origin.place("", warning.with_remedy(remedy)));
            }
        }
    }
}

/// The name with each run of underscores as one, and none at its ends.
fn single(name: &str) -> String {
    let parts: Vec<_> = name.split('_').filter(|part| !part.is_empty()).collect();
    parts.join("_")
}

/// Whether an orchestrator sets such a variable for a service whose name begins
/// with "router": `ROUTER_SERVICE_HOST`, `ROUTER_PORT_8080_TCP_ADDR`,
/// `ROUTER_ADMIN_SERVICE_PORT_HTTP`.
fn is_orchestrated(name: &str) -> bool {
    let parts: Vec<_> = name.split('_').collect();
    let ends = (0..parts.len()).map(|start| &parts[start..]);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mut ends = ends.map(|end| match end {
        ["SERVICE", "HOST"] | ["SERVICE", "PORT", ..] | ["PORT"] => true,
        ["PORT", number, "TCP" | "UDP" | "SCTP", rest @ ..] => {
            is_number(number) && matches!(rest, [] | ["PROTO" | "PORT" | "ADDR"])
        }
        _ => false,
    });
    ends.any(|is_such| is_such)
}

/// A setting's variable written with single underscores.
struct Pattern {
    /// The part before the name that the user chooses, or all of it.
    head: String,
    /// The part after that name, from its `_` on; `None` without such a name.
    tail: Option<String>,
    /// The variable, with `*` for that name.
    variable: String,
}

/// How a name fits a setting; the fit with the most fixed characters is the
/// greatest.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    fixed: usize,
    variable: String,
}

impl Pattern {
    fn of(path: &str) -> Self {
        let variable = variable(path);
        let joined = single(&variable[PREFIX.len()..]);
        let (head, tail) = match joined.split_once('*') {
            Some((head, tail)) => (head.to_owned(), Some(tail.to_owned())),
            None => (joined, None),
        };
        Self {
            head,
            tail,
            variable,
        }
    }

    /// The variable meant by a name with single underscores.
    fn fit(&self, joined: &str) -> Option<Fit> {
        let chosen = match &self.tail {
            None => return (joined == self.head).then(|| self.with("", joined.len())),
            Some(tail) => joined.strip_prefix(&*self.head)?.strip_suffix(&**tail)?,
        };
        let fixed = joined.len() - chosen.len();
        (!chosen.is_empty()).then(|| self.with(chosen, fixed))
    }

    fn with(&self, chosen: &str, fixed: usize) -> Fit {
        let variable = self.variable.replace('*', chosen);
        Fit { fixed, variable }
    }

    /// The variable that a misspelt name may mean, and its edit distance.
    fn near(&self, joined: &str) -> Option<(usize, String)> {
        let joints = |text: &str| text.matches('_').count();
        let (distance, chosen) = match &self.tail {
            None => (distance(joined, &self.head), ""),
            Some(tail) => {
                // As many parts as the head and the tail have.
                let head_joints = joints(&self.head).checked_sub(1)?;
                let tail_joints = joints(tail).checked_sub(1)?;
                let (head_end, _) = joined.match_indices('_').nth(head_joints)?;
                let (tail_start, _) = joined.rmatch_indices('_').nth(tail_joints)?;
                let chosen = joined.get(head_end + 1..tail_start)?;
                let to_head = distance(&joined[..=head_end], &self.head);
                let to_tail = distance(&joined[tail_start..], tail);
                (to_head.saturating_add(to_tail), chosen)
            }
        };
        let fixed = self.head.len() + self.tail.as_ref().map_or(0, String::len);
        let is_near = distance <= (fixed / 6).max(1);
        is_near.then(|| (distance, self.variable.replace('*', chosen)))
    }
}

#[cfg(test)]
mod tests;
