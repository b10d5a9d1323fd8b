//! The catalogue itself. `parse.rs` and `lint.rs` add the functions that read and
//! check its text.

use std::collections::BTreeMap;
use std::sync::Arc;

use once_cell::sync::Lazy;

use super::guards::Guards;
use super::intent::{Intent, KeyMode, SlotSpec};
use super::lexicon::Lexicon;
use super::references::References;
use super::tables::TableSpec;

/// The intents, slots, tables and word lists of a business.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    pub(super) intents: Vec<Intent>,
    pub(super) slots: BTreeMap<String, SlotSpec>,
    pub(super) tables: BTreeMap<String, TableSpec>,
    pub(super) guards: Guards,
    pub(super) references: References,
    pub(super) out_of_scope: Vec<String>,
    /// Computed from the other fields.
    pub(super) lexicon: Arc<Lexicon>,
}

impl Catalogue {
    /// The size of the largest catalogue that is accepted, in bytes.
    pub const MAX_BYTES: usize = 4 << 20;

    pub(super) fn new(
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
    /// whose queries use the message gets `normalised` instead of `slots`, as no
    /// list of slots can replace the message.
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
            intent.key = match key {
                KeyMode::Slots if intent.reads_message() => KeyMode::Normalised,
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
            Catalogue::parse(include_str!("../catalogue.toml"))
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

    /// The examples to train a model of these intents on: each text with the name
    /// of its intent, `None` for a message out of scope. `Example::from` of
    /// `intent-train` takes such pairs.
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

    /// The definition of the slot of that name.
    pub fn slot(&self, name: &str) -> Option<&SlotSpec> {
        self.slots.get(name)
    }

    /// The tables that are declared, by their names in lower case.
    pub fn tables(&self) -> &BTreeMap<String, TableSpec> {
        &self.tables
    }

    /// The word lists of the guards.
    pub fn guards(&self) -> &Guards {
        &self.guards
    }

    /// The word lists for references to other people and to previous messages.
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
