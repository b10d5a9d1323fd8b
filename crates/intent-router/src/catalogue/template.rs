//! Texts with names in braces: templates of record tags, such as
//! `claim:{claim_number}`, and of the parts of HTTP requests.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::slots::Slots;

/// A record tag with names in braces, to be filled from the columns of a row
/// or from the slots of a message.
///
/// ```
/// use intent_router::TagTemplate;
///
/// let template: TagTemplate = "claim:{claim_number}".parse()?;
/// let row = |name: &str| (name == "claim_number").then(|| "CLM-2025-000001".into());
/// assert_eq!(template.fill(row).as_deref(), Some("claim:CLM-2025-000001"));
/// # Ok::<(), intent_router::TemplateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagTemplate(Template);

/// A text with names in braces, to be filled with values. It may name none.
///
/// ```
/// use intent_router::Template;
///
/// let template: Template = "from {today}".parse()?;
/// let filled = template.fill(|name| (name == "today").then(|| "2025-03-01".into()));
/// assert_eq!(filled.as_deref(), Some("from 2025-03-01"));
/// # Ok::<(), intent_router::TemplateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Name(String),
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// A `{` without a `}`.
    #[error("has a {{ without a closing }}")]
    Unclosed,
    /// A `}` without a `{`.
    #[error("has a }} without an opening {{")]
    Unopened,
    /// Text in braces that cannot be the name of a column or slot.
    #[error("has an invalid name in {{{0}}}; use letters, digits and _")]
    BadName(String),
    /// No name in braces.
    #[error(
        "names no column, so every row would get the same tag; name one in braces, as in claim:{{claim_number}}"
    )]
    NoName,
}

impl Template {
    /// The names to be filled in, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Name(name) => Some(name.as_str()),
            Segment::Literal(_) => None,
        })
    }

    /// The texts between the names, in order.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Literal(text) => Some(text.as_str()),
            Segment::Name(_) => None,
        })
    }

    /// The text, with each name replaced by its `value`; `None` if a name has no
    /// value.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<Cow<'v, str>>) -> Option<String> {
        let mut text = String::new();
        for segment in &self.0 {
            match segment {
                Segment::Literal(literal) => text.push_str(literal),
                Segment::Name(name) => text.push_str(&value(name)?),
            }
        }
        Some(text)
    }
}

impl TagTemplate {
    /// The names to be filled in, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.names()
    }

    /// The tag, with each name replaced by its `value`; `None` if a name has no
    /// value.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<Cow<'v, str>>) -> Option<String> {
        self.0.fill(value)
    }

    /// The tags from the slots of a message: one for each value of the slot that
    /// the template names; none if it has several names, or one that is not a
    /// slot of the message.
    ///
    /// An answer depends on every record that its message names, even one that
    /// the source did not find: "there is no such claim" must be invalidated when
    /// the claim is created.
    pub fn fill_from_slots(&self, slots: &Slots) -> Vec<String> {
        let mut names = self.names();
        let (Some(name), None) = (names.next(), names.next()) else {
            return Vec::new();
        };
        let values = slots.values(name);
        values
            .filter_map(|value| self.fill(|_| Some(Cow::Borrowed(value))))
            .collect()
    }
}

impl FromStr for TagTemplate {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let template: Template = text.parse()?;
        if template.names().next().is_none() {
            return Err(TemplateError::NoName);
        }
        Ok(Self(template))
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let mut segments = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            if rest[at..].starts_with('}') {
                return Err(TemplateError::Unopened);
            }
            let (name, tail) = rest[at + 1..]
                .split_once('}')
                .ok_or(TemplateError::Unclosed)?;
            let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(allowed) {
                return Err(TemplateError::BadName(name.to_owned()));
            }
            if at > 0 {
                segments.push(Segment::Literal(rest[..at].to_owned()));
            }
            segments.push(Segment::Name(name.to_owned()));
            rest = tail;
        }
        if !rest.is_empty() {
            segments.push(Segment::Literal(rest.to_owned()));
        }
        Ok(Self(segments))
    }
}

impl fmt::Display for TagTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|segment| match segment {
            Segment::Literal(text) => f.write_str(text),
            Segment::Name(name) => write!(f, "{{{name}}}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::TagTemplate;
    use crate::slots::Slots;

    #[test]
    fn tells_good_from_bad_and_shows_what_it_read() {
        for good in ["claim:{claim_number}", "{a}", "{a}-{b_2}", "{a}!"] {
            let template: TagTemplate = good.parse().unwrap();
            assert_eq!(template.to_string(), good);
        }
        for bad in [
            "", "claim", "claim:{", "claim:{a", "a}", "{}", "{a b}", "{a}{", "{a}}", "{{a}}",
        ] {
            assert!(bad.parse::<TagTemplate>().is_err(), "of {bad}");
        }
    }

    #[test]
    fn a_name_without_a_value_yields_no_tag() {
        let template: TagTemplate = "{a}/{b}".parse().unwrap();
        let only_a = |name: &str| (name == "a").then(|| "1".into());
        assert_eq!(template.fill(only_a), None);
        let both = template.fill(|name| Some(name.to_uppercase().into()));
        assert_eq!(both.as_deref(), Some("A/B"));
    }

    #[test]
    fn slots_fill_the_templates_that_name_them_alone() {
        let slots: Slots = [("claim", "C-2"), ("claim", "C-1"), ("page", "7")]
            .into_iter()
            .collect();
        let check = |template: &str, expect: &[&str]| {
            let template: TagTemplate = template.parse().unwrap();
            assert_eq!(template.fill_from_slots(&slots), expect, "{template}");
        };
        check("claim:{claim}", &["claim:C-1", "claim:C-2"]);
        check("<{page}>", &["<7>"]);
        check("claim:{other}", &[]);
        check("{claim}-{page}", &[]);
    }
}
