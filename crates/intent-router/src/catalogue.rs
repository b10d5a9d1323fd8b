//! Intents as data: what can be asked, how it is recognised, kept and answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where an intent's answers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person's own records; cached per person and role.
    LiveData,
    /// Articles that are the same for everybody; cached once.
    KnowledgeBase,
}

/// Which text enters the cache key in the place of the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyMode {
    /// The message as it came, byte for byte.
    #[default]
    Message,
    /// The message with case, white space and closing punctuation folded.
    Normalised,
    /// The sorted `name=value` list of the slots found in the message.
    Slots,
}

/// A phrase that speaks for an intent, with its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phrase {
    /// One or more whole words.
    pub text: String,
    /// How strongly it speaks for the intent.
    pub weight: f64,
}

/// One query of an intent; its rows become the member `name` of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuerySpec {
    /// The member of the answer's data that the rows become.
    pub name: String,
    /// The query's text, with named parameters `:user_id`, `:user_role`,
    /// `:message`, `:terms` and one per slot of the intent.
    pub sql: String,
}

/// How a slot is found in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SlotSpec {
    /// An identifier: `#` stands for a digit, `@` for a letter, all else for itself.
    Pattern {
        /// Such as `CLM-####-######`.
        pattern: String,
    },
    /// A calendar date, as `YYYY-MM-DD`.
    Date,
    /// A month or a year, as `YYYY-MM` or `YYYY`.
    Period,
}

/// One intent, with everything that is known about it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Intent {
    /// Its name, such as `claim_status`.
    pub name: String,
    /// Where its answers come from.
    pub kind: Kind,
    /// The TTL class of its answers.
    pub class: String,
    /// Which text enters the cache key.
    pub key: KeyMode,
    /// Phrases that the keyword detector looks for.
    pub phrases: Vec<Phrase>,
    /// Realistic wordings, for training, checks and benchmarks.
    pub examples: Vec<String>,
    /// The names of its slots; each is defined in the catalogue's `[slots]`.
    pub slots: Vec<String>,
    /// The queries that answer it.
    pub queries: Vec<QuerySpec>,
    /// Templates of record tags, filled from each row, such as `claim:{claim_number}`.
    pub tags: Vec<String>,
}

/// All intents and slots of a business.
#[derive(Clone, Debug)]
pub struct Catalogue {
    intents: Vec<Intent>,
    slots: BTreeMap<String, SlotSpec>,
}
