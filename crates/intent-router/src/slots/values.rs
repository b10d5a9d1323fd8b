//! The slots of a message and their values.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The slots found in a message: name to value, sorted by name.
///
/// Several distinct values of a slot are sorted and joined with `,`, so that a
/// message about two records never equals one about either of them. Values found
/// in a message are ASCII letters, digits, `-`, `/`, `_`, `.` and a space before
/// a currency, so they never contain `,`. A quarter is three values, one for each
/// month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Slots(pub(super) BTreeMap<String, String>);

impl Slots {
    /// The slot's value, or all of them sorted and joined with `,`: what a
    /// query's parameter of that name is bound to.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The slot's distinct values one by one, sorted.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0
            .get(name)
            .into_iter()
            .flat_map(|values| values.split(','))
    }

    /// Names with their values as [`get`](Self::get) gives them, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many slots were found.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text that replaces the message in the key mode `slots`:
    /// `name=value` sorted by name and joined with `;`.
    ///
    /// Two different sets of slots never have the same text: a `=`, `;` or
    /// `\` in a name or a value is preceded by `\`.
    pub fn key_text(&self) -> String {
        let mut text = String::new();
        self.write_key_text(|part| text.push_str(part));
        text
    }

    /// Writes the [`key_text`](Self::key_text) in parts.
    pub(crate) fn write_key_text(&self, mut write: impl FnMut(&str)) {
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index > 0 {
                write(";");
            }
            write_escaped(name, &mut write);
            write("=");
            write_escaped(value, &mut write);
        }
    }
}

/// Writes a name or a value with a `\` before each `=`, `;` and `\`.
fn write_escaped(mut part: &str, write: &mut impl FnMut(&str)) {
    while let Some(at) = part.find(['=', ';', '\\']) {
        write(&part[..at]);
        write("\\");
        write(&part[at..=at]);
        part = &part[at + 1..];
    }
    write(part);
}

/// Slots from another source than a message. Values of one name are joined as
/// those found in a message are; empty names and values are left out.
impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Slots {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(slots: I) -> Self {
        let mut joined = BTreeMap::<String, String>::new();
        for (name, value) in slots {
            let (name, value) = (name.into(), value.into());
            if name.is_empty() || value.is_empty() {
                continue;
            }
            match joined.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(mut entry) => {
                    entry.get_mut().push(',');
                    entry.get_mut().push_str(&value);
                }
            }
        }
        for values in joined.values_mut() {
            let mut parts: Vec<_> = values.split(',').collect();
            parts.sort_unstable();
            parts.dedup();
            *values = parts.join(",");
        }
        Self(joined)
    }
}
