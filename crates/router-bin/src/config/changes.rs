//! `[changes]`: invalidation by the changes that the database reports.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::units::Timeout;

/// Invalidation by the changes that the database reports.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChangesSettings {
    /// Whether the database is watched for changes by others. It needs a database:
    /// embedded demo data does not change.
    pub(crate) enabled: bool,
    /// How often a SQLite database is looked at.
    pub(crate) poll: Timeout,
    /// How old the changes may be that are not applied yet, before `when_behind`
    /// applies.
    pub(crate) max_lag: Timeout,
    /// How answers are cached while changes are not seen in time.
    pub(crate) when_behind: WhenBehind,
    /// Changes that other programs tell of in signed requests.
    pub(crate) webhook: WebhookSettings,
}

impl Default for ChangesSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            poll: Timeout::milliseconds::<25>(),
            max_lag: Timeout::seconds::<2>(),
            when_behind: WhenBehind::default(),
            webhook: WebhookSettings::default(),
        }
    }
}

/// How answers are cached while changes are not seen in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhenBehind {
    /// Not at all: every question is asked of the database.
    #[default]
    Bypass,
    /// By their TTL alone, as without changes.
    Ttl,
}

/// Changes that other programs tell of in signed requests.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WebhookSettings {
    /// Where the secrets are, each as `env:NAME` for an environment variable. A request
    /// is signed with any of them; none: there are no signed requests.
    pub(crate) secrets: Vec<WebhookSecret>,
    /// How far the time of a request may be from the time here.
    pub(crate) window: Timeout,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            secrets: Vec::new(),
            window: Timeout::seconds::<300>(),
        }
    }
}

/// The name of the environment variable that holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub(crate) struct WebhookSecret(String);

impl WebhookSecret {
    /// The name of the variable.
    pub(crate) fn variable(&self) -> &str {
        &self.0
    }
}

impl Serialize for WebhookSecret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("env:{}", self.0))
    }
}

impl<'de> Deserialize<'de> for WebhookSecret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.strip_prefix("env:") {
            Some(name) if !name.is_empty() => Ok(Self(name.to_owned())),
            // It may be the secret itself, so the error does not show it.
            _ => Err(D::Error::custom(
                "a secret is not written here; write \"env:NAME\" for the environment variable \
                 that holds it",
            )),
        }
    }
}
