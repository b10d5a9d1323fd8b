//! Result rows as JSON.

use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

/// The number of bytes of a row's names and values, without copying any.
pub(super) fn weight(row: &Row<'_>, names: &[String]) -> rusqlite::Result<usize> {
    let mut bytes = 0;
    for (index, name) in names.iter().enumerate() {
        bytes += name.len()
            + match row.get_ref(index)? {
                ValueRef::Text(text) | ValueRef::Blob(text) => text.len(),
                ValueRef::Integer(_) | ValueRef::Real(_) => size_of::<u64>(),
                ValueRef::Null => 0,
            };
    }
    Ok(bytes)
}

/// A row as an object with one member per column.
///
/// Numbers stay numbers. Text that is not UTF-8 has its bad bytes replaced by
/// U+FFFD. The error names a column whose value JSON cannot hold.
pub(super) fn object(row: &Row<'_>, names: &[String]) -> Result<Map<String, Value>, String> {
    let mut object = Map::new();
    for (index, name) in names.iter().enumerate() {
        let value = match row.get_ref(index).map_err(|error| error.to_string())? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::from(number),
            ValueRef::Real(number) => serde_json::Number::from_f64(number)
                .map(Value::Number)
                .ok_or_else(|| {
                    format!("column `{name}` is {number}, which JSON cannot represent")
                })?,
            ValueRef::Text(text) => Value::String(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(_) => {
                return Err(format!(
                    "column `{name}` is a BLOB, which JSON cannot represent; use hex() or remove the column"
                ));
            }
        };
        object.insert(name.clone(), value);
    }
    Ok(object)
}

/// A value as text: text unchanged, a number in decimal, and the empty text for
/// anything else.
pub(super) fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Null | ValueRef::Blob(_) => String::new(),
    }
}
