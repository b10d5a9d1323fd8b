//! JSON strings in ASCII, escaped as CPython escapes them.

/// Takes JSON text piece by piece. Every piece is ASCII.
pub(crate) trait Sink {
    /// Appends `ascii`.
    fn put(&mut self, ascii: &[u8]);
}

impl Sink for Vec<u8> {
    fn put(&mut self, ascii: &[u8]) {
        self.extend_from_slice(ascii);
    }
}

/// Appends `text` as a JSON string.
#[inline]
pub(crate) fn write_string(out: &mut impl Sink, text: &str) {
    out.put(b"\"");
    let mut rest = text;
    loop {
        let (plain, escaped) = rest.split_at(plain_prefix(rest.as_bytes()));
        out.put(plain.as_bytes());
        let mut chars = escaped.chars();
        let Some(c) = chars.next() else { break };
        write_escape(out, c);
        rest = chars.as_str();
    }
    out.put(b"\"");
}

/// Whether a byte needs no escape in an ASCII JSON string.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// The number of bytes at the start that need no escape.
#[inline]
fn plain_prefix(bytes: &[u8]) -> usize {
    let words = bytes.chunks_exact(8);
    let plain_words = words
        .take_while(|word| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(word);
            all_plain(u64::from_le_bytes(bytes))
        })
        .count();
    let sure = plain_words * 8;
    let more = bytes[sure..].iter().take_while(|&&byte| is_plain(byte));
    sure + more.count()
}

/// Whether all eight bytes are plain.
#[inline]
const fn all_plain(word: u64) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
    /// The high bit of each zero byte, and possibly of bytes above one.
    const fn zero(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word
    }
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let delete = zero(word ^ (ONES * 0x7f));
    let quote = zero(word ^ (ONES * b'"' as u64));
    let backslash = zero(word ^ (ONES * b'\\' as u64));
    (word | control | delete | quote | backslash) & HIGHS == 0
}

/// Appends the escape of a character that is not plain.
fn write_escape(out: &mut impl Sink, c: char) {
    let short = match c {
        '"' => br#"\""#,
        '\\' => br"\\",
        '\n' => br"\n",
        '\r' => br"\r",
        '\t' => br"\t",
        '\u{8}' => br"\b",
        '\u{c}' => br"\f",
        _ => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let [a, b, c, d] = hex(&unit.to_be_bytes());
                out.put(&[b'\\', b'u', a, b, c, d]);
            }
            return;
        }
    };
    out.put(short);
}

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Two hex digits for each byte of `bytes`; `N` is twice their number.
pub(crate) fn hex<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut digits = [b'0'; N];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = HEX_DIGITS[usize::from(byte >> 4)];
        pair[1] = HEX_DIGITS[usize::from(byte & 0xf)];
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let mut written = Vec::new();
        write_string(&mut written, text);
        assert_eq!(String::from_utf8(written).unwrap(), expect, "{text:?}");
    }

    #[test]
    fn strings_are_escaped_as_python_escapes_them() {
        check("", r#""""#);
        check("a/b ~ it's", r#""a/b ~ it's""#);
        check("\"\\", r#""\"\\""#);
        check(
            "\u{8}\t\n\u{b}\u{c}\r\0\u{1f}",
            r#""\b\t\n\u000b\f\r\u0000\u001f""#,
        );
        check("\u{7f}\u{80}é", r#""\u007f\u0080\u00e9""#);
        check("\u{2028}\u{ffff}", r#""\u2028\uffff""#);
        check("a👩z", r#""a\ud83d\udc69z""#);
    }

    /// The scan by words agrees with the definition, for every position in a
    /// word and every neighbour.
    #[test]
    fn plain_bytes_are_found_at_every_place() {
        for byte in 0..=u8::MAX {
            for neighbour in [b' ', b'a', b'~', b'"' + 1, b'\\' - 1, 0x80] {
                for at in 0..20 {
                    let mut bytes = [neighbour; 20];
                    bytes[at] = byte;
                    let expect = bytes.iter().take_while(|&&b| is_plain(b)).count();
                    assert_eq!(plain_prefix(&bytes), expect, "{byte:#x} at {at}");
                }
            }
        }
    }
}
