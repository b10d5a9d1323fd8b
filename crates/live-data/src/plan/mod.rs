//! A catalogue's queries, checked once: what all sources in SQL have in common.

mod answer;
mod failure;
mod input;
mod ownership;
mod redact;
mod terms;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use intent_router::{
    AnsweredBy, Ask, Intent, Principal, QuerySpec, Read, SourceError, TagTemplate,
};

pub(crate) use self::answer::{Answer, Bounds};
pub(crate) use self::failure::Failure;
use self::input::Input;
pub(crate) use self::input::Values;
use self::ownership::merge;
pub(crate) use self::ownership::{Bound, Declared, quoted, with};
pub(crate) use self::redact::without_values;
pub(crate) use self::terms::words;
#[cfg(all(test, feature = "sqlite"))]
pub(crate) use self::terms::{LONGEST_WORD, MOST_WORDS};
use crate::error::{OpenError, QueryFault};

/// The column that the look-up of members must return.
pub(crate) const MEMBER_ID: &str = "member_id";

/// What a database finds of a query.
pub(crate) struct Checked<S> {
    /// The statement to run.
    pub(crate) statement: S,
    pub(crate) columns: Vec<String>,
    /// The database's names of the statement's parameters, such as `:user_id`, in
    /// order.
    pub(crate) parameters: Vec<String>,
    pub(crate) reads: Vec<Read>,
}

/// One checked query.
#[derive(Debug)]
pub(crate) struct Query<S> {
    pub(crate) name: String,
    pub(crate) statement: S,
    pub(crate) columns: Vec<String>,
    /// The input of each of its parameters, in order.
    parameters: Vec<usize>,
}

impl<S> Query<S> {
    /// The values of its parameters, in order.
    pub(crate) fn bound<'v>(&self, values: &'v Values) -> impl Iterator<Item = Option<&'v str>> {
        let inputs = self.parameters.iter();
        inputs.map(|&input| values.get(input).and_then(Option::as_deref))
    }
}

/// The checked queries of one intent.
#[derive(Debug)]
pub(crate) struct Plan<S> {
    intent: String,
    inputs: Vec<Input>,
    pub(crate) queries: Vec<Query<S>>,
    tags: Vec<TagTemplate>,
    reads: Vec<Read>,
}

impl<S> Plan<S> {
    /// Checks an intent's queries and tags against the database for what the
    /// catalogue's own checks cannot know.
    pub(crate) fn of_intent(
        intent: &Intent,
        mut check: impl FnMut(&QuerySpec) -> Result<Checked<S>, QueryFault>,
    ) -> Result<Self, OpenError> {
        let mut plan = Self::empty(&intent.name);
        for spec in &intent.queries {
            let fault = |fault| OpenError::Query {
                intent: intent.name.clone(),
                query: spec.name.clone(),
                fault,
            };
            if spec.name == answer::TRUNCATED {
                return Err(fault(QueryFault::ReservedName));
            }
            let checked = check(spec).map_err(fault)?;
            plan.add(&spec.name, checked, &spec.parameters())
                .map_err(fault)?;
        }
        // A caller or an HTTP back end names the records itself.
        let by_queries = intent.answered_by == AnsweredBy::Source && intent.http.is_none();
        for tag in intent.tags.iter().filter(|_| by_queries) {
            let fills = |query: &Query<S>| {
                let mut columns = tag.names();
                columns.all(|column| query.columns.iter().any(|name| name == column))
            };
            if !plan.queries.iter().any(fills) {
                return Err(OpenError::Tag {
                    intent: intent.name.clone(),
                    tag: tag.to_string(),
                });
            }
            plan.tags.push(tag.clone());
        }
        Ok(plan)
    }

    /// Checks the query that looks members up.
    pub(crate) fn of_member(
        check: impl FnOnce(&BTreeSet<&str>) -> Result<Checked<S>, QueryFault>,
    ) -> Result<Self, OpenError> {
        let mut plan = Self::empty("member lookup");
        let allowed = BTreeSet::from(["user_id", "user_role"]);
        let added = check(&allowed).and_then(|checked| plan.add("profile", checked, &allowed));
        added.map_err(OpenError::Profile)?;
        let mut columns = plan.queries.iter().flat_map(|query| &query.columns);
        if !columns.any(|column| column == MEMBER_ID) {
            return Err(OpenError::Profile(QueryFault::MissingColumn(MEMBER_ID)));
        }
        Ok(plan)
    }

    fn empty(intent: &str) -> Self {
        Self {
            intent: intent.to_owned(),
            inputs: Vec::new(),
            queries: Vec::new(),
            tags: Vec::new(),
            reads: Vec::new(),
        }
    }

    fn add(
        &mut self,
        name: &str,
        checked: Checked<S>,
        allowed: &BTreeSet<&str>,
    ) -> Result<(), QueryFault> {
        let mut seen = BTreeSet::new();
        let mut columns = checked.columns.iter();
        if let Some(twice) = columns.find(|column| !seen.insert(column.as_str())) {
            return Err(QueryFault::DuplicateColumn(twice.clone()));
        }
        let mut parameters = Vec::with_capacity(checked.parameters.len());
        for parameter in checked.parameters {
            let Some(input) = Input::of(&parameter, allowed) else {
                return Err(QueryFault::UnknownParameter(parameter));
            };
            let known = self.inputs.iter().position(|known| *known == input);
            parameters.push(known.unwrap_or(self.inputs.len()));
            if known.is_none() {
                self.inputs.push(input);
            }
        }
        for read in checked.reads {
            merge(&mut self.reads, read);
        }
        self.queries.push(Query {
            name: name.to_owned(),
            statement: checked.statement,
            columns: checked.columns,
            parameters,
        });
        Ok(())
    }

    /// What the queries read.
    pub(crate) fn reads(&self) -> &[Read] {
        &self.reads
    }

    /// An empty answer to the intent's questions.
    pub(crate) fn answer(&self, bounds: Bounds) -> Answer<'_> {
        Answer::new(&self.tags, bounds)
    }

    /// The part of a question that the queries need; nothing else is copied. `terms`
    /// writes words as a full-text query of the database.
    pub(crate) fn values(&self, ask: &Ask<'_>, terms: fn(&str) -> String) -> Values {
        let inputs = self.inputs.iter();
        inputs.map(|input| input.value(ask, terms)).collect()
    }

    /// The part of a principal that the look-up of members needs.
    pub(crate) fn member_values(&self, who: &Principal) -> Values {
        let inputs = self.inputs.iter();
        inputs.map(|input| input.member_value(who)).collect()
    }

    /// The values of a look-up of a member that nobody is.
    pub(crate) fn nobody(&self) -> Values {
        vec![Some(String::new()); self.inputs.len()]
    }

    /// The number of statements per question. No catalogue has so many queries
    /// that it does not fit.
    pub(crate) fn calls(&self) -> u32 {
        u32::try_from(self.queries.len()).unwrap_or(u32::MAX)
    }

    /// The error of a query that failed.
    pub(crate) fn query_error(&self, query: &str, reason: String) -> SourceError {
        SourceError::Query {
            intent: self.intent.clone(),
            query: query.to_owned(),
            reason,
        }
    }
}

/// The error of a question about an intent that a source has no plan for.
pub(crate) fn unknown_intent(name: &str) -> SourceError {
    SourceError::Query {
        intent: name.to_owned(),
        query: String::new(),
        reason: "the intent is not in the catalogue that the source was opened with".to_owned(),
    }
}

/// How many statements a connection should keep prepared for a catalogue.
#[cfg(feature = "sqlite")]
pub(crate) fn statements(catalogue: &intent_router::Catalogue) -> usize {
    let intents = catalogue.intents().iter();
    intents.map(|intent| intent.queries.len()).sum::<usize>() + 1
}

/// Counts the database calls of a source, whether or not they succeed.
#[derive(Debug, Default)]
pub(crate) struct Calls(AtomicU64);

impl Calls {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
