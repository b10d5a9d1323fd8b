//! One intent: how it is recognised, cached and answered.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::http::HttpSpec;
use super::sql;
use super::template::TagTemplate;

/// Where an intent's answers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A person's own records; cached per person and role.
    LiveData,
    /// Articles that are the same for everybody; cached once.
    KnowledgeBase,
}

impl Kind {
    /// The name of the kind in the catalogue, and of the default TTL class of its
    /// intents.
    pub fn name(self) -> &'static str {
        match self {
            Self::LiveData => "live_data",
            Self::KnowledgeBase => "knowledge_base",
        }
    }
}

/// Who answers the questions of an intent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredBy {
    /// The source of records, by the intent's queries.
    #[default]
    Source,
    /// The program that [looks the answer up](crate::Router::look_up) and fills it.
    /// The source is never asked.
    Caller,
}

/// The text that enters the cache key.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum KeyMode {
    /// The message, byte for byte.
    #[default]
    Message,
    /// The message with case, white space and closing punctuation folded
    /// ([`normalise`](crate::text::normalise)).
    Normalised,
    /// The sorted `name=value` list of the slots found in the message
    /// ([`Slots::key_text`](crate::slots::Slots::key_text)); or the message, if a
    /// [`Guard`](crate::slots::Guard) finds that it may say more than its slots.
    Slots,
}

/// A phrase that is evidence for an intent, with its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phrase {
    /// One or more whole words.
    pub text: String,
    /// The strength of the evidence; finite and above 0.
    pub weight: f64,
}

/// One query of an intent; its rows become the member `name` of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuerySpec {
    /// The member of the answer's data that the rows become.
    pub name: String,
    /// The query's text, with named parameters `:user_id`, `:user_role`,
    /// `:message`, `:terms`, `:doubtful`, `:today` and one per slot of the
    /// intent.
    pub sql: String,
    /// The text that a PostgreSQL source runs instead of `sql`, where the dialects
    /// differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgres: Option<String>,
}

impl QuerySpec {
    /// The names after `:` in the query's texts, outside of strings, quoted
    /// names and comments; sorted. Costs a pass over the texts.
    ///
    /// [`Catalogue::parse`](crate::Catalogue::parse) accepts only the parameters
    /// that the intent's queries may use. The scan follows no database's dialect
    /// in full, so a source refuses a query in which its database finds any other
    /// parameter.
    ///
    /// ```
    /// use intent_router::QuerySpec;
    ///
    /// let query = QuerySpec {
    ///     name: "claims".to_owned(),
    ///     sql: "SELECT ':no' AS text FROM claims WHERE member_id = :user_id".to_owned(),
    ///     postgres: None,
    /// };
    /// assert!(query.parameters().into_iter().eq(["user_id"]));
    /// ```
    pub fn parameters(&self) -> BTreeSet<&str> {
        self.texts().flat_map(sql::parameters).collect()
    }

    /// The query's texts in all dialects.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        [Some(&self.sql), self.postgres.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }
}

/// How a slot is found in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SlotSpec {
    /// An identifier: `#` matches a digit, `@` a letter, every other character
    /// itself.
    Pattern {
        /// Such as `CLM-####-######`.
        pattern: String,
    },
    /// A calendar date, as `YYYY-MM-DD`.
    Date,
    /// A year as `YYYY`, or months as `YYYY-MM`.
    Period,
    /// Days in a row, such as a week, as `YYYY-MM-DD/YYYY-MM-DD`: the first and
    /// the last of them.
    Range,
    /// An amount of money, as `1234.5 EUR`.
    Amount {
        /// The codes of the currencies, with the signs and words for each.
        currencies: BTreeMap<String, Vec<String>>,
        /// The decimal separator of numbers that can be read in two ways: `.` or
        /// `,`.
        decimal: char,
    },
    /// One of a list of values.
    Enum {
        /// The values, with the words and phrases for each.
        values: BTreeMap<String, Vec<String>>,
    },
}

impl SlotSpec {
    /// The form of a value, for messages and descriptions: `a date such as
    /// 2025-03-14`.
    pub fn form(&self) -> String {
        match self {
            Self::Pattern { pattern } => format!("an identifier of the form {pattern}"),
            Self::Date => "a date such as 2025-03-14".to_owned(),
            Self::Period => "a period such as 2025-03".to_owned(),
            Self::Range => "a period such as 2025-03 or 2025-03-01/2025-03-14".to_owned(),
            Self::Amount { .. } => "an amount with a currency".to_owned(),
            Self::Enum { values } => {
                let names: Vec<_> = values.keys().map(String::as_str).collect();
                format!("one of {}", names.join(", "))
            }
        }
    }
}

/// An intent of the catalogue.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Intent {
    /// Its name, such as `claim_status`.
    pub name: String,
    /// What it answers, in a sentence for programs that choose between intents.
    pub description: Option<String>,
    /// Where its answers come from.
    pub kind: Kind,
    /// Who answers it.
    pub answered_by: AnsweredBy,
    /// The TTL class of its answers.
    pub class: String,
    /// Which text enters the cache key.
    pub key: KeyMode,
    /// Whether it gives way to any other intent found in the same message, as
    /// a greeting in front of a question does.
    pub yields: bool,
    /// Phrases that the keyword detector looks for.
    pub phrases: Vec<Phrase>,
    /// Realistic wordings, for training, checks and benchmarks.
    pub examples: Vec<String>,
    /// Phrases that assign a message to this intent, whatever a trained model
    /// predicts; for the [combined detector](crate::CombinedDetector).
    pub overrule: Vec<String>,
    /// Phrases that exclude this intent, whatever a trained model predicts; for
    /// the combined detector.
    pub veto: Vec<String>,
    /// Words and phrases that do not change what is asked, in addition to the
    /// intent's phrases and the words that occur in two of its examples; for the
    /// key mode `slots`.
    pub neutral: Vec<String>,
    /// The names of its slots; each is defined in the catalogue's `[slots]`.
    pub slots: Vec<String>,
    /// The queries that answer it.
    pub queries: Vec<QuerySpec>,
    /// The request to an HTTP back end that answers it, in place of queries.
    pub http: Option<HttpSpec>,
    /// Templates of record tags, filled from each row and from the message's
    /// slots, such as `claim:{claim_number}`.
    pub tags: Vec<TagTemplate>,
}

impl Intent {
    /// Whether its answers may depend on the day on which they are made: whether a
    /// query or the HTTP request reads it, or a caller answers, who may do anything.
    /// Costs a pass over the text of each query.
    pub(crate) fn reads_today(&self) -> bool {
        if self.answered_by == AnsweredBy::Caller {
            return true;
        }
        self.reads(&[sql::TODAY])
    }

    /// Whether a query or the HTTP request uses the words of the message. Costs a pass
    /// over the text of each query.
    pub fn reads_message(&self) -> bool {
        self.reads(&sql::MESSAGE_PARAMETERS)
    }

    /// Whether a query or the HTTP request uses one of these parameters.
    fn reads(&self, parameters: &[&str]) -> bool {
        let by_query = |query: &QuerySpec| {
            let used = query.parameters();
            parameters.iter().any(|name| used.contains(name))
        };
        let by_http = |http: &HttpSpec| http.parameters().any(|name| parameters.contains(&name));
        self.queries.iter().any(by_query) || self.http.as_ref().is_some_and(by_http)
    }
}
