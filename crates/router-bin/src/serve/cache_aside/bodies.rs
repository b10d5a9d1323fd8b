//! The bodies of cache-aside: what callers send, and what they get.

use std::collections::BTreeMap;
use std::time::Duration;

use cache_keys::CanonicalJson;
use intent_router::{
    CacheOutcome, CacheUse, Catalogue, Computed, FillPermit, Refusal, Request, Routed, Source,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::counters::Looked;
use super::permits::PermitId;
use crate::auth::{Caller, ClaimedUser};
use crate::serve::app::App;
use crate::serve::authorise::refused;
use crate::serve::body::Object;
use crate::serve::problem::Problem;
use crate::serve::route::{check_identity, check_message, check_slots, user_context};

/// The most tags of a fill, and the most bytes of one.
const MOST_TAGS: (usize, usize) = (256, 1 << 10);

/// The most bytes of the reason of a failure, which each waiter gets.
const MOST_REASON: usize = 1 << 10;

/// The memory of a permit without its texts, rounded up.
const PERMIT_BYTES: usize = 1 << 10;

/// A look-up.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookupBody {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    intent: Option<String>,
    /// Whom the body names; [`Caller::user`] says whether that counts.
    #[serde(deserialize_with = "user_context")]
    user_context: ClaimedUser,
    #[serde(default)]
    slots: Option<BTreeMap<String, String>>,
    #[serde(default)]
    wait: Option<f64>,
    #[serde(default)]
    deadline: Option<f64>,
}

impl Object for LookupBody {
    const EXPECTED: &'static str = "an object with `user_context` and `message` or `intent`";
}

/// A look-up that may be made.
pub(super) struct CheckedLookup {
    pub(super) request: Request,
    pub(super) slots: Option<BTreeMap<String, String>>,
    /// How long to wait for another caller, if the body says so.
    pub(super) wait: Option<Duration>,
    /// The time for a permit, if the body says so.
    pub(super) deadline: Option<Duration>,
    /// The memory that its permit takes.
    pub(super) bytes: usize,
}

impl LookupBody {
    /// Checks the members, and who may ask for whom.
    pub(super) fn asked(
        self,
        app: &App,
        catalogue: &Catalogue,
        caller: &Caller,
        cache_use: CacheUse,
    ) -> Result<CheckedLookup, Problem> {
        if self.message.is_none() && self.intent.is_none() {
            return Err(Problem::unprocessable(
                "nothing_asked",
                "the body has neither `message` nor `intent`; give one or both",
            ));
        }
        if let Some(name) = self
            .intent
            .as_deref()
            .filter(|n| catalogue.get(n).is_none())
        {
            // Shortened, as the text is the client's.
            let name: String = name.chars().take(64).collect();
            return Err(Problem::unprocessable(
                "unknown_intent",
                format!(
                    "`intent`: the catalogue has no intent `{}`",
                    name.escape_debug()
                ),
            ));
        }
        if self.slots.is_some() && self.intent.is_none() {
            return Err(Problem::unprocessable(
                "slots_without_intent",
                "`slots` are those of an intent; give `intent` too",
            ));
        }
        let message = self.message.unwrap_or_default();
        check_message(app, &message)?;
        let user = caller.user(self.user_context);
        let user = user.map_err(|refusal| refused(app, refusal, "/v1/cache/lookup"))?;
        check_identity(&user)?;
        if user.conversation.is_some() {
            return Err(Problem::unprocessable(
                "conversation_not_supported",
                "`user_context.conversation` is not read here; give `intent` and `slots`",
            ));
        }
        check_slots("slots", self.slots.iter().flatten())?;
        let names = [&user.user_id, &user.user_role].into_iter().flatten();
        let names: usize = names.map(|json| json.as_str().len()).sum();
        let slots = self.slots.iter().flatten();
        let slots: usize = slots
            .map(|(name, value)| 256 + name.len() + value.len())
            .sum();
        Ok(CheckedLookup {
            // Message, key text, and the copies of who asks in key and owner.
            bytes: PERMIT_BYTES + 3 * message.len() + 4 * names + 2 * slots,
            request: Request {
                message,
                user_context: user,
                forced_intent: self.intent,
                cache_use,
            },
            slots: self.slots,
            wait: self.wait.map(|s| seconds("wait", s)).transpose()?,
            deadline: self.deadline.map(|s| seconds("deadline", s)).transpose()?,
        })
    }
}

/// A time that only shortens another one, so that no number is too large.
fn seconds(member: &str, seconds: f64) -> Result<Duration, Problem> {
    if seconds < 0.0 {
        let detail = format!("`{member}` must be a number of seconds, 0 or more");
        return Err(Problem::unprocessable("invalid_members", detail));
    }
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// A fill.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FillBody {
    permit: String,
    data: Map<String, Value>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    ttl: Option<f64>,
    #[serde(default)]
    negative: bool,
}

impl Object for FillBody {
    const EXPECTED: &'static str = "an object with `permit`, and with an object as `data`";
}

impl FillBody {
    /// The permit's identifier, and the answer.
    pub(super) fn computed(self) -> Result<(String, Computed), Problem> {
        let (most, most_bytes) = MOST_TAGS;
        let longest = self.tags.iter().map(String::len).max().unwrap_or_default();
        if self.tags.len() > most || longest > most_bytes {
            let detail = format!(
                "`tags` has {} tags, the longest of {longest} bytes; at most {most} tags of \
                 {most_bytes} bytes are allowed",
                self.tags.len()
            );
            return Err(Problem::unprocessable("too_many_tags", detail));
        }
        let mut computed = Computed::new(Value::Object(self.data), self.tags);
        computed.ttl = self.ttl.map(|ttl| seconds("ttl", ttl)).transpose()?;
        computed.negative = self.negative;
        Ok((self.permit, computed))
    }
}

/// The end of a permit without an answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FailBody {
    permit: String,
    reason: String,
}

impl Object for FailBody {
    const EXPECTED: &'static str = "an object with `permit` and `reason`";
}

impl FailBody {
    pub(super) fn permit(&self) -> &str {
        &self.permit
    }

    pub(super) fn reason(&self) -> Result<&str, Problem> {
        let bytes = self.reason.len();
        if bytes <= MOST_REASON {
            return Ok(&self.reason);
        }
        let detail = format!("`reason` has {bytes} bytes; at most {MOST_REASON} are allowed");
        Err(Problem::unprocessable("reason_too_long", detail))
    }
}

/// The return of a permit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseBody {
    permit: String,
}

impl Object for ReleaseBody {
    const EXPECTED: &'static str = "an object with `permit`";
}

impl ReleaseBody {
    pub(super) fn permit(&self) -> &str {
        &self.permit
    }
}

/// A permit that a caller got.
#[derive(Serialize)]
pub(super) struct Granted {
    id: String,
    expires_in: f64,
}

impl Granted {
    pub(super) fn new(id: PermitId, time: Duration) -> Self {
        Self {
            id: id.to_string(),
            expires_in: time.as_secs_f64(),
        }
    }
}

/// What identifies the answer that a permit is for.
#[derive(Serialize)]
pub(super) struct Described {
    intent: String,
    confidence: f64,
    message: String,
    slots: BTreeMap<String, String>,
    doubtful: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    today: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<CanonicalJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_role: Option<CanonicalJson>,
}

/// What the permit's answer is to be computed from.
pub(super) fn describe(permit: &FillPermit) -> Described {
    let confidence = permit.confidence();
    permit.ask(|ask| Described {
        intent: ask.intent.name.clone(),
        confidence,
        message: ask.message.to_owned(),
        slots: ask
            .slots
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        doubtful: ask.doubtful,
        today: ask.today.map(|day| day.to_string()),
        user_id: ask.principal.map(|who| who.user_id().clone()),
        user_role: ask.principal.map(|who| who.role().clone()),
    })
}

/// The reply to a look-up or a failure.
#[derive(Serialize)]
pub(super) struct Reply<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'a RawValue>,
    /// Seconds since the answer was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<f64>,
    /// Seconds until it expires; negative if it is stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permit: Option<Granted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ask: Option<Described>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip)]
    looked: Looked,
}

impl<'a> Reply<'a> {
    fn new(looked: Looked) -> Self {
        Self {
            status: looked.as_str(),
            answer: None,
            age: None,
            ttl: None,
            permit: None,
            ask: None,
            reason: None,
            looked,
        }
    }

    /// A stored answer, or one that another caller has just filled.
    pub(super) fn answered(
        routed: &'a Routed,
        due: Option<(Granted, Described)>,
    ) -> Result<Self, Problem> {
        let (looked, age, ttl) = match routed.cache {
            CacheOutcome::Hit { age, remaining } => {
                (Looked::Fresh, Some(age), Some(remaining.as_secs_f64()))
            }
            CacheOutcome::Stale { age, overdue, .. } => {
                (Looked::Stale, Some(age), Some(-overdue.as_secs_f64()))
            }
            _ => (Looked::Fresh, None, None),
        };
        let looked = match routed.answer.source() {
            Source::Fallback => Looked::Negative,
            Source::LiveData | Source::KnowledgeBase => looked,
        };
        // The text was written by a serialiser.
        let answer = serde_json::from_str(routed.answer.json()).map_err(|error| {
            tracing::error!(%error, "a stored answer is not JSON");
            let detail = "a stored answer is not JSON, which is a bug of this program";
            Problem::new(http::StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
        })?;
        let (permit, ask) = due.unzip();
        Ok(Self {
            answer: Some(answer),
            age: age.map(|age| age.as_secs_f64()),
            ttl,
            permit,
            ask,
            ..Self::new(looked)
        })
    }

    pub(super) fn permit(granted: Granted, described: Described) -> Self {
        Self {
            permit: Some(granted),
            ask: Some(described),
            ..Self::new(Looked::Permit)
        }
    }

    pub(super) fn in_flight() -> Self {
        Self::new(Looked::InFlight)
    }

    pub(super) fn failed(reason: &'a str) -> Self {
        Self {
            reason: Some(reason),
            ..Self::new(Looked::Failed)
        }
    }

    pub(super) fn bypass(reason: &'a str) -> Self {
        Self {
            reason: Some(reason),
            ..Self::new(Looked::Bypass)
        }
    }

    pub(super) fn looked(&self) -> Looked {
        self.looked
    }
}

/// The reply to a fill.
#[derive(Serialize)]
pub(super) struct Stored {
    pub(super) stored: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl From<Result<(), Refusal>> for Stored {
    fn from(stored: Result<(), Refusal>) -> Self {
        let reason = stored.err().map(|refusal| match refusal {
            Refusal::Invalidated => "invalidated",
            Refusal::Superseded => "superseded",
            Refusal::TooLarge => "too_large",
            Refusal::TooManyTags => "too_many_tags",
            Refusal::NoNegatives => "no_negative_ttl",
            // Only while caching is off.
            Refusal::Shared => "caching_off",
            _ => "refused",
        });
        Self {
            stored: reason.is_none(),
            reason,
        }
    }
}
