//! The TTL classes of the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use cache_core::{Freshness, FreshnessError, TtlClass};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::units::{Ratio, Ttl, Window};

/// TTL classes by name.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Classes(BTreeMap<String, Class>);

impl Classes {
    /// All classes, sorted by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Class)> {
        self.0.iter().map(|(name, class)| (name.as_str(), class))
    }
}

impl Default for Classes {
    /// The standard classes with their TTLs.
    fn default() -> Self {
        let standard = intent_router::classes::standard();
        let class = |(handle, name): (TtlClass, Arc<str>)| {
            let class = Class {
                ttl: Ttl::new(standard.freshness(handle).ttl),
                ..Class::default()
            };
            (name.to_string(), class)
        };
        Self(standard.iter().map(class).collect())
    }
}

impl<'de> Deserialize<'de> for Classes {
    /// Adds the named classes to the standard ones. A standard class keeps the
    /// settings that are not named.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Leaves room for the classes of the catalogue among the store's 255.
        const MAX_NAMED: usize = 200;
        const MAX_NAME: usize = 64;
        let named = BTreeMap::<String, Class>::deserialize(deserializer)?;
        if named.len() > MAX_NAMED {
            return Err(D::Error::custom(format_args!(
                "{} classes are named; at most {MAX_NAMED} are allowed",
                named.len()
            )));
        }
        let wrong = |name: &str| {
            name.is_empty() || name.len() > MAX_NAME || name.contains(char::is_control)
        };
        if let Some(name) = named.keys().find(|name| wrong(name)) {
            return Err(D::Error::custom(format_args!(
                "invalid class name `{}`; use 1 to {MAX_NAME} printable characters",
                name.escape_debug()
            )));
        }
        let mut classes = Self::default();
        for (name, mut class) in named {
            let standard = classes.0.get(&name).and_then(|standard| standard.ttl);
            let default = || Ttl::new(Freshness::default().ttl);
            class.ttl = class.ttl.or(standard).or_else(default);
            classes.0.insert(name, class);
        }
        Ok(classes)
    }
}

/// How long the answers of a class are fresh, and whether they are served after
/// that. Everything but the TTL is off by default.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Class {
    /// An answer is served from the cache until it is older than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Ttl")]
    pub(crate) ttl: Option<Ttl>,
    /// How long after the TTL a stale answer is served while a newer one is fetched
    /// in the background; 0s: off.
    pub(crate) stale_while_revalidate: Window,
    /// How long after the TTL a stale answer is served if the source fails; 0s:
    /// off.
    pub(crate) stale_if_error: Window,
    /// How long the answer that there is no such member is cached; 0s: not cached.
    pub(crate) negative_ttl: Window,
    /// The largest part of the TTL by which the life of an answer is shortened, so
    /// that answers stored together do not expire together; 0: off.
    pub(crate) jitter: Ratio<1>,
    /// How eagerly an answer is refreshed before its TTL ends (the beta of XFetch):
    /// 1 is a good value, more is earlier; 0: off.
    pub(crate) early_refresh: Ratio<1000>,
}

impl Class {
    /// The store's policy for the class.
    ///
    /// # Errors
    /// Jitter or early refresh out of range; their types exclude it.
    pub(crate) fn freshness(&self) -> Result<Freshness, FreshnessError> {
        let freshness = Freshness::ttl(self.ttl.map_or(Freshness::default().ttl, Ttl::get))
            .with_stale_while_revalidate(self.stale_while_revalidate.get())
            .with_stale_if_error(self.stale_if_error.get())
            .with_jitter(self.jitter.get())?
            .with_early_refresh(self.early_refresh.get())?;
        let negative_ttl = self.negative_ttl.get();
        Ok(if negative_ttl.is_zero() {
            freshness
        } else {
            freshness.with_negative_ttl(negative_ttl)
        })
    }

    /// The names of the settings that are on and that detections ignore.
    pub(super) fn ignored_for_detections(&self) -> impl Iterator<Item = &'static str> {
        let on = |window: Window| !window.get().is_zero();
        let settings = [
            ("stale_while_revalidate", on(self.stale_while_revalidate)),
            ("stale_if_error", on(self.stale_if_error)),
            ("negative_ttl", on(self.negative_ttl)),
            ("early_refresh", self.early_refresh.get() > 0.0),
        ];
        settings
            .into_iter()
            .filter_map(|(name, is_on)| is_on.then_some(name))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_settings_of_a_class_are_its_policy() -> Result<(), FreshnessError> {
        let policy = |text: &str| {
            let class: Class = toml::from_str(text).expect("a class");
            class.freshness()
        };
        let seconds = Duration::from_secs;
        assert_eq!(policy("ttl = '9s'")?, Freshness::ttl(seconds(9)));
        let all = "
            ttl = '9s'
            stale_while_revalidate = '2s'
            stale_if_error = '3s'
            negative_ttl = '4s'
            jitter = 0.5
            early_refresh = 6
        ";
        let expect = Freshness::ttl(seconds(9))
            .with_stale_while_revalidate(seconds(2))
            .with_stale_if_error(seconds(3))
            .with_negative_ttl(seconds(4))
            .with_jitter(0.5)?
            .with_early_refresh(6.0)?;
        assert_eq!(policy(all)?, expect);
        Ok(())
    }
}
