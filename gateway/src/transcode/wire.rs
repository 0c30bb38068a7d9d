//! The protobuf wire format: reading and writing tags, varints and length-delimited fields.

use super::MAX_DEPTH;

/// The wire ends early, holds an impossible tag, or nests groups too deeply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// How a field is laid out on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WireType {
    Varint,
    Fixed64,
    Delimited,
    GroupStart,
    GroupEnd,
    Fixed32,
}

/// A field's number and layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) number: u32,
    pub(super) wire: WireType,
}

/// A cursor over wire bytes.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// What is not yet read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next tag; none at the end.
    #[inline]
    pub(super) fn tag(&mut self) -> Result<Option<Tag>, Malformed> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = u32::try_from(self.varint()?).map_err(|_| Malformed)?;
        let wire = match key & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Delimited,
            3 => WireType::GroupStart,
            4 => WireType::GroupEnd,
            5 => WireType::Fixed32,
            _ => return Err(Malformed),
        };
        let number = key >> 3;
        if number == 0 { Err(Malformed) } else { Ok(Some(Tag { number, wire })) }
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, Malformed> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for (i, byte) in self.rest.iter().take(10).enumerate() {
            // The tenth byte has room for one bit; what is above it is dropped, as every decoder does.
            value |= u64::from(byte & 0x7f) << (7 * i);
            if *byte < 0x80 {
                self.rest = &self.rest[i + 1..];
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    #[inline]
    pub(super) fn fixed32(&mut self) -> Result<[u8; 4], Malformed> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*head)
    }

    #[inline]
    pub(super) fn fixed64(&mut self) -> Result<[u8; 8], Malformed> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*head)
    }

    /// The content of a length-delimited field.
    #[inline]
    pub(super) fn delimited(&mut self) -> Result<&'a [u8], Malformed> {
        let len = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
        let (head, rest) = self.rest.split_at_checked(len).ok_or(Malformed)?;
        self.rest = rest;
        Ok(head)
    }

    /// Passes over the value after `tag`.
    pub(super) fn skip(&mut self, tag: Tag) -> Result<(), Malformed> {
        self.skip_within(tag, MAX_DEPTH)
    }

    fn skip_within(&mut self, tag: Tag, depth: usize) -> Result<(), Malformed> {
        match tag.wire {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed64 => self.fixed64().map(drop),
            WireType::Fixed32 => self.fixed32().map(drop),
            WireType::Delimited => self.delimited().map(drop),
            WireType::GroupEnd => Err(Malformed),
            WireType::GroupStart => {
                let depth = depth.checked_sub(1).ok_or(Malformed)?;
                loop {
                    match self.tag()?.ok_or(Malformed)? {
                        Tag { wire: WireType::GroupEnd, number } if number == tag.number => return Ok(()),
                        inner => self.skip_within(inner, depth)?,
                    }
                }
            }
        }
    }
}

/// Appends a varint.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a field's tag.
pub(super) fn put_tag(out: &mut Vec<u8>, number: u32, wire: WireType) {
    let wire = match wire {
        WireType::Varint => 0,
        WireType::Fixed64 => 1,
        WireType::Delimited => 2,
        WireType::GroupStart => 3,
        WireType::GroupEnd => 4,
        WireType::Fixed32 => 5,
    };
    put_varint(out, u64::from(number) << 3 | wire);
}

/// Appends bytes with their length before them.
pub(super) fn put_delimited(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Leaves room for a length of one byte, the usual case; [`close`] makes more where it must.
pub(super) fn open(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len()
}

/// Writes the length of what was appended since [`open`] before it.
pub(super) fn close(out: &mut Vec<u8>, start: usize) {
    let len = out.len() - start;
    if len < 0x80 {
        out[start - 1] = len as u8;
        return;
    }
    let mut prefix = Vec::with_capacity(10);
    put_varint(&mut prefix, len as u64);
    out.splice(start - 1..start, prefix);
}

/// ZigZag: small numbers of both signs become small varints.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The inverse of [`zigzag`].
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_every_size_are_written_before_the_content() {
        for len in [0, 1, 127, 128, 16_383, 16_384, 70_000] {
            let mut out = vec![9];
            let start = open(&mut out);
            out.resize(start + len, 7);
            close(&mut out, start);
            let mut reader = Reader::new(&out[1..]);
            assert_eq!(reader.delimited().unwrap(), vec![7; len]);
            assert!(reader.rest().is_empty());
        }
    }

    #[test]
    fn varints_and_zigzag_come_back() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(Reader::new(&out).varint(), Ok(value));
        }
        for value in [0, -1, 1, i64::MIN, i64::MAX] {
            assert_eq!(unzigzag(zigzag(value)), value);
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let cases: [&[u8]; 6] = [&[0x00], &[0x0f], &[0x08], &[0x12, 5, 1], &[0x0c], &[0x80; 11]];
        for case in cases {
            let mut reader = Reader::new(case);
            let read = reader.tag().and_then(|tag| reader.skip(tag.expect("not empty")));
            assert_eq!(read, Err(Malformed), "{case:?}");
        }
    }

    #[test]
    fn groups_are_skipped_whole_and_only_so_deep() {
        let mut reader = Reader::new(&[0x0b, 0x10, 0x01, 0x13, 0x14, 0x0c, 0x08, 0x05]);
        let tag = reader.tag().unwrap().unwrap();
        reader.skip(tag).unwrap();
        assert_eq!(reader.rest(), [0x08, 0x05]);
        let bottomless = [0x0b; 100_000];
        let mut reader = Reader::new(&bottomless);
        let tag = reader.tag().unwrap().unwrap();
        assert_eq!(reader.skip(tag), Err(Malformed));
    }
}
