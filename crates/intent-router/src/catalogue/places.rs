//! Where the parts of a catalogue stand in its text.
//!
//! A catalogue is data and knows no text. Whoever has something to say of a
//! part that the parser accepted looks its place up here.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Catalogue, CatalogueError, Problem};

/// Where the parts of a valid catalogue stand in its text, for problems that
/// show only when it is used: a query that does not fit the database.
///
/// ```
/// use intent_router::CataloguePlaces;
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
/// let places = CataloguePlaces::of(text)?;
/// let problem = places.query("loans", "loans", "no such table: lones");
/// assert_eq!(
///     problem.to_string(),
///     r#"intent[0] "loans" query[0]: no such table: lones (line 7)"#
/// );
/// # Ok::<(), intent_router::CatalogueError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Places {
    catalogue: Catalogue,
    line_starts: Vec<usize>,
    pub(super) intents: Vec<IntentPlaces>,
    /// The tables by name, each with where its name starts.
    tables: Vec<(String, usize)>,
}

/// Where the parts of an intent start, in bytes, each in the order of the
/// intent's own lists.
#[derive(Clone, Debug, Default)]
pub(super) struct IntentPlaces {
    pub(super) at: usize,
    pub(super) phrases: Vec<usize>,
    pub(super) examples: Vec<usize>,
    pub(super) slots: Vec<usize>,
    tags: Vec<usize>,
    queries: Vec<usize>,
}

impl Places {
    /// The places of a catalogue. Costs as much as parsing it twice.
    ///
    /// # Errors
    /// As [`Catalogue::parse`].
    pub fn of(toml: &str) -> Result<Self, CatalogueError> {
        let catalogue = Catalogue::parse(toml)?;
        // A valid catalogue left out none of what stands in the document, so
        // that the places in both are the same.
        let (document, _) = DeTable::parse_recoverable(toml);
        let intents = elements(document.get_ref(), "intent");
        let newlines = toml.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Ok(Self {
            intents: intents.map(IntentPlaces::of).collect(),
            tables: names(document.get_ref(), "tables").collect(),
            line_starts: newlines.map(|(i, _)| i + 1).collect(),
            catalogue,
        })
    }

    /// The catalogue whose places these are.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// A problem of a query of an intent. One that is not there has the place of
    /// the intent, or of the file.
    pub fn query(&self, intent: &str, query: &str, message: impl Into<String>) -> Problem {
        self.part(intent, message.into(), |i, places| {
            let queries = &self.catalogue.intents[i].queries;
            let n = queries.iter().position(|spec| spec.name == query)?;
            Some((format!("query[{n}]"), *places.queries.get(n)?))
        })
    }

    /// A problem of a tag of an intent, which is given by its template. One that
    /// is not there has the place of the intent, or of the file.
    pub fn tag(&self, intent: &str, tag: &str, message: impl Into<String>) -> Problem {
        self.part(intent, message.into(), |i, places| {
            let mut tags = self.catalogue.intents[i].tags.iter();
            let n = tags.position(|template| template.to_string() == tag)?;
            Some((format!("tags[{n}]"), *places.tags.get(n)?))
        })
    }

    /// A problem of a table that is declared. One that is not there has the
    /// place of the file.
    pub fn table(&self, table: &str, message: impl Into<String>) -> Problem {
        let (name, at) = self
            .tables
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(table))
            .map_or(("", 0), |(name, at)| (name.as_str(), *at));
        let path = match name {
            "" => String::new(),
            name => format!("tables.{name}"),
        };
        Problem {
            path,
            line: self.line(at),
            message: message.into(),
        }
    }

    fn part(
        &self,
        intent: &str,
        message: String,
        find: impl FnOnce(usize, &IntentPlaces) -> Option<(String, usize)>,
    ) -> Problem {
        let mut intents = self.catalogue.intents.iter();
        let i = intents.position(|known| known.name == intent);
        match i.and_then(|i| Some((i, self.intents.get(i)?))) {
            None => Problem {
                path: String::new(),
                line: 1,
                message,
            },
            Some((i, places)) => match find(i, places) {
                None => self.of_intent(i, "", places.at, message),
                Some((part, at)) => self.of_intent(i, &part, at, message),
            },
        }
    }

    /// A problem of the part of an intent that starts at `at`.
    pub(super) fn of_intent(&self, i: usize, part: &str, at: usize, message: String) -> Problem {
        let gap = if part.is_empty() { "" } else { " " };
        Problem {
            path: format!(
                "intent[{i}] \"{}\"{gap}{part}",
                self.catalogue.intents[i].name
            ),
            line: self.line(at),
            message,
        }
    }

    /// The line of what starts at `at`, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        1 + self.line_starts.partition_point(|start| *start <= at)
    }
}

impl IntentPlaces {
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

/// The elements of an array; none where there is no array.
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

/// The keys of a table and where they start; none where there is no table.
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
    fn what_is_not_there_has_the_place_of_what_it_is_said_to_be_in() {
        let text = "# mine\n[[intent]]\nname = 'a'\nkind = 'live_data'\nphrases = ['a']\n\
                    tags = [\n'x:{y}',\n'z:{y}',\n]\n[[intent.query]]\nname = 'q'\nsql = 'x'\n";
        let places = Places::of(text).expect("a catalogue");
        let check = |problem: Problem, expect: &str| assert_eq!(problem.to_string(), expect);
        check(
            places.tag("a", "z:{y}", "bad"),
            "intent[0] \"a\" tags[1]: bad (line 8)",
        );
        check(
            places.query("a", "q", "bad"),
            "intent[0] \"a\" query[0]: bad (line 10)",
        );
        check(
            places.tag("a", "other", "bad"),
            "intent[0] \"a\": bad (line 2)",
        );
        check(
            places.query("a", "other", "bad"),
            "intent[0] \"a\": bad (line 2)",
        );
        check(places.query("b", "q", "bad"), "bad (line 1)");
        assert!(Places::of("name = 'a'").is_err());
    }
}
