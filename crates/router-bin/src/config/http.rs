//! `[source.http]`: the HTTP back end that answers intents by requests.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::units::{BodyLimit, Count, Responses, Timeout};
use super::web::HeaderField;

/// The HTTP back end that answers the intents with a request.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HttpSettings {
    /// The URL of a back end in addition to a database: `http://` or `https://`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// Headers of every request. `${NAME}` in a value is the environment variable
    /// NAME.
    pub(crate) headers: BTreeMap<String, HeaderText>,
    /// The header that names the user who asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_header: Option<HeaderField>,
    /// The header that names the role of the user who asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role_header: Option<HeaderField>,
    /// How long opening a connection may take.
    pub(crate) connect_timeout: Timeout,
    /// The largest body of a response.
    pub(crate) max_response: BodyLimit,
    /// How often a request that may be repeated is sent again after a failure.
    pub(crate) retries: Count<0, 10>,
    /// The memory for responses with an ETag, which the back end need not send again
    /// while they are current; `0B`: none are kept.
    pub(crate) revalidate: Responses,
    /// The path below the URL that tells whether the back end is ready; absent: it is
    /// not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) health: Option<String>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            url: None,
            headers: BTreeMap::new(),
            user_header: None,
            role_header: None,
            connect_timeout: Timeout::seconds::<1>(),
            max_response: BodyLimit::kibibytes::<1024>(),
            retries: Count::of::<1>(),
            revalidate: Responses::kibibytes::<{ 8 << 10 }>(),
            health: None,
        }
    }
}

/// The value of a header, with names of environment variables. It is shown only if it
/// has one, as it may hold a secret otherwise.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct HeaderText(String);

impl HeaderText {
    /// The value, with each `${NAME}` replaced by what `variable` returns for it.
    ///
    /// # Errors
    /// Those of `variable`; `None` for a `${` without a `}`.
    pub(crate) fn filled<E>(
        &self,
        mut variable: impl FnMut(&str) -> Result<String, E>,
    ) -> Result<String, Option<E>> {
        let mut text = String::new();
        let mut rest = self.0.as_str();
        while let Some((before, tail)) = rest.split_once("${") {
            let (name, after) = tail.split_once('}').ok_or(None)?;
            text.push_str(before);
            text.push_str(&variable(name).map_err(Some)?);
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }

    /// The text as it may be shown.
    pub(crate) fn shown(&self) -> &str {
        if self.0.contains("${") {
            &self.0
        } else {
            "***"
        }
    }
}

impl Serialize for HeaderText {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.shown())
    }
}

impl std::fmt::Debug for HeaderText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_and_their_names_shown() {
        let filled = |text: &str| {
            let variable = |name: &str| match name {
                "A" => Ok("1".to_owned()),
                name => Err(name.to_owned()),
            };
            HeaderText(text.to_owned()).filled(variable)
        };
        assert_eq!(filled("plain $ {A}"), Ok("plain $ {A}".to_owned()));
        assert_eq!(filled("Bearer ${A}${A}."), Ok("Bearer 11.".to_owned()));
        assert_eq!(filled("${B}"), Err(Some("B".to_owned())));
        assert_eq!(filled("${A"), Err(None));
        assert_eq!(HeaderText("Bearer ${A}".to_owned()).shown(), "Bearer ${A}");
        assert_eq!(HeaderText("Bearer x".to_owned()).shown(), "***");
    }
}
