//! The positions of a catalogue's parts in its text.
//!
//! A [`Catalogue`] does not keep its text. Checks after parsing look up positions
//! here.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::definition::Catalogue;
use super::diagnostic::{CatalogueError, Diagnostic, LineColumn, LineIndex};

/// The positions of the parts of a valid catalogue in its text, for problems
/// found after parsing, such as a query that does not fit the database.
///
/// ```
/// use intent_router::{CatalogueSpans, Diagnostic};
///
/// let text = r#"
/// [[intent]]
/// name = "loans"
/// kind = "live_data"
/// phrases = ["my loans"]
///
/// [[intent.query]]
/// name = "loans"
/// sql = "SELECT title FROM lones WHERE member_id = :user_id"
/// "#;
/// let spans = CatalogueSpans::of(text)?;
/// let problem = Diagnostic::error("no such table: lones");
/// assert_eq!(
///     spans.at_query("loans", "loans", problem).to_string(),
///     r#"line 7, column 1: intent[0] "loans" query[0]: no such table: lones"#
/// );
/// # Ok::<(), intent_router::CatalogueError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CatalogueSpans {
    catalogue: Catalogue,
    lines: LineIndex,
    pub(super) intents: Vec<IntentSpans>,
    /// The tables by name, each with the offset of its name.
    tables: Vec<(String, usize)>,
}

/// The byte offsets of an intent and its parts, each list in the order of the
/// intent's own.
#[derive(Clone, Debug, Default)]
pub(super) struct IntentSpans {
    pub(super) at: usize,
    pub(super) phrases: Vec<usize>,
    pub(super) examples: Vec<usize>,
    pub(super) slots: Vec<usize>,
    tags: Vec<usize>,
    queries: Vec<usize>,
}

impl CatalogueSpans {
    /// The spans of a catalogue. Costs as much as parsing it twice.
    ///
    /// # Errors
    /// As [`Catalogue::parse`].
    pub fn of(toml: &str) -> Result<Self, CatalogueError> {
        let catalogue = Catalogue::parse(toml)?;
        // A valid catalogue has every element of the document, so the indices
        // of both agree.
        let (document, _) = DeTable::parse_recoverable(toml);
        let intents = elements(document.get_ref(), "intent");
        Ok(Self {
            intents: intents.map(IntentSpans::of).collect(),
            tables: names(document.get_ref(), "tables").collect(),
            lines: LineIndex::new(toml),
            catalogue,
        })
    }

    /// The catalogue whose spans these are.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Places a diagnostic at a query of an intent; at the intent or the text as
    /// a whole if there is no such query or intent.
    pub fn at_query(&self, intent: &str, query: &str, diagnostic: Diagnostic) -> Diagnostic {
        self.at_part(intent, diagnostic, |i, spans| {
            let queries = &self.catalogue.intents[i].queries;
            let n = queries.iter().position(|spec| spec.name == query)?;
            Some((format!("query[{n}]"), *spans.queries.get(n)?))
        })
    }

    /// Places a diagnostic at a tag of an intent, given by its template; at the
    /// intent or the text as a whole if there is no such tag or intent.
    pub fn at_tag(&self, intent: &str, tag: &str, diagnostic: Diagnostic) -> Diagnostic {
        self.at_part(intent, diagnostic, |i, spans| {
            let mut tags = self.catalogue.intents[i].tags.iter();
            let n = tags.position(|template| template.to_string() == tag)?;
            Some((format!("tags[{n}]"), *spans.tags.get(n)?))
        })
    }

    /// Places a diagnostic at a declared table; at the text as a whole if there is
    /// no such table.
    pub fn at_table(&self, table: &str, diagnostic: Diagnostic) -> Diagnostic {
        let (name, at) = self
            .tables
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(table))
            .map_or(("", 0), |(name, at)| (name.as_str(), *at));
        let path = match name {
            "" => String::new(),
            name => format!("tables.{name}"),
        };
        diagnostic.with_path(path).with_start(self.position(at))
    }

    fn at_part(
        &self,
        intent: &str,
        diagnostic: Diagnostic,
        find: impl FnOnce(usize, &IntentSpans) -> Option<(String, usize)>,
    ) -> Diagnostic {
        let mut intents = self.catalogue.intents.iter();
        let i = intents.position(|known| known.name == intent);
        match i.and_then(|i| Some((i, self.intents.get(i)?))) {
            None => diagnostic.with_start(self.position(0)),
            Some((i, spans)) => match find(i, spans) {
                None => self.in_intent(i, "", spans.at, diagnostic),
                Some((part, at)) => self.in_intent(i, &part, at, diagnostic),
            },
        }
    }

    /// Places a diagnostic at the part of an intent that starts at the offset
    /// `at`.
    pub(super) fn in_intent(
        &self,
        i: usize,
        part: &str,
        at: usize,
        diagnostic: Diagnostic,
    ) -> Diagnostic {
        let gap = if part.is_empty() { "" } else { " " };
        let name = &self.catalogue.intents[i].name;
        diagnostic
            .with_path(format!("intent[{i}] \"{name}\"{gap}{part}"))
            .with_start(self.position(at))
    }

    /// The position of a byte offset.
    pub(super) fn position(&self, at: usize) -> LineColumn {
        self.lines.position(at)
    }
}

impl IntentSpans {
    fn of(intent: &Spanned<DeValue<'_>>) -> Self {
        let DeValue::Table(table) = intent.get_ref() else {
            return Self::default();
        };
        let starts = |key| elements(table, key).map(|value| value.span().start);
        Self {
            at: intent.span().start,
            phrases: starts("phrases").collect(),
            examples: starts("examples").collect(),
            slots: starts("slots").collect(),
            tags: starts("tags").collect(),
            queries: starts("query").collect(),
        }
    }
}

/// The elements of an array; none if there is no array.
fn elements<'t>(
    table: &'t DeTable<'t>,
    key: &str,
) -> impl Iterator<Item = &'t Spanned<DeValue<'t>>> {
    let array = match table.get(key).map(|value| value.get_ref()) {
        Some(DeValue::Array(array)) => Some(array),
        _ => None,
    };
    array.into_iter().flat_map(|array| array.iter())
}

/// The keys of a table with their offsets; none if there is no table.
fn names<'t>(table: &'t DeTable<'t>, key: &str) -> impl Iterator<Item = (String, usize)> {
    let names = match table.get(key).map(|value| value.get_ref()) {
        Some(DeValue::Table(names)) => Some(names),
        _ => None,
    };
    let names = names.into_iter().flat_map(|names| names.iter());
    names.map(|(name, _)| (name.get_ref().to_string(), name.span().start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_part_is_placed_at_what_encloses_it() {
        let text = "# mine\n[[intent]]\nname = 'a'\nkind = 'live_data'\nphrases = ['a']\n\
                    tags = [\n'x:{y}',\n'z:{y}',\n]\n[[intent.query]]\nname = 'q'\nsql = 'x'\n";
        let spans = CatalogueSpans::of(text).expect("a catalogue");
        let check = |placed: Diagnostic, expect: &str| assert_eq!(placed.to_string(), expect);
        let bad = || Diagnostic::error("bad");
        check(
            spans.at_tag("a", "z:{y}", bad()),
            "line 8, column 1: intent[0] \"a\" tags[1]: bad",
        );
        check(
            spans.at_query("a", "q", bad()),
            "line 10, column 1: intent[0] \"a\" query[0]: bad",
        );
        check(
            spans.at_tag("a", "other", bad()),
            "line 2, column 1: intent[0] \"a\": bad",
        );
        check(
            spans.at_query("a", "other", bad()),
            "line 2, column 1: intent[0] \"a\": bad",
        );
        check(spans.at_query("b", "q", bad()), "line 1, column 1: bad");
        assert!(CatalogueSpans::of("name = 'a'").is_err());
    }
}
