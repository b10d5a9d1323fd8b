//! PostgreSQL's `numeric` in JSON.

use serde_json::{Number, Value};

/// So many significant digits every double-precision number keeps.
const EXACT_DIGITS: usize = 15;

/// A number from its binary form. It is a JSON number if that is exact: an integer of 64
/// bits, or a fraction of up to 15 digits; otherwise text, in the server's form. NaN and
/// infinities are errors.
pub(super) fn json(raw: &[u8]) -> Result<Value, String> {
    let text = decimal(raw)?;
    if let Ok(integer) = text.parse::<i64>() {
        return Ok(Value::from(integer));
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).collect::<Vec<_>>();
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let number = text.parse().ok().and_then(Number::from_f64);
    Ok(match number {
        Some(number) if text.contains('.') && digits.len() - zeros <= EXACT_DIGITS => {
            Value::Number(number)
        }
        _ => Value::String(text),
    })
}

/// The digits of a number. Its binary form is: the number of groups of four digits, the
/// weight of the first, the sign, the number of digits after the point, the groups.
fn decimal(raw: &[u8]) -> Result<String, String> {
    let mut fields = raw
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let mut next = || fields.next().ok_or("has a malformed number");
    let (count, weight, sign, scale) = (next()?, next()?.cast_signed(), next()?, next()?);
    let sign = match sign {
        0x0000 => "",
        0x4000 => "-",
        _ => return Err("is not a finite number, which JSON cannot represent".to_owned()),
    };
    let groups = (0..count).map(|_| next()).collect::<Result<Vec<_>, _>>()?;
    // The group at a power of 10,000; groups of zeros are not stored.
    let group = |power: i32| {
        let at = usize::try_from(i32::from(weight) - power).ok();
        at.and_then(|at| groups.get(at)).copied().unwrap_or(0)
    };
    let mut text = String::from(sign);
    let highest = i32::from(weight).max(0);
    text.push_str(&group(highest).to_string());
    for power in (0..highest).rev() {
        text.push_str(&format!("{:04}", group(power)));
    }
    if scale > 0 {
        let groups = (i32::from(scale) + 3) / 4;
        let digits: String = (1..=groups).map(|n| format!("{:04}", group(-n))).collect();
        text.push('.');
        text.push_str(digits.get(..usize::from(scale)).unwrap_or(&digits));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_json_holds_exactly_are_numbers() {
        let check = |fields: &[u16], expect: &str| {
            let raw: Vec<u8> = fields
                .iter()
                .flat_map(|field| field.to_be_bytes())
                .collect();
            assert_eq!(
                json(&raw).map(|value| value.to_string()),
                Ok(expect.to_owned())
            );
        };
        check(&[0, 0, 0, 0], "0");
        check(&[1, 0, 0x4000, 0, 42], "-42");
        check(&[2, 0, 0, 2, 12, 5000], "12.5");
        check(&[1, 1, 0, 0, 3], "30000");
        check(&[1, 0xFFFF, 0, 4, 7], "0.0007");
        check(&[1, 0xFFFE, 0, 8, 7], "7e-8");
        check(&[3, 2, 0, 3, 1, 2, 3], "100020003.0");
        check(&[1, 4, 0, 2, 1], "\"10000000000000000.00\"");
        check(&[1, 5, 0, 0, 1], "\"100000000000000000000\"");
        for raw in [
            &[][..],
            &[0; 7],
            &[0, 1, 0, 0, 0, 0, 0, 0],
            &[0, 0, 0, 0, 0xC0, 0, 0, 0],
        ] {
            assert!(json(raw).is_err(), "{raw:?}");
        }
    }
}
