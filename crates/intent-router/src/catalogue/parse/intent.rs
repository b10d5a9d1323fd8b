//! The tables `[[intent]]`.

use std::collections::{BTreeMap, BTreeSet};

use intent_model::Detection;
use toml::Spanned;
use toml::de::DeValue;

use super::document::{At, Diagnostics, Table, as_text, number};
use super::name::{NAME_RULE, is_name};
use super::parameters::{AllowedParameters, Language};
use super::slot::Specs;
use super::{guards, http};
use crate::catalogue::sql::parameters;
use crate::catalogue::{
    AnsweredBy, Diagnostic, Intent, KeyMode, Kind, Phrase, QuerySpec, TagTemplate,
};
use crate::text::{normalise, words};

/// Reads intents, and remembers the names and examples that must be unique.
pub(super) struct IntentReader<'t, 'p> {
    slots: &'p Specs<'t>,
    diagnostics: &'p mut Diagnostics,
    names: BTreeMap<&'t str, u32>,
    examples: BTreeMap<String, (String, u32)>,
}

impl<'t, 'p> IntentReader<'t, 'p> {
    pub(super) fn new(slots: &'p Specs<'t>, diagnostics: &'p mut Diagnostics) -> Self {
        Self {
            slots,
            diagnostics,
            names: BTreeMap::new(),
            examples: BTreeMap::new(),
        }
    }

    /// The valid intents in the order of the file.
    pub(super) fn intents(&mut self, root: &mut Table<'t>) -> Vec<Intent> {
        let elements = root.array("intent", self.diagnostics);
        if elements.is_empty() {
            self.diagnostics.add(
                "",
                0,
                "the catalogue defines no intents; add an [[intent]] table",
            );
        }
        let mut intents = Vec::with_capacity(elements.len());
        for (path, value) in elements {
            let table = Table::from_value(path, value, self.diagnostics);
            intents.extend(table.and_then(|table| self.intent(table)));
        }
        intents
    }

    /// The messages out of scope. None may be an example too: a model would learn
    /// both labels.
    pub(super) fn out_of_scope(&mut self, root: &mut Table<'t>) -> Vec<String> {
        self.texts("out_of_scope", root, "`out_of_scope`")
    }

    fn intent(&mut self, mut table: Table<'t>) -> Option<Intent> {
        let name = table.required_text("name", self.diagnostics);
        if let Some(name) = name {
            self.name(&table.key_path("name"), name);
            table.path = format!("{} \"{}\"", table.path, name.value.escape_debug());
        }
        let description = self.description(&mut table);
        let kind = self.kind(&mut table);
        let answered_by = self.answered_by(&mut table);
        let class = match table.take("class") {
            Some(_) => table
                .required_text("class", self.diagnostics)
                .map(|class| class.value),
            None => kind.map(Kind::name),
        };
        let key = self.key(&mut table);
        let yields = table.flag("yields", self.diagnostics);
        let phrases = self.phrases(&mut table);
        let owner = format!("intent \"{}\"", name.map_or("", |name| name.value));
        let examples = self.texts("examples", &mut table, &owner);
        if !table.holds("phrases") && !table.holds("examples") {
            let message = "has neither phrases nor examples, so it can never be detected; add some";
            self.diagnostics.add(&table.path, table.at, message);
        }
        let overrule = guards::phrases(&mut table, "overrule", self.diagnostics);
        let veto = guards::phrases(&mut table, "veto", self.diagnostics);
        let neutral = guards::phrases(&mut table, "neutral", self.diagnostics);
        let slots = self.slots(&mut table);
        let mut used = BTreeSet::new();
        let allowed = AllowedParameters {
            kind,
            key,
            slots: &slots,
        };
        let queries = self.queries(&mut table, &allowed, &mut used);
        let http = http::request(&mut table, &allowed, &mut used, self.diagnostics);
        if !queries.is_empty() || http.is_some() {
            self.unused(&table, key, &slots, &used);
        }
        if answered_by == Some(AnsweredBy::Caller) && (!queries.is_empty() || http.is_some()) {
            let error = Diagnostic::error("is answered by the caller, so its queries never run")
                .with_remedy("remove the queries and `http`, or `answered_by`");
            self.diagnostics.push(&table.path, table.at, error);
        }
        if http.is_some() && !queries.is_empty() {
            let error =
                Diagnostic::error("is answered by an HTTP request, so its queries never run")
                    .with_remedy("remove the queries, or `http`");
            self.diagnostics.push(&table.path, table.at, error);
        }
        let tags = self.tags(&mut table);
        table.finish(self.diagnostics);
        Some(Intent {
            name: name?.value.to_owned(),
            description,
            kind: kind?,
            answered_by: answered_by?,
            class: class?.to_owned(),
            key: key?,
            yields,
            phrases,
            examples,
            overrule,
            veto,
            neutral,
            slots: slots.iter().map(|slot| slot.value.to_owned()).collect(),
            queries,
            http,
            tags,
        })
    }

    fn name(&mut self, path: &str, name: At<&'t str>) {
        if name.value == Detection::UNKNOWN {
            let message = "the name `unknown` is reserved for messages without a detected intent; choose another";
            self.diagnostics.add(path, name.at, message);
        } else if !is_name(name.value) {
            self.diagnostics.add(path, name.at, NAME_RULE);
        }
        let line = self.diagnostics.line(name.at);
        if let Some(first) = self.names.get(name.value) {
            let message = format!(
                "intent \"{}\" is defined twice, first on line {first}",
                name.value
            );
            self.diagnostics.add(path, name.at, message);
        } else {
            self.names.insert(name.value, line);
        }
    }

    fn description(&mut self, table: &mut Table<'t>) -> Option<String> {
        table.take("description")?;
        let text = table.required_text("description", self.diagnostics)?;
        Some(text.value.trim().to_owned())
    }

    fn kind(&mut self, table: &mut Table<'t>) -> Option<Kind> {
        let kind = table.required_text("kind", self.diagnostics)?;
        match kind.value {
            "live_data" => Some(Kind::LiveData),
            "knowledge_base" => Some(Kind::KnowledgeBase),
            other => {
                let message =
                    format!("unknown kind \"{other}\"; known kinds are live_data, knowledge_base");
                self.diagnostics
                    .add(&table.key_path("kind"), kind.at, message);
                None
            }
        }
    }

    fn answered_by(&mut self, table: &mut Table<'t>) -> Option<AnsweredBy> {
        if table.take("answered_by").is_none() {
            return Some(AnsweredBy::default());
        }
        let by = table.text("answered_by", self.diagnostics)?;
        match by.value {
            "source" => Some(AnsweredBy::Source),
            "caller" => Some(AnsweredBy::Caller),
            other => {
                let message = format!("unknown value \"{other}\"; known values are source, caller");
                self.diagnostics
                    .add(&table.key_path("answered_by"), by.at, message);
                None
            }
        }
    }

    fn key(&mut self, table: &mut Table<'t>) -> Option<KeyMode> {
        if table.take("key").is_none() {
            return Some(KeyMode::default());
        }
        let key = table.text("key", self.diagnostics)?;
        match key.value {
            "message" => Some(KeyMode::Message),
            "normalised" => Some(KeyMode::Normalised),
            "slots" => Some(KeyMode::Slots),
            other => {
                let message = format!(
                    "unknown key mode \"{other}\"; known modes are message, normalised, slots"
                );
                self.diagnostics
                    .add(&table.key_path("key"), key.at, message);
                None
            }
        }
    }

    fn phrases(&mut self, table: &mut Table<'t>) -> Vec<Phrase> {
        let mut seen = BTreeSet::new();
        let mut phrases = Vec::new();
        for (path, value) in table.array("phrases", self.diagnostics) {
            let Some((text, weight)) = self.phrase(&path, value) else {
                continue;
            };
            let normal = normalise(text.value);
            let joined = words(&normal).collect::<Vec<_>>().join(" ");
            let count = words(&normal).count();
            if count == 0 {
                self.diagnostics.add(
                    &path,
                    text.at,
                    format_args!("phrase \"{}\" contains no word", text.value),
                );
            } else if !seen.insert(joined) {
                let message = format!("phrase \"{}\" is already listed in this intent", text.value);
                self.diagnostics.add(&path, text.at, message);
            }
            phrases.push(Phrase {
                text: text.value.to_owned(),
                weight: weight.unwrap_or(count as f64),
            });
        }
        phrases
    }

    /// A phrase is a text, or a table of a text and its weight.
    fn phrase(
        &mut self,
        path: &str,
        value: &'t Spanned<DeValue<'t>>,
    ) -> Option<(At<&'t str>, Option<f64>)> {
        let DeValue::Table(_) = value.get_ref() else {
            return Some((as_text(path, value, self.diagnostics)?, None));
        };
        let mut table = Table::from_value(path.to_owned(), value, self.diagnostics)?;
        let text = table.text("text", self.diagnostics);
        if text.is_none() && table.take("text").is_none() {
            self.diagnostics.add(path, table.at, "`text` is missing");
        }
        let weight = table
            .take("weight")
            .map(|value| (value.span().start, number(value.get_ref())));
        let path = table.key_path("weight");
        table.finish(self.diagnostics);
        match weight {
            None => Some((text?, None)),
            Some((_, Ok(weight))) if weight.is_finite() && weight > 0.0 => {
                Some((text?, Some(weight)))
            }
            Some((at, Ok(weight))) => {
                let message = format!("weight {weight} is not a finite number above 0");
                self.diagnostics.add(&path, at, message);
                None
            }
            Some((at, Err(message))) => {
                self.diagnostics.add(&path, at, message);
                None
            }
        }
    }

    /// Messages that must occur once in the catalogue.
    fn texts(&mut self, key: &'static str, table: &mut Table<'t>, owner: &str) -> Vec<String> {
        let mut examples = Vec::new();
        for (path, text) in table.texts(key, self.diagnostics) {
            let normal = normalise(text.value).into_owned();
            if normal.is_empty() {
                self.diagnostics.add(&path, text.at, "is empty");
                continue;
            }
            let line = self.diagnostics.line(text.at);
            if let Some((other, first)) = self.examples.get(&normal) {
                let message = format!(
                    "\"{}\" is already listed under {other}, on line {first}",
                    text.value
                );
                self.diagnostics.add(&path, text.at, message);
            } else {
                self.examples.insert(normal, (owner.to_owned(), line));
            }
            examples.push(text.value.to_owned());
        }
        examples
    }

    fn slots(&mut self, table: &mut Table<'t>) -> Vec<At<&'t str>> {
        let mut slots: Vec<At<&'t str>> = Vec::new();
        for (_, slot) in table.texts("slots", self.diagnostics) {
            if !self.slots.contains_key(slot.value) {
                let message = format!("slot \"{}\" is not defined under [slots]", slot.value);
                self.diagnostics.add(&table.path, slot.at, message);
            } else if slots.iter().any(|other| other.value == slot.value) {
                let message = format!("slot \"{}\" is listed twice", slot.value);
                self.diagnostics.add(&table.path, slot.at, message);
            }
            slots.push(slot);
        }
        slots
    }

    /// Reads the queries, and adds the parameters that they use to `used`.
    fn queries(
        &mut self,
        table: &mut Table<'t>,
        allowed: &AllowedParameters<'_>,
        used: &mut BTreeSet<&'t str>,
    ) -> Vec<QuerySpec> {
        let mut queries: Vec<QuerySpec> = Vec::new();
        for (path, value) in table.array("query", self.diagnostics) {
            let Some(mut query) = Table::from_value(path, value, self.diagnostics) else {
                continue;
            };
            let name = query.required_text("name", self.diagnostics);
            let sql = query.required_text("sql", self.diagnostics);
            let postgres = query.filled_text("postgres", self.diagnostics);
            for (dialect, text) in [("sql", sql), ("postgres", postgres)] {
                let Some(text) = text else { continue };
                let found = parameters(text.value);
                for parameter in &found {
                    if let Some(message) = allowed.refusal(parameter, Language::Sql) {
                        self.diagnostics
                            .add(&query.key_path(dialect), text.at, message);
                    }
                }
                used.extend(found);
            }
            if let Some(name) =
                name.filter(|name| queries.iter().any(|query| query.name == name.value))
            {
                let message = format!("query \"{}\" is defined twice", name.value);
                self.diagnostics
                    .add(&query.key_path("name"), name.at, message);
            }
            query.finish(self.diagnostics);
            queries.extend(name.zip(sql).map(|(name, sql)| QuerySpec {
                name: name.value.to_owned(),
                sql: sql.value.to_owned(),
                postgres: postgres.map(|text| text.value.to_owned()),
            }));
        }
        queries
    }

    /// Reports the slots that no query and no request uses.
    fn unused(
        &mut self,
        table: &Table<'t>,
        key: Option<KeyMode>,
        slots: &[At<&'t str>],
        used: &BTreeSet<&str>,
    ) {
        // In the key mode `slots` an unused slot still distinguishes questions.
        if key == Some(KeyMode::Slots) {
            return;
        }
        for slot in slots.iter().filter(|slot| !used.contains(slot.value)) {
            let unused = format!("slot \"{}\" is not used by any query", slot.value);
            let unused = Diagnostic::error(unused).with_remedy(format!(
                "use it as :{} in a query, or remove it from `slots`",
                slot.value
            ));
            self.diagnostics.push(&table.path, slot.at, unused);
        }
    }

    fn tags(&mut self, table: &mut Table<'t>) -> Vec<TagTemplate> {
        let mut tags = Vec::new();
        for (path, tag) in table.texts("tags", self.diagnostics) {
            match tag.value.parse() {
                Ok(template) => tags.push(template),
                Err(error) => {
                    let message = format_args!("tag \"{}\" {error}", tag.value);
                    self.diagnostics.add(&path, tag.at, message);
                }
            }
        }
        tags
    }
}
