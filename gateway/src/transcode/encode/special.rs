//! The messages of google.protobuf that JSON writes in a form of their own.

use std::borrow::Cow;

use super::{
    super::{
        MAX_DEPTH, output,
        tables::{Form, Kind, Message},
        wellknown,
        wire::{Malformed, Reader, Tag, WireType},
    },
    Encoder, Stop, WireError, fits, untangle, utf8,
};

impl<'t> Encoder<'t, '_> {
    pub(super) fn timestamp(&mut self, wire: &[u8]) -> Result<(), Stop> {
        let (seconds, nanos) = seconds_and_nanos(wire)?;
        express(wellknown::put_timestamp(self.out, seconds, nanos), "Timestamp")
    }

    pub(super) fn duration(&mut self, wire: &[u8]) -> Result<(), Stop> {
        let (seconds, nanos) = seconds_and_nanos(wire)?;
        express(wellknown::put_duration(self.out, seconds, nanos), "Duration")
    }

    pub(super) fn any(&mut self, wire: &[u8], depth: usize) -> Result<(), Stop> {
        let (mut url, mut value) = ("", &[][..]);
        let mut reader = Reader::new(wire);
        while let Some(tag) = reader.tag()? {
            match (tag.number, tag.wire) {
                (1, WireType::Delimited) => url = utf8(reader.delimited()?)?,
                (2, WireType::Delimited) => value = reader.delimited()?,
                _ => reader.skip(tag)?,
            }
        }
        if url.is_empty() && value.is_empty() {
            self.out.extend_from_slice(b"{}");
            return Ok(());
        }
        self.out.extend_from_slice(b"{\"@type\":");
        output::string(self.out, url);
        let known = url.rsplit_once('/').and_then(|(_, name)| self.tables.message(name));
        match known {
            Some(id) if self.tables.get(id).form == Form::Object => {
                if depth + 1 >= MAX_DEPTH {
                    return Err(WireError::TooDeep.into());
                }
                let message = self.tables.get(id);
                let tidy = if self.careful { Cow::from(untangle(message, value)?) } else { Cow::from(value) };
                self.fields(message, &tidy, false, depth + 1)?;
            }
            Some(id) => {
                self.out.extend_from_slice(b",\"value\":");
                self.message(id, value, depth + 1)?;
            }
            None => {
                self.out.extend_from_slice(b",\"value\":");
                output::bytes(self.out, value);
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    pub(super) fn mask(&mut self, wire: &[u8]) -> Result<(), Stop> {
        self.out.push(b'"');
        let start = self.out.len();
        for path in delimited(wire, 1)? {
            express(wellknown::put_mask_path(self.out, utf8(path)?), "FieldMask")?;
            self.out.push(b',');
        }
        self.end(start, b'"');
        Ok(())
    }

    pub(super) fn bare_map(&mut self, message: &'t Message, wire: &[u8], depth: usize) -> Result<(), Stop> {
        let field = message.by_number(1).ok_or(WireError::Malformed)?;
        self.entries(field, &delimited(wire, 1)?, depth)
    }

    pub(super) fn bare_list(&mut self, message: &'t Message, wire: &[u8], depth: usize) -> Result<(), Stop> {
        let Some(Kind::Message(value)) = message.by_number(1).map(|f| f.kind) else {
            return Err(WireError::Malformed.into());
        };
        self.out.push(b'[');
        let start = self.out.len();
        for element in delimited(wire, 1)? {
            self.message(value, element, depth + 1)?;
            self.out.push(b',');
        }
        self.end(start, b']');
        Ok(())
    }

    /// A `google.protobuf.Value`; one that says nothing is null.
    pub(super) fn dynamic(&mut self, message: &'t Message, wire: &[u8], depth: usize) -> Result<(), Stop> {
        let start = self.out.len();
        let mut reader = Reader::new(wire);
        while let Some(tag) = reader.tag()? {
            let Some(field) = message.by_number(tag.number).filter(|field| fits(field, tag.wire)) else {
                reader.skip(tag)?;
                continue;
            };
            if self.out.len() > start {
                return Err(Stop::Tangled);
            }
            self.value(field.kind, &mut reader, depth)?;
            // The strings "NaN" and "Infinity" would come back as strings.
            if field.kind == Kind::Double && self.out[start] == b'"' {
                return Err(WireError::Inexpressible("Value").into());
            }
        }
        if self.out.len() == start {
            self.out.extend_from_slice(b"null");
        }
        Ok(())
    }

    pub(super) fn wrapper(&mut self, message: &'t Message, wire: &[u8]) -> Result<(), Stop> {
        let field = message.by_number(1).ok_or(WireError::Malformed)?;
        let mut last = Reader::new(&[0; 8]);
        let mut reader = Reader::new(wire);
        while let Some(tag) = reader.tag()? {
            if tag.number == 1 && tag.wire == field.kind.wire_type() {
                last = reader;
            }
            reader.skip(tag)?;
        }
        self.value(field.kind, &mut last, 0)?;
        Ok(())
    }
}

/// The contents of a length-delimited field, as often as it occurs.
fn delimited(wire: &[u8], number: u32) -> Result<Vec<&[u8]>, Malformed> {
    let mut found = Vec::new();
    let mut reader = Reader::new(wire);
    while let Some(tag) = reader.tag()? {
        match tag {
            Tag { wire: WireType::Delimited, number: n } if n == number => found.push(reader.delimited()?),
            other => reader.skip(other)?,
        }
    }
    Ok(found)
}

fn seconds_and_nanos(wire: &[u8]) -> Result<(i64, i32), Malformed> {
    let (mut seconds, mut nanos) = (0, 0);
    let mut reader = Reader::new(wire);
    while let Some(tag) = reader.tag()? {
        match (tag.number, tag.wire) {
            (1, WireType::Varint) => seconds = reader.varint()? as i64,
            (2, WireType::Varint) => nanos = reader.varint()? as i32,
            _ => reader.skip(tag)?,
        }
    }
    Ok((seconds, nanos))
}

fn express(written: Option<()>, name: &'static str) -> Result<(), Stop> {
    written.ok_or(WireError::Inexpressible(name).into())
}
