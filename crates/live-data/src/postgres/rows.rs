//! Result rows as JSON.

use std::error::Error;

use jiff::Span;
use jiff::civil::{DateTime, date};
use serde_json::{Map, Number, Value};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Kind, Type};

use super::numeric;

/// A value as the server sends it.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Whether values of the type have a form in JSON.
pub(super) fn is_supported(kind: &Type) -> bool {
    matches!(
        *kind,
        Type::TEXT
            | Type::VARCHAR
            | Type::BPCHAR
            | Type::NAME
            | Type::UNKNOWN
            | Type::BOOL
            | Type::INT2
            | Type::INT4
            | Type::INT8
            | Type::FLOAT4
            | Type::FLOAT8
            | Type::NUMERIC
            | Type::DATE
            | Type::TIMESTAMP
            | Type::TIMESTAMPTZ
            | Type::TIME
            | Type::UUID
            | Type::JSON
            | Type::JSONB
    ) || match kind.kind() {
        Kind::Enum(_) => true,
        Kind::Domain(base) => is_supported(base),
        _ => false,
    }
}

/// The number of bytes of a row's names and values, without copying any.
pub(super) fn weight(row: &Row, names: &[String]) -> Result<usize, String> {
    let mut bytes = 0;
    for (index, name) in names.iter().enumerate() {
        bytes += name.len() + raw(row, index)?.map_or(0, <[u8]>::len);
    }
    Ok(bytes)
}

/// A row as an object with one member per column. The error names a column whose value
/// JSON cannot hold.
pub(super) fn object(row: &Row, names: &[String]) -> Result<Map<String, Value>, String> {
    let mut object = Map::new();
    for (index, name) in names.iter().enumerate() {
        let value = match (raw(row, index)?, row.columns().get(index)) {
            (Some(raw), Some(column)) => {
                value(column.type_(), raw).map_err(|reason| format!("column `{name}` {reason}"))?
            }
            _ => Value::Null,
        };
        object.insert(name.clone(), value);
    }
    Ok(object)
}

/// A column's value as text: text unchanged, a number in decimal, and the empty text
/// for `NULL`.
pub(super) fn text(row: &Row, name: &str, names: &[String]) -> Result<String, String> {
    let Some(index) = names.iter().position(|known| known == name) else {
        return Ok(String::new());
    };
    let (Some(raw), Some(column)) = (raw(row, index)?, row.columns().get(index)) else {
        return Ok(String::new());
    };
    Ok(match value(column.type_(), raw)? {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

fn raw(row: &Row, index: usize) -> Result<Option<&[u8]>, String> {
    let raw = row.try_get::<_, Option<Raw<'_>>>(index);
    Ok(raw.map_err(|error| error.to_string())?.map(|raw| raw.0))
}

/// A value in the server's binary form.
fn value(kind: &Type, raw: &[u8]) -> Result<Value, String> {
    let malformed = |_| format!("has a malformed value of the type {kind}");
    let float = |number: f64| {
        let number_in_json = Number::from_f64(number).map(Value::Number);
        number_in_json.ok_or_else(|| format!("is {number}, which JSON cannot represent"))
    };
    Ok(match *kind {
        Type::BOOL => Value::Bool(raw != [0]),
        Type::INT2 => i16::from_be_bytes(raw.try_into().map_err(malformed)?).into(),
        Type::INT4 => i32::from_be_bytes(raw.try_into().map_err(malformed)?).into(),
        Type::INT8 => i64::from_be_bytes(raw.try_into().map_err(malformed)?).into(),
        Type::FLOAT4 => {
            let number = f32::from_be_bytes(raw.try_into().map_err(malformed)?);
            // In the decimal digits of the shorter number.
            float(number.to_string().parse().unwrap_or(f64::from(number)))?
        }
        Type::FLOAT8 => float(f64::from_be_bytes(raw.try_into().map_err(malformed)?))?,
        Type::NUMERIC => numeric::json(raw)?,
        Type::DATE => {
            let days = i32::from_be_bytes(raw.try_into().map_err(malformed)?);
            let span = Span::new().try_days(days);
            let day = span.and_then(|span| date(2000, 1, 1).checked_add(span));
            let day = day.map_err(|_| "is no day of the years to 9999; cast it to text")?;
            Value::String(day.to_string())
        }
        Type::TIMESTAMP => Value::String(moment(raw)?),
        Type::TIMESTAMPTZ => Value::String(format!("{}+00", moment(raw)?)),
        Type::TIME => {
            let micros = i64::from_be_bytes(raw.try_into().map_err(malformed)?);
            match micros {
                // Jiff's days do not have it.
                86_400_000_000 => Value::from("24:00:00"),
                _ => Value::String(after_midnight(micros)?.time().to_string()),
            }
        }
        Type::UUID => {
            let bytes: [u8; 16] = raw.try_into().map_err(malformed)?;
            let hex = format!("{:032x}", u128::from_be_bytes(bytes));
            let parts = [
                &hex[..8],
                &hex[8..12],
                &hex[12..16],
                &hex[16..20],
                &hex[20..],
            ];
            Value::String(parts.join("-"))
        }
        Type::JSON => json(raw)?,
        // After the version of the form.
        Type::JSONB => json(raw.get(1..).unwrap_or_default())?,
        _ => match kind.kind() {
            Kind::Domain(base) => value(base, raw)?,
            _ => Value::String(String::from_utf8_lossy(raw).into_owned()),
        },
    })
}

fn json(text: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(text).map_err(|error| format!("is JSON that cannot be read: {error}"))
}

/// A moment as the server writes it in its default style: `2025-03-14 10:30:00.5`.
fn moment(raw: &[u8]) -> Result<String, String> {
    let micros = raw.try_into().map(i64::from_be_bytes);
    let moment = after_midnight(micros.map_err(|_| "has a malformed value")?)?;
    Ok(moment.to_string().replace('T', " "))
}

/// So many microseconds after the beginning of 2000.
fn after_midnight(micros: i64) -> Result<DateTime, String> {
    let span = Span::new().try_microseconds(micros);
    let moment = span.and_then(|span| date(2000, 1, 1).at(0, 0, 0, 0).checked_add(span));
    moment.map_err(|_| "is no moment of the years to 9999; cast it to text".to_owned())
}
