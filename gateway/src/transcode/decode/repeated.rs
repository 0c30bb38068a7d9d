//! Lists and maps: arrays and objects of JSON → fields that occur several times.

use std::collections::HashSet;

use super::{
    super::{
        json::Syntax,
        scalar,
        tables::{Field, Kind},
        violation::Text,
        wire::{WireType, close, open, put_tag},
    },
    Decoder, Step,
};

impl<'t> Decoder<'t, '_, '_> {
    pub(super) fn list(&mut self, field: &'t Field, depth: usize) -> Result<(), Syntax> {
        self.json.expect(b'[')?;
        if self.json.take(b']') {
            return Ok(());
        }
        let packed = field.packed.then(|| {
            put_tag(self.out, field.number, WireType::Delimited);
            open(self.out)
        });
        for index in 0.. {
            self.at(Step::Index(index), |decoder| match packed {
                Some(_) => decoder.value(field.kind, depth).map(drop),
                None => decoder.single(field.number, field.kind, depth),
            })?;
            if !self.json.another(b']')? {
                break;
            }
        }
        if let Some(start) = packed {
            close(self.out, start);
        }
        Ok(())
    }

    pub(super) fn map(&mut self, field: &'t Field, depth: usize) -> Result<(), Syntax> {
        let Some((key, value)) = self.tables.entry(field) else { return self.json.skip() };
        let mut keys = HashSet::new();
        self.json.expect(b'{')?;
        let mut more = !self.json.take(b'}');
        while more {
            let name = self.json.name()?.into_owned();
            let mut wire_key = Vec::new();
            put_tag(&mut wire_key, 1, key.kind.wire_type());
            let fits = scalar::put_text(&mut wire_key, self.tables, key.kind, &name).is_some();
            self.at(Step::Key(name), |decoder| {
                if !fits {
                    let Text { zh, en } = scalar::expected(decoder.tables, key.kind);
                    return decoder
                        .refuse("json.value", Text::new(format!("键{zh}"), format!("its key {en}")));
                }
                if !keys.insert(wire_key.clone()) {
                    return decoder.refuse(
                        "json.duplicate",
                        Text::new("同一键出现了两次", "has a key that occurs twice"),
                    );
                }
                decoder.entry((field.number, value.kind), &wire_key, depth)
            })?;
            more = self.json.another(b'}')?;
        }
        Ok(())
    }

    fn entry(&mut self, (number, value): (u32, Kind), wire_key: &[u8], depth: usize) -> Result<(), Syntax> {
        let start = self.out.len();
        put_tag(self.out, number, WireType::Delimited);
        let length = open(self.out);
        self.out.extend_from_slice(wire_key);
        put_tag(self.out, 2, value.wire_type());
        if self.value(value, depth)? {
            close(self.out, length);
        } else {
            self.out.truncate(start);
        }
        Ok(())
    }
}
