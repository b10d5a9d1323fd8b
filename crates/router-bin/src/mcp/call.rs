//! One call of a tool: its arguments as a question, and the answer as its result.

use std::collections::BTreeMap;
use std::time::Duration;

use intent_router::{CacheOutcome, Catalogue, Intent, RouteError, Routed, Source};
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, MetaObject};
use serde_json::{Value, json};

use super::tools::{MESSAGE, slots};

/// The member of a result's `_meta` that says what the cache did. MCP has such hints
/// for lists and resources, but none for calls of tools.
const CACHE: &str = "org.example.response-cache/cache";

/// The most bytes of the names and values of all arguments but the message.
const MOST_BYTES: usize = 4 << 10;

/// The arguments of a call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    pub(super) message: String,
    /// `None` if the message alone asks, and is read for slots.
    pub(super) slots: Option<BTreeMap<String, String>>,
}

impl Arguments {
    /// Reads the arguments of a tool. `null` counts as absent.
    ///
    /// # Errors
    /// What is wrong, in words for the agent. Values are checked when they are routed.
    pub(super) fn read(
        given: JsonObject,
        intent: &Intent,
        catalogue: &Catalogue,
        max_message: usize,
    ) -> Result<Self, String> {
        let known: Vec<_> = slots(intent, catalogue).map(|(name, _)| name).collect();
        let mut message = None;
        let mut read = BTreeMap::new();
        let mut bytes = 0;
        for (name, value) in given {
            let is_message = name == MESSAGE && intent.reads_message();
            if !is_message && !known.contains(&name.as_str()) {
                return Err(unknown(&name, &known, intent));
            }
            match value {
                Value::Null => {}
                Value::String(text) if is_message => {
                    if text.len() > max_message {
                        let length = text.len();
                        return Err(format!(
                            "`{MESSAGE}` has {length} bytes; at most {max_message} are allowed"
                        ));
                    }
                    message = Some(text);
                }
                Value::String(text) => {
                    bytes += name.len() + text.len();
                    read.insert(name, text);
                }
                _ => return Err(format!("`{name}` must be a string")),
            }
        }
        if bytes > MOST_BYTES {
            return Err(format!(
                "the arguments have {bytes} bytes; at most {MOST_BYTES} are allowed"
            ));
        }
        let speaks_alone = message.is_some() && read.is_empty();
        Ok(Self {
            message: message.unwrap_or_default(),
            slots: (!speaks_alone).then_some(read),
        })
    }
}

fn unknown(name: &str, known: &[&str], intent: &Intent) -> String {
    let message = intent.reads_message().then_some(MESSAGE);
    let known: Vec<_> = known.iter().copied().chain(message).collect();
    let name: String = name.chars().take(64).collect();
    match known.as_slice() {
        [] => format!("unknown argument `{name}`; this tool takes none"),
        known => format!("unknown argument `{name}`; known are {}", known.join(", ")),
    }
}

/// An error of the tool, which the agent reads.
pub(super) fn refused(why: String) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(why)])
}

/// The result of a failed call.
pub(super) fn failed(error: &RouteError) -> CallToolResult {
    refused(match error {
        RouteError::Conversation(wrong) => wrong.to_string(),
        RouteError::Source(error) => format!("{}; try again later", error.general()),
        other => other.to_string(),
    })
}

/// The result of an answered call. An answer without records, such as that there is no
/// such member, is an error of the tool. Answers of the intent are valid for `ttl`.
pub(super) fn answered(routed: &Routed, ttl: Duration) -> CallToolResult {
    let json = routed.answer.json();
    let content = vec![ContentBlock::text(json)];
    let mut result = match routed.answer.source() {
        Source::Fallback => CallToolResult::error(content),
        _ => CallToolResult::success(content),
    };
    // Too deep to be parsed: the text is all there is.
    result.structured_content = serde_json::from_str(json).ok();
    result.with_meta(Some(meta(routed.cache, ttl)))
}

/// What the cache did, with the names that MCP has for caching hints.
fn meta(cache: CacheOutcome, ttl: Duration) -> MetaObject {
    let left = match cache {
        CacheOutcome::Hit { remaining, .. } => remaining,
        CacheOutcome::Miss { stored: true, .. } => ttl,
        _ => Duration::ZERO,
    };
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let hints = json!({
        "ttlMs": millis(left),
        "cacheScope": "private",
        "ageMs": millis(cache.age().unwrap_or_default()),
        "status": cache.cache_status().to_string(),
    });
    let mut meta = MetaObject::default();
    meta.insert(CACHE.to_owned(), hints);
    meta
}
