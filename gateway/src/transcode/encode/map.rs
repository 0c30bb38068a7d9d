//! Map fields: entries on the wire → the members of one JSON object.

use std::borrow::Cow;

use super::{
    super::{
        output,
        tables::{Field, Kind},
        wire::{Reader, Tag},
    },
    Encoder, Stop, WireError, fits, integer, untangle, utf8,
};

impl<'t> Encoder<'t, '_> {
    /// The run of a map field; the tag after it.
    pub(super) fn map(
        &mut self,
        field: &'t Field,
        reader: &mut Reader<'_>,
        depth: usize,
    ) -> Result<Option<Tag>, Stop> {
        let mut entries = vec![reader.delimited()?];
        let next = loop {
            match reader.tag()? {
                Some(next) if next.number == field.number && fits(field, next.wire) => {
                    entries.push(reader.delimited()?);
                }
                next => break next,
            }
        };
        self.entries(field, &entries, depth)?;
        Ok(next)
    }

    /// An object of map entries, sorted by key; of entries with one key the last counts.
    pub(super) fn entries(&mut self, field: &'t Field, entries: &[&[u8]], depth: usize) -> Result<(), Stop> {
        let Kind::Message(id) = field.kind else { return Err(WireError::Malformed.into()) };
        let (key, value) = self.tables.entry(field).ok_or(WireError::Malformed)?;
        let tidy: Vec<Cow<'_, [u8]>> = if self.careful {
            entries
                .iter()
                .map(|e| untangle(self.tables.get(id), e).map(Cow::from))
                .collect::<Result<_, _>>()?
        } else {
            entries.iter().map(|e| Cow::from(*e)).collect()
        };
        let mut pairs = tidy.iter().map(|entry| pair(key, value, entry)).collect::<Result<Vec<_>, _>>()?;
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.out.push(b'{');
        let start = self.out.len();
        for (at, (key, wire)) in pairs.iter().enumerate() {
            if pairs.get(at + 1).is_some_and(|(next, _)| next == key) {
                continue;
            }
            key.put(self.out);
            self.out.push(b':');
            match (wire, value.kind) {
                (Some(wire), kind) => drop(self.value(kind, &mut Reader::new(wire), depth)?),
                (None, Kind::Message(id)) => self.message(id, &[], depth + 1)?,
                (None, kind) => drop(self.value(kind, &mut Reader::new(&[0; 8]), depth)?),
            }
            self.out.push(b',');
        }
        self.end(start, b'}');
        Ok(())
    }
}

/// The key of a map entry, in the order of its kind.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Bool(bool),
    Integer(i128),
    Text(&'a str),
}

impl Key<'_> {
    fn read<'a>(kind: Kind, reader: &mut Reader<'a>) -> Result<Key<'a>, Stop> {
        match kind {
            Kind::Bool => Ok(Key::Bool(reader.varint()? != 0)),
            Kind::String => Ok(Key::Text(utf8(reader.delimited()?)?)),
            _ => Ok(Key::Integer(integer(kind, reader)?)),
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Key::Bool(value) => out.extend_from_slice(if *value { b"\"true\"" } else { b"\"false\"" }),
            Key::Integer(value) => output::quoted_integer(out, *value),
            Key::Text(text) => output::string(out, text),
        }
    }
}

/// The key of an entry, and the wire from its value on; none where the value is not there, which means its zero.
fn pair<'a>(key: &Field, value: &Field, entry: &'a [u8]) -> Result<(Key<'a>, Option<&'a [u8]>), Stop> {
    let (mut found_key, mut found_value) = (None, None);
    let mut reader = Reader::new(entry);
    while let Some(tag) = reader.tag()? {
        if tag.number == 1 && tag.wire == key.kind.wire_type() {
            if found_key.replace(Key::read(key.kind, &mut reader)?).is_some() {
                return Err(Stop::Tangled);
            }
        } else {
            if tag.number == 2
                && tag.wire == value.kind.wire_type()
                && found_value.replace(reader.rest()).is_some()
            {
                return Err(Stop::Tangled);
            }
            reader.skip(tag)?;
        }
    }
    let key = match found_key {
        Some(key) => key,
        None => Key::read(key.kind, &mut Reader::new(&[0; 8]))?,
    };
    Ok((key, found_value))
}
