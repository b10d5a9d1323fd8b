//! Positions in the write-ahead log, as PostgreSQL writes them.

use crate::changes::event::Position;

/// Two hexadecimal numbers of up to eight digits: `16/B374D848`.
pub(super) fn position(text: &str) -> Option<Position> {
    let (high, low) = text.split_once('/')?;
    let part = |text: &str| {
        let is_number = text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u64::from_str_radix(text, 16).ok().filter(|_| is_number)
    };
    Some(Position(part(high)? << 32 | part(low)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_two_hexadecimal_numbers() {
        assert_eq!(position("16/B374D848"), Some(Position(0x16_B374_D848)));
        assert_eq!(position("0/0"), Some(Position(0)));
        assert_eq!(position("ffffffff/FFFFFFFF"), Some(Position(u64::MAX)));
        for bad in [
            "",
            "/",
            "1",
            "1/",
            "/1",
            "+1/1",
            "1/-1",
            "1/1/1",
            "100000000/0",
            "0/G",
            " 0/1",
        ] {
            assert_eq!(position(bad), None, "{bad:?}");
        }
    }
}
