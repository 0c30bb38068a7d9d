//! The tables: every message and enum of the descriptors, as indices, numbers and ready-made JSON keys.

use std::collections::HashMap;

use prost_reflect::{Cardinality, DescriptorPool, EnumDescriptor, FieldDescriptor, MessageDescriptor};

use super::{output, wire::WireType};

/// A message's place in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageId(u32);

/// An enum's place in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EnumId(u32);

/// Every message and enum of a descriptor pool, made for reading and writing; holds nothing of the pool itself.
pub struct Tables {
    messages: Vec<Message>,
    enums: Vec<Enum>,
    ids: HashMap<Box<str>, MessageId>,
}

/// One message.
pub(super) struct Message {
    pub(super) full_name: Box<str>,
    pub(super) form: Form,
    pub(super) fields: Box<[Field]>,
    /// Field index by number, for small numbers; `NONE` where there is no such field.
    dense: Box<[u16]>,
    /// Field index by number, for the others, sorted.
    sparse: Box<[(u32, u16)]>,
    /// Field index by JSON name and by proto name, sorted by length, then bytes: most misses end at the length.
    names: Box<[(Box<str>, u16)]>,
    /// How many bits tell fields and oneofs apart: see [`Field::bit`].
    pub(super) bits: usize,
}

/// How a message looks in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Object,
    Any,
    Timestamp,
    Duration,
    FieldMask,
    Struct,
    Value,
    ListValue,
    /// `google.protobuf.*Value`: the value of its only field.
    Wrapper,
}

/// One field.
pub(super) struct Field {
    pub(super) number: u32,
    /// The name in the .proto file.
    pub(super) name: Box<str>,
    /// `,"jsonName":`, ready to be written.
    pub(super) key: Box<[u8]>,
    pub(super) kind: Kind,
    pub(super) shape: Shape,
    /// Present even when zero: `optional`, members of oneofs, messages.
    pub(super) presence: bool,
    pub(super) packed: bool,
    /// Of its own or, in a oneof, shared by its members: two fields with one bit cannot be in a message together.
    pub(super) bit: usize,
}

/// How often a field occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Single,
    List,
    /// The field's kind is the entry message, with `key` = 1 and `value` = 2.
    Map,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    Enum(EnumId),
    Message(MessageId),
}

/// One enum.
pub(super) struct Enum {
    /// `google.protobuf.NullValue`, which is JSON's null.
    pub(super) is_null: bool,
    /// Values by number, sorted, with the first name of each in quotes.
    by_number: Box<[(i32, Box<[u8]>)]>,
    /// All names, by number.
    names: Box<[(Box<str>, i32)]>,
}

const NONE: u16 = u16::MAX;
/// Field numbers below this are looked up by index.
const DENSE: u32 = 512;

impl Tables {
    /// Tables of every message and enum in `pool`; extensions and groups are left out.
    pub fn new(pool: &DescriptorPool) -> Tables {
        let messages: Vec<_> = pool.all_messages().collect();
        let enums: Vec<_> = pool.all_enums().collect();
        let numbering = Numbering {
            messages: messages.iter().zip(0..).map(|(m, i)| (m.full_name().into(), MessageId(i))).collect(),
            enums: enums.iter().zip(0..).map(|(e, i)| (e.full_name().into(), EnumId(i))).collect(),
        };
        Tables {
            messages: messages.iter().map(|m| Message::new(m, &numbering)).collect(),
            enums: enums.iter().map(Enum::new).collect(),
            ids: numbering.messages,
        }
    }

    /// The message of that name, e.g. `jingwei.grid.v1.Event`.
    pub fn message(&self, full_name: &str) -> Option<MessageId> {
        self.ids.get(full_name).copied()
    }

    #[inline]
    pub(super) fn get(&self, id: MessageId) -> &Message {
        &self.messages[id.0 as usize]
    }

    #[inline]
    pub(super) fn get_enum(&self, id: EnumId) -> &Enum {
        &self.enums[id.0 as usize]
    }

    /// The key and value fields of a map field's entries.
    pub(super) fn entry(&self, map: &Field) -> Option<(&Field, &Field)> {
        let Kind::Message(entry) = map.kind else { return None };
        let entry = self.get(entry);
        Some((entry.by_number(1)?, entry.by_number(2)?))
    }
}

/// Where each message and enum will be.
struct Numbering {
    messages: HashMap<Box<str>, MessageId>,
    enums: HashMap<Box<str>, EnumId>,
}

impl Message {
    fn new(message: &MessageDescriptor, numbering: &Numbering) -> Message {
        let described: Vec<_> = message.fields().filter(|f| !f.is_group()).collect();
        let first_oneof = described.len();
        let fields: Box<[Field]> = described
            .iter()
            .enumerate()
            .map(|(index, field)| Field::new(field, index, first_oneof, numbering))
            .collect();
        let numbered = || fields.iter().zip(0u16..).map(|(f, index)| (f.number, index));
        let top = numbered().map(|(number, _)| number).filter(|n| *n < DENSE).max().unwrap_or(0);
        let mut dense = vec![NONE; top as usize + 1];
        let mut sparse = Vec::new();
        for (number, index) in numbered() {
            match dense.get_mut(number as usize) {
                Some(slot) => *slot = index,
                None => sparse.push((number, index)),
            }
        }
        sparse.sort_unstable();
        let mut names: Vec<(Box<str>, u16)> = Vec::new();
        for (field, index) in described.iter().zip(0..) {
            names.push((field.json_name().into(), index));
            names.push((field.name().into(), index));
        }
        names.sort_unstable_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        names.dedup();
        let bits = first_oneof + message.oneofs().len();
        let (full_name, form) = (message.full_name().into(), Form::of(message.full_name()));
        let (dense, sparse, names) = (dense.into(), sparse.into(), names.into());
        Message { full_name, form, fields, dense, sparse, names, bits }
    }

    #[inline]
    pub(super) fn by_number(&self, number: u32) -> Option<&Field> {
        let index = match self.dense.get(number as usize) {
            Some(&index) => index,
            None => {
                let at = self.sparse.binary_search_by_key(&number, |(n, _)| *n).ok()?;
                self.sparse[at].1
            }
        };
        self.fields.get(usize::from(index))
    }

    /// The field of that JSON or proto name, with its index.
    pub(super) fn by_name(&self, name: &str) -> Option<(usize, &Field)> {
        let order = |(n, _): &(Box<str>, u16)| (n.len(), &**n).cmp(&(name.len(), name));
        let index = usize::from(self.names[self.names.binary_search_by(order).ok()?].1);
        Some((index, &self.fields[index]))
    }
}

impl Form {
    fn of(full_name: &str) -> Form {
        let Some(name) = full_name.strip_prefix("google.protobuf.") else { return Form::Object };
        match name {
            "Any" => Form::Any,
            "Timestamp" => Form::Timestamp,
            "Duration" => Form::Duration,
            "FieldMask" => Form::FieldMask,
            "Struct" => Form::Struct,
            "Value" => Form::Value,
            "ListValue" => Form::ListValue,
            "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value" | "UInt32Value"
            | "BoolValue" | "StringValue" | "BytesValue" => Form::Wrapper,
            _ => Form::Object,
        }
    }
}

impl Field {
    fn new(field: &FieldDescriptor, index: usize, first_oneof: usize, numbering: &Numbering) -> Field {
        let shape = match field.cardinality() {
            _ if field.is_map() => Shape::Map,
            Cardinality::Repeated => Shape::List,
            Cardinality::Optional | Cardinality::Required => Shape::Single,
        };
        let oneof = field
            .containing_oneof()
            .and_then(|oneof| field.parent_message().oneofs().position(|o| o.name() == oneof.name()));
        Field {
            number: field.number(),
            name: field.name().into(),
            key: key(field.json_name()),
            kind: Kind::new(&field.kind(), numbering),
            shape,
            presence: field.supports_presence(),
            packed: field.is_packed(),
            bit: oneof.map_or(index, |oneof| first_oneof + oneof),
        }
    }

    /// The name in JSON: what stands in quotes in the key.
    pub(super) fn json_name(&self) -> &str {
        std::str::from_utf8(&self.key[2..self.key.len() - 2]).unwrap_or(&self.name)
    }
}

fn key(json_name: &str) -> Box<[u8]> {
    let mut key = vec![b','];
    output::string(&mut key, json_name);
    key.push(b':');
    key.into()
}

impl Kind {
    fn new(kind: &prost_reflect::Kind, numbering: &Numbering) -> Kind {
        use prost_reflect::Kind as K;
        match kind {
            K::Double => Kind::Double,
            K::Float => Kind::Float,
            K::Int32 => Kind::Int32,
            K::Int64 => Kind::Int64,
            K::Uint32 => Kind::Uint32,
            K::Uint64 => Kind::Uint64,
            K::Sint32 => Kind::Sint32,
            K::Sint64 => Kind::Sint64,
            K::Fixed32 => Kind::Fixed32,
            K::Fixed64 => Kind::Fixed64,
            K::Sfixed32 => Kind::Sfixed32,
            K::Sfixed64 => Kind::Sfixed64,
            K::Bool => Kind::Bool,
            K::String => Kind::String,
            K::Bytes => Kind::Bytes,
            K::Enum(e) => Kind::Enum(numbering.enums[e.full_name()]),
            K::Message(m) => Kind::Message(numbering.messages[m.full_name()]),
        }
    }

    #[inline]
    pub(super) fn wire_type(self) -> WireType {
        match self {
            Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => WireType::Fixed64,
            Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => WireType::Fixed32,
            Kind::String | Kind::Bytes | Kind::Message(_) => WireType::Delimited,
            Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Sint32 | Kind::Sint64 => {
                WireType::Varint
            }
            Kind::Bool | Kind::Enum(_) => WireType::Varint,
        }
    }
}

impl Enum {
    fn new(described: &EnumDescriptor) -> Enum {
        let mut by_number: Vec<(i32, Box<[u8]>)> = described
            .values()
            .map(|v| (v.number(), format!("\"{}\"", v.name()).into_bytes().into()))
            .collect();
        // Stable: of two names for one number the first in the file stays first.
        by_number.sort_by_key(|(number, _)| *number);
        by_number.dedup_by_key(|(number, _)| *number);
        Enum {
            is_null: described.full_name() == "google.protobuf.NullValue",
            by_number: by_number.into(),
            names: described.values().map(|v| (v.name().into(), v.number())).collect(),
        }
    }

    /// The name of a number, in quotes.
    #[inline]
    pub(super) fn quoted(&self, number: i32) -> Option<&[u8]> {
        // Most enums count from 0: then the number is the index.
        match self.by_number.get(number as usize) {
            Some((n, name)) if *n == number => Some(name),
            _ => {
                let at = self.by_number.binary_search_by_key(&number, |(n, _)| *n).ok()?;
                Some(&self.by_number[at].1)
            }
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<i32> {
        self.names.iter().find(|(n, _)| **n == *name).map(|(_, number)| *number)
    }

    /// All names, by number.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| &**name)
    }
}
