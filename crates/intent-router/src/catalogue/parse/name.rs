//! The names that a catalogue may define.

/// Whether a name needs no quotes in a key, a path, a query and a file.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What a diagnostic says of a name that is not allowed.
pub(super) const NAME_RULE: &str =
    "invalid name; it must start with an ASCII letter and contain only ASCII letters, digits and _";
