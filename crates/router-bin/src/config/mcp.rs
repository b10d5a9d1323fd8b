//! `[mcp]`: the intents as tools of agents, over HTTP.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The intents as tools of agents, by the Model Context Protocol over HTTP.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct McpSettings {
    /// Whether `POST /mcp` answers. `router mcp` does in any case.
    pub(crate) enabled: bool,
}
