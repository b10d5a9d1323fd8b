//! The table `[intent.http]`.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{At, Diagnostics, Table, as_text};
use super::name::{NAME_RULE, is_name};
use super::parameters::{AllowedParameters, Language};
use crate::catalogue::{HttpMethod, HttpSpec, NotFound, Template};

/// Reads the request, if the intent has one, and adds the parameters that it uses to
/// `used`.
pub(super) fn request<'t>(
    intent: &mut Table<'t>,
    allowed: &AllowedParameters<'_>,
    used: &mut BTreeSet<&'t str>,
    diagnostics: &mut Diagnostics,
) -> Option<HttpSpec> {
    let path = intent.key_path("http");
    let value = intent.take("http")?;
    let table = Table::from_value(path, value, diagnostics)?;
    let reader = RequestReader {
        allowed,
        used,
        diagnostics,
    };
    reader.request(table)
}

struct RequestReader<'r, 't> {
    allowed: &'r AllowedParameters<'r>,
    used: &'r mut BTreeSet<&'t str>,
    diagnostics: &'r mut Diagnostics,
}

impl<'t> RequestReader<'_, 't> {
    fn request(mut self, mut table: Table<'t>) -> Option<HttpSpec> {
        let method = self.choice(
            &mut table,
            "method",
            &[("GET", HttpMethod::Get), ("POST", HttpMethod::Post)],
        );
        let not_found = self.choice(
            &mut table,
            "not_found",
            &[("error", NotFound::Error), ("empty", NotFound::Empty)],
        );
        let path = self.path(&mut table);
        let query = self.templates(&mut table, "query").unwrap_or_default();
        let body = self.templates(&mut table, "body");
        let idempotent = table.flag("idempotent", self.diagnostics);
        let data = self.pointer(&mut table, "data").unwrap_or_default();
        let tags = self.pointer(&mut table, "tags");
        let reads = table.texts("reads", self.diagnostics);
        for (path, kind) in reads.iter().filter(|(_, kind)| !is_name(kind.value)) {
            self.diagnostics.add(path, kind.at, NAME_RULE);
        }
        if body.is_some() && method == Some(HttpMethod::Get) {
            let message = "a GET has no body; set `method = \"POST\"`, or remove `body`";
            self.diagnostics.add(&table.path, table.at, message);
        }
        table.finish(self.diagnostics);
        Some(HttpSpec {
            method: method?,
            path: path?,
            query,
            body,
            idempotent,
            data,
            tags,
            reads: reads
                .iter()
                .map(|(_, kind)| kind.value.to_owned())
                .collect(),
            not_found: not_found?,
        })
    }

    /// One of several words; the default if the key is absent.
    fn choice<T: Copy + Default>(
        &mut self,
        table: &mut Table<'t>,
        key: &'static str,
        known: &[(&str, T)],
    ) -> Option<T> {
        if table.take(key).is_none() {
            return Some(T::default());
        }
        let text = table.text(key, self.diagnostics)?;
        let found = known.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            let words: Vec<_> = known.iter().map(|(word, _)| *word).collect();
            let message = format!(
                "unknown value \"{}\"; known values are {}",
                text.value,
                words.join(", ")
            );
            self.diagnostics.add(&table.key_path(key), text.at, message);
        }
        found.map(|(_, value)| *value)
    }

    /// The segments of the path. A path that is only `/` has none.
    fn path(&mut self, table: &mut Table<'t>) -> Option<Vec<Template>> {
        let text = table.required_text("path", self.diagnostics)?;
        let place = table.key_path("path");
        let Some(rest) = text.value.strip_prefix('/') else {
            self.diagnostics
                .add(&place, text.at, "does not begin with `/`");
            return None;
        };
        if rest.is_empty() {
            return Some(Vec::new());
        }
        let mut segments = Vec::new();
        for segment in rest.split('/') {
            if matches!(segment, "" | "." | "..") {
                let message = format!("has the segment \"{segment}\", which names nothing");
                self.diagnostics.add(&place, text.at, message);
                return None;
            }
            let segment = At {
                value: segment,
                at: text.at,
            };
            let template = self.template(&place, segment)?;
            let bad = template
                .literals()
                .find_map(|text| text.chars().find(|c| !is_path_character(*c)));
            if let Some(bad) = bad {
                let message = format!(
                    "has the character {bad:?}; use letters, digits and -._~!$&'()*+,;=:@, and \
                     `query` for what follows a question mark"
                );
                self.diagnostics.add(&place, text.at, message);
            }
            for name in template.names() {
                if matches!(name, "message" | "doubtful") {
                    let message = format!("a path cannot have {{{name}}}; use it in `query`");
                    self.diagnostics.add(&place, text.at, message);
                }
            }
            segments.push(template);
        }
        Some(segments)
    }

    /// A table of texts, each a template.
    fn templates(
        &mut self,
        table: &mut Table<'t>,
        key: &'static str,
    ) -> Option<BTreeMap<String, Template>> {
        let path = table.key_path(key);
        let value = table.take(key)?;
        let members = Table::from_value(path, value, self.diagnostics)?;
        let mut templates = BTreeMap::new();
        for (name, value) in members.entries() {
            let place = members.key_path(name.value);
            let Some(text) = as_text(&place, value, self.diagnostics) else {
                continue;
            };
            if let Some(template) = self.template(&place, text) {
                templates.insert(name.value.to_owned(), template);
            }
        }
        Some(templates)
    }

    fn template(&mut self, place: &str, text: At<&'t str>) -> Option<Template> {
        let template: Template = match text.value.parse() {
            Ok(template) => template,
            Err(error) => {
                let message = format!("\"{}\" {error}", text.value);
                self.diagnostics.add(place, text.at, message);
                return None;
            }
        };
        for name in template.names() {
            if let Some(message) = self.allowed.refusal(name, Language::Template) {
                self.diagnostics.add(place, text.at, message);
            }
        }
        // The names lie in the text, between braces.
        let names = text.value.split('{').skip(1);
        let names = names.filter_map(|rest| rest.split_once('}'));
        self.used.extend(names.map(|(name, _)| name));
        Some(template)
    }

    /// A JSON pointer (RFC 6901).
    fn pointer(&mut self, table: &mut Table<'t>, key: &'static str) -> Option<String> {
        let text = table.text(key, self.diagnostics)?;
        let is_pointer = text.value.is_empty() || text.value.starts_with('/');
        let mut escapes = text.value.split('~').skip(1);
        if !is_pointer || !escapes.all(|rest| rest.starts_with(['0', '1'])) {
            let message = format!(
                "\"{}\" is not a JSON pointer; write it as in \"/result/claims\"",
                text.value
            );
            self.diagnostics.add(&table.key_path(key), text.at, message);
        }
        Some(text.value.to_owned())
    }
}

/// Whether a character stands for itself in a segment of a path (RFC 3986, `pchar`).
fn is_path_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(c)
}

#[cfg(test)]
mod tests {
    use crate::catalogue::{Catalogue, HttpMethod, NotFound};

    fn intent(http: &str) -> String {
        format!(
            "[slots.claim]\nkind = 'pattern'\npattern = 'CLM-####'\n[[intent]]\nname = 'a'\n\
             kind = 'live_data'\nphrases = ['a']\nslots = ['claim']\n[intent.http]\n{http}\n"
        )
    }

    #[track_caller]
    fn refused(http: &str, expect: &str) {
        let error = Catalogue::parse(&intent(http)).expect_err(http);
        let text = error.to_string();
        assert!(text.contains(expect), "{text}");
    }

    #[test]
    fn a_request_is_read_with_its_defaults() {
        let catalogue = Catalogue::parse(&intent("path = '/members/{user_id}/claims/{claim}'"));
        let catalogue = catalogue.expect("a catalogue");
        let http = catalogue.intents()[0].http.as_ref().expect("a request");
        let path: Vec<_> = http.path.iter().map(ToString::to_string).collect();
        assert_eq!(path, ["members", "{user_id}", "claims", "{claim}"]);
        assert_eq!(http.method, HttpMethod::Get);
        assert_eq!(http.not_found, NotFound::Error);
        assert_eq!((http.data.as_str(), &http.tags), ("", &None));
        assert!(http.parameters().eq(["user_id", "claim"]));
    }

    #[test]
    fn whatever_is_wrong_is_said() {
        refused("query = { a = '{claim}' }", "`path` is missing");
        refused("path = 'claims/{claim}'", "does not begin with `/`");
        refused("path = '/a//{claim}'", "the segment \"\"");
        refused("path = '/../{claim}'", "the segment \"..\"");
        refused("path = '/a?b={claim}'", "the character '?'");
        refused(
            "path = '/{claim}/{message}'",
            "a path cannot have {message}",
        );
        refused("path = '/{other}/{claim}'", "unknown parameter {other}");
        refused("path = '/{terms}/{claim}'", "unknown parameter {terms}");
        refused("path = '/{claim'", "without a closing }");
        refused("path = '/a'", "slot \"claim\" is not used");
        refused("path = '/{claim}'\nmethod = 'PUT'", "unknown value \"PUT\"");
        refused("path = '/{claim}'\nbody = { a = 'b' }", "a GET has no body");
        refused("path = '/{claim}'\ndata = 'a'", "not a JSON pointer");
        refused("path = '/{claim}'\ntags = '/a~2'", "not a JSON pointer");
        refused("path = '/{claim}'\nreads = ['a b']", super::NAME_RULE);
        refused("path = '/{claim}'\nurl = 'x'", "unknown key `url`");
    }

    #[test]
    fn a_request_excludes_queries_and_callers() {
        let http = "path = '/{claim}'\n[[intent.query]]\nname = 'q'\nsql = 'SELECT :claim'";
        refused(http, "so its queries never run");
        let text =
            intent("path = '/{claim}'").replace("slots =", "answered_by = 'caller'\nslots =");
        let error = Catalogue::parse(&text).expect_err("two answer");
        assert!(
            error.to_string().contains("answered by the caller"),
            "{error}"
        );
    }

    #[test]
    fn answers_that_are_shared_do_not_depend_on_the_user() {
        let shared = intent("path = '/{user_id}/{claim}'").replace("live_data", "knowledge_base");
        let error = Catalogue::parse(&shared).expect_err("it would be everyone's");
        assert!(error.to_string().contains("{user_id}"), "{error}");
    }
}
