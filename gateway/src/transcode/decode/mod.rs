//! JSON → wire bytes, in one pass; values that are wrong are noted and passed over, so that all are told at once.

mod repeated;
mod special;

use std::borrow::Cow;

use super::{
    MAX_DEPTH,
    json::{Next, Parser, Syntax, SyntaxKind},
    scalar,
    tables::{Field, Form, Kind, Message, MessageId, Shape, Tables},
    violation::{MAX_VIOLATIONS, RequestError, Text, Violation, shown},
    wire::{close, open, put_delimited, put_tag, put_varint},
};

impl Tables {
    /// Appends the wire bytes of a message's JSON to `out`, which is left as it was where this fails.
    /// Names that the message does not have are refused.
    pub fn to_wire(&self, message: MessageId, json: &[u8], out: &mut Vec<u8>) -> Result<(), RequestError> {
        self.decode(json, out, false, |decoder| decoder.message(message, 0))
    }

    /// As [`Tables::to_wire`], but names and enum values that the descriptors do not have are passed over.
    pub fn to_wire_ignoring_unknown(
        &self,
        message: MessageId,
        json: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), RequestError> {
        self.decode(json, out, true, |decoder| decoder.message(message, 0))
    }

    /// As [`Tables::to_wire`], but of one field of the message, with its tag.
    pub(super) fn field_to_wire(
        &self,
        (message, number): (MessageId, u32),
        json: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), RequestError> {
        let Some(field) = self.get(message).by_number(number) else { return Ok(()) };
        self.decode(json, out, false, |decoder| decoder.at(Step::field(field), |d| d.field(field, 0)))
    }

    fn decode<'t, 'j>(
        &'t self,
        json: &'j [u8],
        out: &mut Vec<u8>,
        ignore_unknown: bool,
        read: impl FnOnce(&mut Decoder<'t, 'j, '_>) -> Result<(), Syntax>,
    ) -> Result<(), RequestError> {
        let start = out.len();
        let Ok(text) = std::str::from_utf8(json) else {
            let text = Text::new("请求体不是 UTF-8 文本", "the body is not UTF-8 text");
            return Err(RequestError { violations: vec![text.at(String::new(), "json.syntax")] });
        };
        let mut decoder = Decoder {
            tables: self,
            json: Parser::new(text),
            out,
            path: Vec::new(),
            seen: Vec::new(),
            violations: Vec::new(),
            ignore_unknown,
        };
        let read = read(&mut decoder).and_then(|()| decoder.json.end());
        let mut violations = decoder.violations;
        if let Err(syntax) = read {
            let rule = if syntax.kind == SyntaxKind::TooDeep { "json.depth" } else { "json.syntax" };
            violations = vec![syntax.text().at(String::new(), rule)];
        }
        if violations.is_empty() {
            return Ok(());
        }
        out.truncate(start);
        Err(RequestError { violations })
    }
}

/// One step from the message to the value that is read.
enum Step<'t> {
    Field(Cow<'t, str>),
    Index(usize),
    Key(String),
}

impl<'t> Step<'t> {
    fn field(field: &'t Field) -> Self {
        Step::Field(Cow::Borrowed(&field.name))
    }

    /// A name that is no field's.
    fn unknown(name: &str) -> Self {
        Step::Field(Cow::Owned(shown(name).to_owned()))
    }
}

struct Decoder<'t, 'j, 'o> {
    tables: &'t Tables,
    json: Parser<'j>,
    out: &'o mut Vec<u8>,
    path: Vec<Step<'t>>,
    /// The bits of the messages now open, the innermost last: fields by index, then oneofs.
    seen: Vec<u64>,
    violations: Vec<Violation>,
    ignore_unknown: bool,
}

impl<'t> Decoder<'t, '_, '_> {
    /// The content of a message, from the value that comes next.
    fn message(&mut self, id: MessageId, depth: usize) -> Result<(), Syntax> {
        if depth >= MAX_DEPTH {
            return self.json.fail(SyntaxKind::TooDeep);
        }
        let message = self.tables.get(id);
        match message.form {
            Form::Object if self.json.next()? == Next::Object => self.object(message, false, depth),
            Form::Object => self.wrong(Kind::Message(id)),
            _ => self.special(id, message, depth),
        }
    }

    /// The members of an object; those of an Any have `@type` among them.
    fn object(&mut self, message: &'t Message, in_any: bool, depth: usize) -> Result<(), Syntax> {
        let bits = self.seen.len();
        self.seen.resize(bits + message.bits.div_ceil(64), 0);
        self.json.expect(b'{')?;
        let mut more = !self.json.take(b'}');
        while more {
            let name = self.json.name()?;
            match message.by_name(&name) {
                Some((index, field)) => self.member(field, (bits, index), message.fields.len(), depth)?,
                None if in_any && name == "@type" => self.json.skip()?,
                None => self.unknown(&name, message)?,
            }
            more = self.json.another(b'}')?;
        }
        self.seen.truncate(bits);
        Ok(())
    }

    fn member(
        &mut self,
        field: &'t Field,
        (bits, index): (usize, usize),
        fields: usize,
        depth: usize,
    ) -> Result<(), Syntax> {
        self.at(Step::field(field), |decoder| {
            if !decoder.mark(bits, index) {
                let text = Text::new("同一字段出现了两次", "occurs twice");
                return decoder.refuse("json.duplicate", text);
            }
            // Null in a oneof says nothing, and does not exclude another member.
            let is_null = decoder.json.next()? == Next::Null && !decoder.takes_null(field);
            if field.bit >= fields && !is_null && !decoder.mark(bits, field.bit) {
                let text = Text::new(
                    "与同组（oneof）的另一字段互斥，只能给出一个",
                    "excludes another field that is given too: give one of the oneof",
                );
                return decoder.refuse("json.oneof", text);
            }
            decoder.field(field, depth)
        })
    }

    /// Sets a bit; whether it was not set before.
    fn mark(&mut self, bits: usize, bit: usize) -> bool {
        let (word, mask) = (&mut self.seen[bits + bit / 64], 1 << (bit % 64));
        let fresh = *word & mask == 0;
        *word |= mask;
        fresh
    }

    /// Whether null is a value of the field, and not its absence.
    fn takes_null(&self, field: &Field) -> bool {
        match field.kind {
            _ if field.shape != Shape::Single => false,
            Kind::Message(id) => self.tables.get(id).form == Form::Value,
            Kind::Enum(id) => self.tables.get_enum(id).is_null,
            _ => false,
        }
    }

    /// A field with its tag.
    fn field(&mut self, field: &'t Field, depth: usize) -> Result<(), Syntax> {
        let next = self.json.next()?;
        if next == Next::Null && !self.takes_null(field) {
            return self.json.word("null");
        }
        match (field.shape, next) {
            (Shape::Single, _) => self.single(field.number, field.kind, depth),
            (Shape::List, Next::Array) => self.list(field, depth),
            (Shape::List, _) => self.refuse("json.value", Text::new("应为数组", "must be an array")),
            (Shape::Map, Next::Object) => self.map(field, depth),
            (Shape::Map, _) => self.refuse("json.value", Text::new("应为对象", "must be an object")),
        }
    }

    fn single(&mut self, number: u32, kind: Kind, depth: usize) -> Result<(), Syntax> {
        let start = self.out.len();
        put_tag(self.out, number, kind.wire_type());
        if !self.value(kind, depth)? {
            self.out.truncate(start);
        }
        Ok(())
    }

    /// A value, without a tag; whether there was one to be written.
    fn value(&mut self, kind: Kind, depth: usize) -> Result<bool, Syntax> {
        let next = self.json.next()?;
        let start = self.out.len();
        let written = match (kind, next) {
            (Kind::Message(id), _) => {
                let length = open(self.out);
                self.message(id, depth + 1)?;
                close(self.out, length);
                return Ok(true);
            }
            (Kind::Enum(id), Next::Null) if self.tables.get_enum(id).is_null => {
                self.json.word("null")?;
                put_varint(self.out, 0);
                return Ok(true);
            }
            (Kind::String, Next::String) => {
                put_delimited(self.out, self.json.string()?.as_bytes());
                return Ok(true);
            }
            (Kind::Bool, Next::True | Next::False) => {
                self.json.word(if next == Next::True { "true" } else { "false" })?;
                put_varint(self.out, u64::from(next == Next::True));
                return Ok(true);
            }
            (Kind::Enum(id), Next::String) => {
                let name = self.json.string()?;
                let number = self.tables.get_enum(id).number(&name);
                if number.is_none() && self.ignore_unknown {
                    return Ok(false);
                }
                number.map(|number| put_varint(self.out, i64::from(number) as u64))
            }
            (Kind::Bytes, Next::String) => {
                let text = self.json.string()?;
                scalar::base64(&text).map(|bytes| put_delimited(self.out, &bytes))
            }
            (Kind::String | Kind::Bytes | Kind::Bool, _) => return self.wrong(kind).map(|()| false),
            (_, Next::Number) => scalar::put_number(self.out, kind, self.json.number()?),
            (_, Next::String) => scalar::put_number(self.out, kind, &self.json.string()?),
            _ => return self.wrong(kind).map(|()| false),
        };
        if written.is_none() {
            self.out.truncate(start);
            self.note("json.value", scalar::expected(self.tables, kind));
        }
        Ok(written.is_some())
    }

    fn unknown(&mut self, name: &str, message: &Message) -> Result<(), Syntax> {
        if self.ignore_unknown {
            return self.json.skip();
        }
        self.at(Step::unknown(name), |decoder| decoder.refuse("json.unknown_field", no_such_field(message)))
    }

    /// Notes that the next value is not of this kind, and passes over it.
    fn wrong(&mut self, kind: Kind) -> Result<(), Syntax> {
        self.refuse("json.value", scalar::expected(self.tables, kind))
    }

    /// Notes what is wrong with the next value, and passes over it.
    fn refuse(&mut self, rule: &'static str, text: Text) -> Result<(), Syntax> {
        self.note(rule, text);
        self.json.skip()
    }

    fn note(&mut self, rule: &'static str, text: Text) {
        if self.violations.len() < MAX_VIOLATIONS {
            self.violations.push(text.at(rendered(&self.path), rule));
        }
    }

    /// Does something one step further.
    fn at<T>(&mut self, step: Step<'t>, then: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let done = then(self);
        self.path.pop();
        done
    }
}

/// The names that would be right instead of an unknown one.
pub(super) fn no_such_field(message: &Message) -> Text {
    let names: Vec<_> = message.fields.iter().map(Field::json_name).collect();
    if names.is_empty() {
        return Text::new("没有这个字段：此处不接受任何字段", "is not a field: none is expected here");
    }
    Text::new(
        format!("没有这个字段；可用字段：{}", names.join("、")),
        format!("is not a field; the fields are {}", names.join(", ")),
    )
}

fn rendered(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Field(name) if text.is_empty() => text.push_str(name),
            Step::Field(name) => text.extend([".", name]),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
            Step::Key(key) => text.push_str(&format!("[{:?}]", shown(key))),
        }
    }
    text
}
