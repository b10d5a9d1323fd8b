//! Decodes the messages of PostgreSQL's `pgoutput` plugin, protocol version 1.

use bytes::Buf;

/// A message that cannot be decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message<'m> {
    /// A transaction begins, with the low 32 bits of its number. Only those that have
    /// committed are sent.
    Begin {
        xid: u32,
    },
    /// The transaction's end, and its time in microseconds since 2000.
    Commit {
        end: u64,
        micros: i64,
    },
    /// What a table looks like in the rows that follow.
    Relation(Relation<'m>),
    Insert {
        table: u32,
        new: Tuple<'m>,
    },
    Update {
        table: u32,
        old: Option<Old<'m>>,
        new: Tuple<'m>,
    },
    Delete {
        table: u32,
        old: Old<'m>,
    },
    Truncate {
        tables: Vec<u32>,
    },
    /// Nothing that matters here: an origin, a type.
    Other,
}

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Relation<'m> {
    pub(super) table: u32,
    pub(super) name: &'m str,
    pub(super) columns: Vec<Column<'m>>,
}

/// A column of a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Column<'m> {
    /// Whether it belongs to the replica identity.
    pub(super) is_identity: bool,
    pub(super) name: &'m str,
    /// The number of its type.
    pub(super) kind: u32,
}

/// What is sent of a row before its change.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Old<'m> {
    /// The columns of the replica identity; the others are NULL here.
    Identity(Tuple<'m>),
    Row(Tuple<'m>),
}

/// The columns of a row.
pub(super) type Tuple<'m> = Vec<Datum<'m>>;

/// The value of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Datum<'m> {
    Null,
    /// A large value that did not change, and is not sent.
    Unchanged,
    Text(&'m [u8]),
    Binary,
}

/// Decodes one message. Never panics; its memory is a small multiple of the message's length.
pub(super) fn decode(bytes: &[u8]) -> Result<Message<'_>, Malformed> {
    let mut rest = Rest(bytes);
    let message = match rest.u8()? {
        b'B' => {
            rest.take(16)?;
            Message::Begin { xid: rest.u32()? }
        }
        b'C' => {
            rest.take(9)?;
            Message::Commit {
                end: rest.u64()?,
                micros: rest.u64()?.cast_signed(),
            }
        }
        b'R' => Message::Relation(rest.relation()?),
        b'I' => {
            let table = rest.u32()?;
            match rest.u8()? {
                b'N' => Message::Insert {
                    table,
                    new: rest.tuple()?,
                },
                _ => return Err(Malformed),
            }
        }
        b'U' => {
            let table = rest.u32()?;
            let mut mark = rest.u8()?;
            let mut old = None;
            if mark != b'N' {
                old = Some(rest.old(mark)?);
                mark = rest.u8()?;
            }
            match mark {
                b'N' => Message::Update {
                    table,
                    old,
                    new: rest.tuple()?,
                },
                _ => return Err(Malformed),
            }
        }
        b'D' => {
            let table = rest.u32()?;
            let mark = rest.u8()?;
            Message::Delete {
                table,
                old: rest.old(mark)?,
            }
        }
        b'T' => {
            let count = rest.u32()?;
            rest.u8()?;
            let tables = (0..count).map(|_| rest.u32()).collect::<Result<_, _>>()?;
            Message::Truncate { tables }
        }
        b'O' | b'Y' | b'M' => return Ok(Message::Other),
        _ => return Err(Malformed),
    };
    match rest.0 {
        [] => Ok(message),
        _ => Err(Malformed),
    }
}

/// What is not decoded yet.
struct Rest<'m>(&'m [u8]);

impl<'m> Rest<'m> {
    fn u8(&mut self) -> Result<u8, Malformed> {
        self.0.try_get_u8().map_err(|_| Malformed)
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        self.0.try_get_u16().map_err(|_| Malformed)
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        self.0.try_get_u32().map_err(|_| Malformed)
    }

    fn u64(&mut self) -> Result<u64, Malformed> {
        self.0.try_get_u64().map_err(|_| Malformed)
    }

    fn take(&mut self, length: usize) -> Result<&'m [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A text that ends in a zero byte.
    fn text(&mut self) -> Result<&'m str, Malformed> {
        let length = self.0.iter().position(|&byte| byte == 0);
        let text = self.take(length.ok_or(Malformed)?)?;
        self.u8()?;
        std::str::from_utf8(text).map_err(|_| Malformed)
    }

    fn relation(&mut self) -> Result<Relation<'m>, Malformed> {
        let table = self.u32()?;
        // The schema: tables are known by their numbers.
        self.text()?;
        let name = self.text()?;
        self.u8()?;
        let count = self.u16()?;
        let column = |_| {
            let is_identity = self.u8()? & 1 == 1;
            let (name, kind) = (self.text()?, self.u32()?);
            self.u32()?;
            Ok(Column {
                is_identity,
                name,
                kind,
            })
        };
        let columns = (0..count).map(column).collect::<Result<_, _>>()?;
        Ok(Relation {
            table,
            name,
            columns,
        })
    }

    fn old(&mut self, mark: u8) -> Result<Old<'m>, Malformed> {
        match mark {
            b'K' => Ok(Old::Identity(self.tuple()?)),
            b'O' => Ok(Old::Row(self.tuple()?)),
            _ => Err(Malformed),
        }
    }

    fn tuple(&mut self) -> Result<Tuple<'m>, Malformed> {
        let count = self.u16()?;
        let datum = |_| match self.u8()? {
            b'n' => Ok(Datum::Null),
            b'u' => Ok(Datum::Unchanged),
            mark @ (b't' | b'b') => {
                let length = self.u32()?;
                let value = self.take(length as usize)?;
                match mark {
                    b't' => Ok(Datum::Text(value)),
                    _ => Ok(Datum::Binary),
                }
            }
            _ => Err(Malformed),
        };
        (0..count).map(datum).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RELATION: &[u8] =
        b"R\0\0\0\x07public\0claims\0d\0\x02\x01id\0\0\0\0\x17\xff\xff\xff\xff\0owner\0\0\0\0\x19\xff\xff\xff\xff";
    const UPDATE: &[u8] = b"U\0\0\0\x07K\0\x02t\0\0\0\x011nN\0\x02t\0\0\0\x012u";

    #[test]
    fn messages_are_decoded() {
        let column = |is_identity, name, kind| Column {
            is_identity,
            name,
            kind,
        };
        assert_eq!(
            decode(RELATION),
            Ok(Message::Relation(Relation {
                table: 7,
                name: "claims",
                columns: vec![column(true, "id", 23), column(false, "owner", 25)],
            }))
        );
        assert_eq!(
            decode(UPDATE),
            Ok(Message::Update {
                table: 7,
                old: Some(Old::Identity(vec![Datum::Text(b"1"), Datum::Null])),
                new: vec![Datum::Text(b"2"), Datum::Unchanged],
            })
        );
        assert_eq!(
            decode(b"T\0\0\0\x02\0\0\0\0\x07\0\0\0\x08"),
            Ok(Message::Truncate { tables: vec![7, 8] })
        );
        // Nothing may be missing, and nothing may follow.
        for message in [RELATION, UPDATE] {
            for length in 0..message.len() {
                assert_eq!(decode(&message[..length]), Err(Malformed));
            }
            assert_eq!(decode(&[message, b"\0"].concat()), Err(Malformed));
        }
        // A count that the message cannot hold takes no memory.
        assert_eq!(decode(b"T\xff\xff\xff\xff\0"), Err(Malformed));
    }

    proptest! {
        #[test]
        fn prop_no_message_panics(
            begins in prop::sample::select(&b"BCRIUDTOY"[..]),
            rest in prop::collection::vec(any::<u8>(), 0..64),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let _ = decode(&[&[begins], &rest[..]].concat());
            for message in [RELATION, UPDATE] {
                let mut altered = message.to_vec();
                altered[at.index(message.len())] = byte;
                let _ = decode(&altered);
            }
        }
    }
}
