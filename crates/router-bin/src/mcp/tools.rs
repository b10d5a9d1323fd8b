//! The tools: one for each intent that the source answers.

use std::sync::Arc;

use intent_router::{AnsweredBy, Catalogue, Intent, SlotSpec};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

/// The argument that is the question in words, for intents whose queries read it. A
/// slot cannot have this name.
pub(super) const MESSAGE: &str = "message";

/// The tools of a catalogue, in its order.
pub(super) fn tools(catalogue: &Catalogue) -> Vec<Tool> {
    let intents = catalogue.intents().iter().filter(|intent| is_tool(intent));
    intents.map(|intent| tool(intent, catalogue)).collect()
}

/// The intent behind the tool of that name.
pub(super) fn intent<'c>(catalogue: &'c Catalogue, name: &str) -> Option<&'c Intent> {
    catalogue.get(name).filter(|intent| is_tool(intent))
}

/// The tool of that name.
pub(super) fn named(catalogue: &Catalogue, name: &str) -> Option<Tool> {
    intent(catalogue, name).map(|intent| tool(intent, catalogue))
}

/// What a caller answers cannot be asked here.
fn is_tool(intent: &Intent) -> bool {
    intent.answered_by == AnsweredBy::Source
}

/// The slots that are arguments: those that a query reads. Any other would not change
/// the answer, which would look narrower than it is.
pub(super) fn slots<'c>(
    intent: &'c Intent,
    catalogue: &'c Catalogue,
) -> impl Iterator<Item = (&'c str, &'c SlotSpec)> {
    let is_read = |slot: &str| {
        let mut queries = intent.queries.iter();
        queries.any(|query| query.parameters().contains(slot))
    };
    let slots = intent.slots.iter().filter(move |slot| is_read(slot));
    slots.filter_map(|slot| Some((slot.as_str(), catalogue.slot(slot)?)))
}

fn tool(intent: &Intent, catalogue: &Catalogue) -> Tool {
    let annotations = ToolAnnotations::new()
        .read_only(true)
        .destructive(false)
        .idempotent(true)
        .open_world(false);
    Tool::new(
        intent.name.clone(),
        description(intent),
        schema(intent, catalogue),
    )
    .with_annotations(annotations)
}

/// The description of the catalogue, or else some questions that the intent answers.
fn description(intent: &Intent) -> String {
    const MOST_EXAMPLES: usize = 3;
    if let Some(description) = &intent.description {
        return description.clone();
    }
    let phrases = intent.phrases.iter().map(|phrase| &phrase.text);
    let wordings = intent.examples.iter().chain(phrases).take(MOST_EXAMPLES);
    let wordings: Vec<_> = wordings.map(|text| format!("\"{text}\"")).collect();
    format!("Answers questions such as {}.", wordings.join(", "))
}

fn schema(intent: &Intent, catalogue: &Catalogue) -> Arc<JsonObject> {
    let slots = slots(intent, catalogue);
    let mut properties: JsonObject = slots
        .map(|(name, spec)| (name.to_owned(), argument(spec)))
        .collect();
    if intent.reads_message() {
        let message = json!({
            "type": "string",
            "description": "The question in the user's words. Its records, dates and values \
                            are read only if no other argument is given.",
        });
        properties.insert(MESSAGE.to_owned(), message);
    }
    let schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    match schema {
        Value::Object(schema) => Arc::new(schema),
        _ => Arc::default(),
    }
}

fn argument(spec: &SlotSpec) -> Value {
    let form = spec.form();
    match spec {
        SlotSpec::Pattern { pattern } => {
            json!({ "type": "string", "description": form, "pattern": regex(pattern) })
        }
        SlotSpec::Enum { values } => {
            let names: Vec<_> = values.keys().collect();
            json!({ "type": "string", "description": form, "enum": names })
        }
        SlotSpec::Date => json!({ "type": "string", "description": form, "format": "date" }),
        _ => json!({ "type": "string", "description": form }),
    }
}

/// The regular expression of a slot's pattern, whose other characters are letters,
/// digits, `-`, `/`, `_` and `.`.
fn regex(pattern: &str) -> String {
    let mut regex = String::from("^");
    for part in pattern.chars() {
        match part {
            '#' => regex.push_str("[0-9]"),
            '@' => regex.push_str("[A-Z]"),
            '.' => regex.push_str("\\."),
            literal => regex.push(literal.to_ascii_uppercase()),
        }
    }
    regex.push('$');
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        Catalogue::parse(
            r#"
            [slots]
            nr = { kind = "pattern", pattern = "a.@-##" }
            colour = { kind = "enum", values = { red = ["scarlet"], blue = [] } }
            day = { kind = "date" }
            unread = { kind = "date" }
            [[intent]]
            name = "things"
            kind = "live_data"
            key = "slots"
            examples = ["my things", "what do I have", "show all", "a fourth"]
            slots = ["nr", "colour", "day", "unread"]
            query = [{ name = "rows", sql = "SELECT :nr, :colour, :day" }]
            [[intent]]
            name = "articles"
            description = "Articles that match the words."
            kind = "knowledge_base"
            phrases = ["article"]
            query = [{ name = "rows", sql = "SELECT :terms" }]
            [[intent]]
            name = "elsewhere"
            kind = "live_data"
            answered_by = "caller"
            phrases = ["elsewhere"]
            "#,
        )
        .expect("a catalogue")
    }

    #[test]
    fn a_tool_takes_what_the_queries_of_its_intent_read() {
        let tools = tools(&catalogue());
        let names: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
        assert_eq!(
            names,
            ["things", "articles"],
            "a caller's intent is no tool"
        );
        let things = tools[0].schema_as_json_value();
        let expected = json!({
            "type": "object",
            "properties": {
                "nr": {
                    "type": "string",
                    "description": "an identifier of the form a.@-##",
                    "pattern": "^A\\.[A-Z]-[0-9][0-9]$",
                },
                "colour": {
                    "type": "string",
                    "description": "one of blue, red",
                    "enum": ["blue", "red"],
                },
                "day": {
                    "type": "string",
                    "description": "a date such as 2025-03-14",
                    "format": "date",
                },
            },
            "additionalProperties": false,
        });
        assert_eq!(things, expected);
        let articles = tools[1].schema_as_json_value();
        let articles = articles["properties"].as_object().expect("properties");
        assert!(articles.keys().eq([MESSAGE]));
    }

    #[test]
    fn a_tool_is_described_by_its_catalogue_or_by_examples() {
        let tools = tools(&catalogue());
        let told: Vec<_> = tools
            .iter()
            .map(|tool| tool.description.as_deref())
            .collect();
        let examples = r#"Answers questions such as "my things", "what do I have", "show all"."#;
        assert_eq!(
            told,
            [Some(examples), Some("Articles that match the words.")]
        );
        for tool in tools {
            let hints = tool.annotations.expect("annotations");
            let hints = [
                hints.read_only_hint,
                hints.idempotent_hint,
                hints.destructive_hint,
                hints.open_world_hint,
            ];
            assert_eq!(hints, [Some(true), Some(true), Some(false), Some(false)]);
        }
    }
}
