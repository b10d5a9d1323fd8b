//! Records and periods that a message names.

use std::collections::BTreeMap;

/// The slots found in a message: name to value, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots(BTreeMap<String, String>);
