//! `[cache.aside]`: look-ups whose callers compute what is missing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::{BodiesLimit, Count, Timeout};

/// The bounds of `/v1/cache/lookup` and of the permits that it gives.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AsideSettings {
    /// How many permits are held and look-ups wait at once, together; further ones are
    /// answered with 503.
    pub(crate) max_permits: Count<1, 1_000_000>,
    /// How many bytes these permits and look-ups may hold at once; a look-up beyond it
    /// is answered with 503.
    pub(crate) max_memory: BodiesLimit,
    /// How long a caller may take to fill; a look-up may ask for less. Then the permit
    /// passes to the next caller that waits.
    pub(crate) permit_deadline: Timeout,
    /// How long a look-up may wait for another caller's fill; at most half of
    /// `server.request_timeout` counts.
    pub(crate) max_wait: Timeout,
}

impl Default for AsideSettings {
    fn default() -> Self {
        Self {
            max_permits: Count::of::<4096>(),
            max_memory: BodiesLimit::kibibytes::<{ 16 * 1024 }>(),
            permit_deadline: Timeout::seconds::<30>(),
            max_wait: Timeout::seconds::<10>(),
        }
    }
}
