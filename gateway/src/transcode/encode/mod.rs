//! Wire bytes → JSON, in one pass.
//!
//! Encoders write each field in one run and singular fields once, so the walk writes JSON as it reads. Wire bytes may
//! lawfully do otherwise: a field in two runs, a singular field twice, two members of a oneof. The walk notices that by
//! a bit per field, and then all is done again with each message first put in order ([`untangle`]).

mod map;
mod special;
mod untangle;

use super::{
    MAX_DEPTH, output,
    tables::{Field, Form, Kind, Message, MessageId, Shape, Tables},
    wire::{Malformed, Reader, Tag, WireType, unzigzag},
};
use untangle::untangle;

/// Why wire bytes have no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Not wire bytes of the message, or a `string` that is not UTF-8.
    #[error("malformed protobuf")]
    Malformed,
    /// More messages within each other than are allowed.
    #[error("more than {MAX_DEPTH} nested messages")]
    TooDeep,
    /// A value without a JSON form, such as a Timestamp after the year 9999; of the message named.
    #[error("a {0} that JSON cannot express")]
    Inexpressible(&'static str),
}

/// Why a walk ends early.
enum Stop {
    Error(WireError),
    /// The wire is lawful but not in order: begin again, carefully.
    Tangled,
}

impl From<Malformed> for Stop {
    fn from(Malformed: Malformed) -> Self {
        Stop::Error(WireError::Malformed)
    }
}

impl From<WireError> for Stop {
    fn from(error: WireError) -> Self {
        Stop::Error(error)
    }
}

impl Tables {
    /// Appends the JSON of a message's wire bytes to `out`, which is left as it was where this fails.
    pub fn to_json(&self, message: MessageId, wire: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        self.encode(out, |encoder| encoder.message(message, wire, 0))
    }

    /// As [`Tables::to_json`], but of one field of the message: `null` where a message is not set.
    pub(super) fn field_to_json(
        &self,
        of: (MessageId, u32),
        wire: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        self.encode(out, |encoder| encoder.only_field(of, wire))
    }

    /// As [`Tables::to_json`], of a `google.protobuf.Any`, whether or not the descriptors know that type.
    pub(super) fn any_to_json(&self, wire: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        self.encode(out, |encoder| encoder.any(wire, 0))
    }

    fn encode(
        &self,
        out: &mut Vec<u8>,
        walk: impl Fn(&mut Encoder<'_, '_>) -> Result<(), Stop>,
    ) -> Result<(), WireError> {
        let start = out.len();
        for careful in [false, true] {
            match walk(&mut Encoder { tables: self, out, seen: Vec::new(), careful }) {
                Ok(()) => return Ok(()),
                Err(Stop::Tangled) => out.truncate(start),
                Err(Stop::Error(error)) => {
                    out.truncate(start);
                    return Err(error);
                }
            }
        }
        unreachable!("what is untangled is in order")
    }
}

struct Encoder<'t, 'o> {
    tables: &'t Tables,
    out: &'o mut Vec<u8>,
    /// The bits of the messages now open, the innermost last.
    seen: Vec<u64>,
    careful: bool,
}

impl<'t> Encoder<'t, '_> {
    fn message(&mut self, id: MessageId, wire: &[u8], depth: usize) -> Result<(), Stop> {
        if depth >= MAX_DEPTH {
            return Err(WireError::TooDeep.into());
        }
        let message = self.tables.get(id);
        let tidy;
        let wire = if self.careful {
            tidy = untangle(message, wire)?;
            &tidy
        } else {
            wire
        };
        match message.form {
            Form::Object => {
                self.out.push(b'{');
                self.fields(message, wire, true, depth)?;
                self.out.push(b'}');
                Ok(())
            }
            Form::Any => self.any(wire, depth),
            Form::Timestamp => self.timestamp(wire),
            Form::Duration => self.duration(wire),
            Form::FieldMask => self.mask(wire),
            Form::Struct => self.bare_map(message, wire, depth),
            Form::ListValue => self.bare_list(message, wire, depth),
            Form::Value => self.dynamic(message, wire, depth),
            Form::Wrapper => self.wrapper(message, wire),
        }
    }

    /// The members of an object, without its braces. `first`: no member has been written before these.
    fn fields(&mut self, message: &'t Message, wire: &[u8], first: bool, depth: usize) -> Result<(), Stop> {
        let bits = self.seen.len();
        self.seen.resize(bits + message.bits.div_ceil(64), 0);
        let mut comma = usize::from(first);
        let mut reader = Reader::new(wire);
        let mut tag = reader.tag()?;
        while let Some(now) = tag {
            let Some(field) = message.by_number(now.number).filter(|field| fits(field, now.wire)) else {
                reader.skip(now)?;
                tag = reader.tag()?;
                continue;
            };
            let (word, bit) = (bits + field.bit / 64, 1 << (field.bit % 64));
            if self.seen[word] & bit != 0 {
                return Err(Stop::Tangled);
            }
            self.seen[word] |= bit;
            let start = self.out.len();
            self.out.extend_from_slice(&field.key[comma..]);
            let empty;
            (empty, tag) = match field.shape {
                Shape::Single => {
                    let zero = self.value(field.kind, &mut reader, depth)?;
                    (zero && !field.presence, reader.tag()?)
                }
                Shape::List => self.list(field, now, &mut reader, depth)?,
                Shape::Map => (false, self.map(field, &mut reader, depth)?),
            };
            if empty {
                self.out.truncate(start);
            } else {
                comma = 0;
            }
        }
        self.seen.truncate(bits);
        Ok(())
    }

    /// One value; whether it is the zero of its kind, which a field without presence leaves out.
    #[inline]
    fn value(&mut self, kind: Kind, reader: &mut Reader<'_>, depth: usize) -> Result<bool, Stop> {
        let out = &mut *self.out;
        let zero = match kind {
            Kind::String => {
                let text = utf8(reader.delimited()?)?;
                output::string(out, text);
                text.is_empty()
            }
            Kind::Message(id) => {
                let wire = reader.delimited()?;
                self.message(id, wire, depth + 1)?;
                false
            }
            Kind::Enum(id) => {
                let number = reader.varint()? as i32;
                let described = self.tables.get_enum(id);
                match described.quoted(number) {
                    _ if described.is_null => out.extend_from_slice(b"null"),
                    Some(name) => out.extend_from_slice(name),
                    None => output::integer(out, number.into()),
                }
                number == 0
            }
            Kind::Bool => {
                let value = reader.varint()? != 0;
                out.extend_from_slice(if value { b"true" } else { b"false" });
                !value
            }
            Kind::Bytes => {
                let bytes = reader.delimited()?;
                output::bytes(out, bytes);
                bytes.is_empty()
            }
            Kind::Double => {
                let value = f64::from_le_bytes(reader.fixed64()?);
                output::float(out, value, format_args!("{value:?}"));
                value.to_bits() == 0
            }
            Kind::Float => {
                let value = f32::from_le_bytes(reader.fixed32()?);
                output::float(out, value.into(), format_args!("{value:?}"));
                value.to_bits() == 0
            }
            _ => self.integer(kind, reader)?,
        };
        Ok(zero)
    }

    fn integer(&mut self, kind: Kind, reader: &mut Reader<'_>) -> Result<bool, Malformed> {
        let out = &mut *self.out;
        let value = integer(kind, reader)?;
        match kind {
            Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64 => {
                output::quoted_integer(out, value);
            }
            _ => output::integer(out, value),
        }
        Ok(value == 0)
    }

    /// The run of a repeated field that begins with `tag`; whether it holds nothing, and the tag after it.
    fn list(
        &mut self,
        field: &Field,
        mut tag: Tag,
        reader: &mut Reader<'_>,
        depth: usize,
    ) -> Result<(bool, Option<Tag>), Stop> {
        self.out.push(b'[');
        let start = self.out.len();
        let next = loop {
            if tag.wire == field.kind.wire_type() {
                self.value(field.kind, reader, depth)?;
                self.out.push(b',');
            } else {
                let mut packed = Reader::new(reader.delimited()?);
                while !packed.rest().is_empty() {
                    self.value(field.kind, &mut packed, depth)?;
                    self.out.push(b',');
                }
            }
            match reader.tag()? {
                Some(next) if next.number == field.number && fits(field, next.wire) => tag = next,
                next => break next,
            }
        };
        let empty = self.out.len() == start;
        self.end(start, b']');
        Ok((empty, next))
    }

    /// Puts `bracket` in the place of the comma after the last element, if there is an element.
    fn end(&mut self, start: usize, bracket: u8) {
        if self.out.len() > start {
            self.out.pop();
        }
        self.out.push(bracket);
    }

    fn only_field(&mut self, (id, number): (MessageId, u32), wire: &[u8]) -> Result<(), Stop> {
        let message = self.tables.get(id);
        let field = message.by_number(number).ok_or(WireError::Malformed)?;
        let tidy = untangle(message, wire)?;
        let mut reader = Reader::new(&tidy);
        while let Some(tag) = reader.tag()? {
            if tag.number == number && fits(field, tag.wire) {
                match field.shape {
                    Shape::Single => drop(self.value(field.kind, &mut reader, 0)?),
                    Shape::List => drop(self.list(field, tag, &mut reader, 0)?),
                    Shape::Map => drop(self.map(field, &mut reader, 0)?),
                }
                return Ok(());
            }
            reader.skip(tag)?;
        }
        match (field.shape, field.kind) {
            (Shape::List, _) => self.out.extend_from_slice(b"[]"),
            (Shape::Map, _) => self.out.extend_from_slice(b"{}"),
            (Shape::Single, Kind::Message(_)) => self.out.extend_from_slice(b"null"),
            (Shape::Single, kind) => drop(self.value(kind, &mut Reader::new(&[0; 8]), 0)?),
        }
        Ok(())
    }
}

/// Whether a field can be laid out so: as its kind is, or packed.
#[inline]
fn fits(field: &Field, wire: WireType) -> bool {
    let own = field.kind.wire_type();
    wire == own || (wire == WireType::Delimited && field.shape == Shape::List)
}

/// Any integer, wide enough for u64 and i64.
#[inline]
fn integer(kind: Kind, reader: &mut Reader<'_>) -> Result<i128, Malformed> {
    Ok(match kind {
        Kind::Int32 => i128::from(reader.varint()? as i32),
        Kind::Int64 => i128::from(reader.varint()? as i64),
        Kind::Uint32 => i128::from(reader.varint()? as u32),
        Kind::Uint64 => i128::from(reader.varint()?),
        Kind::Sint32 => i128::from(unzigzag(u64::from(reader.varint()? as u32)) as i32),
        Kind::Sint64 => i128::from(unzigzag(reader.varint()?)),
        Kind::Fixed32 => i128::from(u32::from_le_bytes(reader.fixed32()?)),
        Kind::Sfixed32 => i128::from(i32::from_le_bytes(reader.fixed32()?)),
        Kind::Fixed64 => i128::from(u64::from_le_bytes(reader.fixed64()?)),
        Kind::Sfixed64 => i128::from(i64::from_le_bytes(reader.fixed64()?)),
        _ => return Err(Malformed),
    })
}

fn utf8(bytes: &[u8]) -> Result<&str, WireError> {
    std::str::from_utf8(bytes).map_err(|_| WireError::Malformed)
}
