//! Intents as data: what can be asked, how it is recognised, kept and answered.
//!
//! A [`Catalogue`] is read from one TOML file, so that another business
//! replaces the file and writes no Rust; [`Catalogue::built_in`] is that of a
//! workers' compensation fund. The file's keys are described in
//! `docs/catalogue.md`.

mod diagnostic;
mod fingerprint;
mod guards;
mod lexicon;
mod lint;
mod parse;
mod references;
mod spans;
mod sql;
mod tables;
mod template;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use once_cell::sync::Lazy;
use serde::{Deserialize, Serialize};

pub use diagnostic::{CatalogueError, Diagnostic, LineColumn, LineIndex, Severity, SourceSpan};
pub(crate) use fingerprint::Fingerprint;
pub use guards::Guards;
pub(crate) use lexicon::{Lexicon, Role, Word};
pub use references::References;
pub(crate) use references::{ReferenceWords, Relation};
pub use spans::CatalogueSpans;
pub use tables::{TableSpec, Tie};
pub use template::{TagTemplate, TemplateError};

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
    /// The name of the kind in the catalogue, which is also the name of the
    /// TTL class that its intents have unless they name another.
    pub fn name(self) -> &'static str {
        match self {
            Self::LiveData => "live_data",
            Self::KnowledgeBase => "knowledge_base",
        }
    }
}

/// Which text enters the cache key in the place of the message.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum KeyMode {
    /// The message as it came, byte for byte.
    #[default]
    Message,
    /// The message with case, white space and closing punctuation folded
    /// ([`normalise`](crate::text::normalise)).
    Normalised,
    /// The sorted `name=value` list of the slots found in the message
    /// ([`Slots::key_text`](crate::slots::Slots::key_text)); or the message, where
    /// there is more to it ([`Guard`](crate::slots::Guard)).
    Slots,
}

/// A phrase that speaks for an intent, with its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phrase {
    /// One or more whole words.
    pub text: String,
    /// How strongly it speaks for the intent; finite and above 0.
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
}

impl QuerySpec {
    /// The names after `:` in the query's text, outside of strings, quoted
    /// names and comments; sorted. Costs a pass over the text.
    ///
    /// [`Catalogue::parse`] accepts only those that the queries of the intent
    /// may use. It knows no database's dialect in full, so a source refuses a
    /// query in which its database finds a parameter that is not among these.
    ///
    /// ```
    /// use intent_router::QuerySpec;
    ///
    /// let query = QuerySpec {
    ///     name: "claims".to_owned(),
    ///     sql: "SELECT ':no' AS text FROM claims WHERE member_id = :user_id".to_owned(),
    /// };
    /// assert!(query.parameters().into_iter().eq(["user_id"]));
    /// ```
    pub fn parameters(&self) -> BTreeSet<&str> {
        sql::parameters(&self.sql)
    }

    /// Whether it depends on the words of the message.
    fn uses_message(&self) -> bool {
        let parameters = self.parameters();
        sql::MESSAGE_PARAMETERS
            .iter()
            .any(|name| parameters.contains(name))
    }
}

impl Intent {
    /// Whether a query reads the day on which it is asked. Costs a pass over
    /// the text of each.
    pub(crate) fn reads_today(&self) -> bool {
        let mut queries = self.queries.iter();
        queries.any(|query| query.parameters().contains(sql::TODAY))
    }
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
    /// A year as `YYYY`, or months as `YYYY-MM`.
    Period,
    /// Days in a row, such as a week, as `YYYY-MM-DD/YYYY-MM-DD`: the first and
    /// the last of them.
    Range,
    /// An amount of money, as `1234.5 EUR`.
    Amount {
        /// The codes of the currencies, with the signs and words for each.
        currencies: BTreeMap<String, Vec<String>>,
        /// What sets decimals apart where a number can be read in two ways:
        /// `.` or `,`.
        decimal: char,
    },
    /// One of a list of values.
    Enum {
        /// The values, with the words and phrases for each.
        values: BTreeMap<String, Vec<String>>,
    },
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
    /// Whether it gives way to any other intent found in the same message, as
    /// a greeting in front of a question does.
    pub yields: bool,
    /// Phrases that the keyword detector looks for.
    pub phrases: Vec<Phrase>,
    /// Realistic wordings, for training, checks and benchmarks.
    pub examples: Vec<String>,
    /// Phrases of which each makes a message this intent's, whatever a trained
    /// model says; for the [combined detector](crate::CombinedDetector).
    pub overrule: Vec<String>,
    /// Phrases of which none stands in a message of this intent, whatever a
    /// trained model says; for the combined detector.
    pub veto: Vec<String>,
    /// Words and phrases that do not change what is asked, beside those of the
    /// phrases and those that stand in two examples; for the key mode `slots`.
    pub neutral: Vec<String>,
    /// The names of its slots; each is defined in the catalogue's `[slots]`.
    pub slots: Vec<String>,
    /// The queries that answer it.
    pub queries: Vec<QuerySpec>,
    /// Templates of record tags, filled from each row and from the message's
    /// slots, such as `claim:{claim_number}`.
    pub tags: Vec<TagTemplate>,
}

/// All intents and slots of a business.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    intents: Vec<Intent>,
    slots: BTreeMap<String, SlotSpec>,
    tables: BTreeMap<String, TableSpec>,
    guards: Guards,
    references: References,
    out_of_scope: Vec<String>,
    /// Made of all of the above.
    lexicon: Arc<Lexicon>,
}

impl Catalogue {
    /// The size of the largest catalogue that is accepted, in bytes.
    pub const MAX_BYTES: usize = 4 << 20;

    /// Reads and validates a whole catalogue.
    ///
    /// # Errors
    /// Every problem of the file at once, each with its path and line.
    ///
    /// ```
    /// use intent_router::Catalogue;
    ///
    /// let catalogue = Catalogue::parse(
    ///     r#"
    ///     [[intent]]
    ///     name = "opening_hours"
    ///     kind = "knowledge_base"
    ///     phrases = ["opening hours", { text = "when are you open", weight = 3 }]
    ///     "#,
    /// )?;
    /// assert_eq!(catalogue.intents().len(), 1);
    ///
    /// let error = Catalogue::parse("[[intent]]\nname = 'unknown'\nkind = 'cloud'").unwrap_err();
    /// assert_eq!(error.diagnostics().len(), 3);
    /// # Ok::<(), intent_router::CatalogueError>(())
    /// ```
    pub fn parse(toml: &str) -> Result<Self, CatalogueError> {
        parse::catalogue(toml)
    }

    /// What is allowed in a catalogue but deserves a second look, sorted by
    /// line: phrases that speak as strongly for two intents, intents that the
    /// [keyword detector](crate::KeywordDetector) cannot find, examples that are
    /// few, that it takes for another intent, or that are nearly those of
    /// another one, and slots that no example names. `docs/catalogue.md`
    /// describes every rule.
    ///
    /// Costs a few times as much as parsing, and the detection of every phrase
    /// and example.
    ///
    /// # Errors
    /// As [`Catalogue::parse`].
    ///
    /// ```
    /// use intent_router::Catalogue;
    ///
    /// let warnings = Catalogue::lint(
    ///     r#"
    ///     [[intent]]
    ///     name = "opening_hours"
    ///     kind = "knowledge_base"
    ///     phrases = [{ text = "open", weight = 0.5 }]
    ///     "#,
    /// )?;
    /// assert!(warnings[0].message.contains("cannot be found by its phrases"));
    /// # Ok::<(), intent_router::CatalogueError>(())
    /// ```
    pub fn lint(toml: &str) -> Result<Vec<Diagnostic>, CatalogueError> {
        lint::lint(toml)
    }

    fn new(
        intents: Vec<Intent>,
        slots: BTreeMap<String, SlotSpec>,
        tables: BTreeMap<String, TableSpec>,
        guards: Guards,
        references: References,
        out_of_scope: Vec<String>,
    ) -> Self {
        let lexicon = Arc::new(Lexicon::new(&intents, &slots, &guards, &references));
        Self {
            intents,
            slots,
            tables,
            guards,
            references,
            out_of_scope,
            lexicon,
        }
    }

    /// The same catalogue with `key` as the key mode of every intent. An intent
    /// whose queries use the message, which no slot list can stand for, gets
    /// `normalised` in the place of `slots`.
    ///
    /// ```
    /// use intent_router::{Catalogue, KeyMode};
    ///
    /// let exact = Catalogue::built_in().with_key(KeyMode::Message);
    /// assert!(exact.intents().iter().all(|intent| intent.key == KeyMode::Message));
    /// ```
    pub fn with_key(&self, key: KeyMode) -> Self {
        let mut catalogue = self.clone();
        for intent in &mut catalogue.intents {
            let uses_message = intent.queries.iter().any(QuerySpec::uses_message);
            intent.key = match key {
                KeyMode::Slots if uses_message => KeyMode::Normalised,
                key => key,
            };
        }
        catalogue
    }

    /// The twelve intents of a workers' compensation fund.
    pub fn built_in() -> &'static Self {
        // The text is part of the program, and a test parses it: a build in
        // which this could fail does not pass its tests.
        static BUILT_IN: Lazy<Catalogue> = Lazy::new(|| {
            Catalogue::parse(include_str!("catalogue.toml"))
                .expect("the built-in catalogue is valid")
        });
        &BUILT_IN
    }

    /// The intent of that name. Costs a pass over the intents' names.
    pub fn get(&self, name: &str) -> Option<&Intent> {
        self.intents.iter().find(|intent| intent.name == name)
    }

    /// All intents, in the order of the file.
    pub fn intents(&self) -> &[Intent] {
        &self.intents
    }

    /// Messages that belong to no intent, which teach a trained model to
    /// abstain; never an intent's examples.
    pub fn out_of_scope(&self) -> &[String] {
        &self.out_of_scope
    }

    /// The examples to train a model of these intents on: each text with the
    /// name of its intent, `None` for a message out of scope. The `Example`s of
    /// `intent-train` are made of such pairs.
    ///
    /// ```
    /// use intent_router::{Catalogue, LinearDetector};
    /// use intent_train::{Example, TrainOptions, train};
    ///
    /// let catalogue = Catalogue::parse(
    ///     r#"
    ///     out_of_scope = ["will it rain"]
    ///     [[intent]]
    ///     name = "loans"
    ///     kind = "live_data"
    ///     examples = ["which books do I have", "when are my books due back"]
    ///     [[intent]]
    ///     name = "hours"
    ///     kind = "knowledge_base"
    ///     examples = ["when are you open", "opening hours"]
    ///     "#,
    /// )?;
    /// let examples: Vec<Example> = catalogue.training_examples().map(Example::from).collect();
    /// let model = train(&examples, &TrainOptions::default(), &mut |_| {})?;
    /// let detector = LinearDetector::new(model, None)?;
    /// assert_eq!(detector.best("my books").intent, "loans");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn training_examples(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let in_scope = self.intents.iter().flat_map(|intent| {
            let texts = intent.examples.iter();
            texts.map(|text| (text.as_str(), Some(intent.name.as_str())))
        });
        let out_of_scope = self.out_of_scope.iter();
        in_scope.chain(out_of_scope.map(|text| (text.as_str(), None)))
    }

    /// How the slot of that name is found.
    pub fn slot(&self, name: &str) -> Option<&SlotSpec> {
        self.slots.get(name)
    }

    /// The tables that are declared, by their names in lower case.
    pub fn tables(&self) -> &BTreeMap<String, TableSpec> {
        &self.tables
    }

    /// What guards the key mode `slots`.
    pub fn guards(&self) -> &Guards {
        &self.guards
    }

    /// By which words a message is about another person, or goes on from
    /// another message.
    pub fn references(&self) -> &References {
        &self.references
    }

    pub(crate) fn lexicon(&self) -> &Lexicon {
        &self.lexicon
    }

    /// All slots, sorted by name.
    pub fn slots(&self) -> impl Iterator<Item = (&str, &SlotSpec)> {
        self.slots.iter().map(|(name, spec)| (name.as_str(), spec))
    }
}

#[cfg(test)]
mod tests;
