//! The messages of google.protobuf that JSON writes in a form of their own.

use super::{
    super::{
        json::{Next, Syntax},
        scalar,
        tables::{Form, Kind, Message, MessageId},
        violation::{Text, shown},
        wellknown,
        wire::{WireType, close, open, put_delimited, put_tag, put_varint},
    },
    Decoder, Step,
};

impl<'t> Decoder<'t, '_, '_> {
    pub(super) fn special(
        &mut self,
        id: MessageId,
        message: &'t Message,
        depth: usize,
    ) -> Result<(), Syntax> {
        let only = message.by_number(1);
        match (message.form, self.json.next()?, only) {
            (Form::Any, Next::Object, _) => self.any(depth),
            (Form::Struct, Next::Object, Some(members)) => self.map(members, depth),
            (Form::ListValue, Next::Array, Some(elements)) => self.list(elements, depth),
            (Form::Value, next, _) => self.dynamic(message, next, depth),
            (Form::Wrapper, _, Some(value)) => self.single(value.number, value.kind, depth),
            (form @ (Form::Timestamp | Form::Duration | Form::FieldMask), Next::String, _) => {
                let text = self.json.string()?;
                if wellknown::put_wire(self.out, form, &text).is_none() {
                    self.note("json.value", scalar::expected(self.tables, Kind::Message(id)));
                }
                Ok(())
            }
            _ => self.wrong(Kind::Message(id)),
        }
    }

    /// A `google.protobuf.Value`: the member of its oneof that fits what comes.
    fn dynamic(&mut self, message: &'t Message, next: Next, depth: usize) -> Result<(), Syntax> {
        let number = match next {
            Next::Null => {
                put_tag(self.out, 1, WireType::Varint);
                put_varint(self.out, 0);
                return self.json.word("null");
            }
            Next::Number => 2,
            Next::String => 3,
            Next::True | Next::False => 4,
            Next::Object => 5,
            Next::Array => 6,
        };
        match message.by_number(number) {
            Some(member) => self.single(number, member.kind, depth),
            None => self.json.skip(),
        }
    }

    fn any(&mut self, depth: usize) -> Result<(), Syntax> {
        let start = self.json;
        let Some(url) = self.type_url()? else { return Ok(()) };
        self.json = start;
        let known = url.rsplit_once('/').and_then(|(_, name)| self.tables.message(name));
        let Some(id) = known else {
            let text = Text::new(
                format!("类型 {:?} 未知；应如 type.googleapis.com/包名.消息名", shown(&url)),
                format!(
                    "names the unknown type {:?}; write e.g. type.googleapis.com/package.Message",
                    shown(&url)
                ),
            );
            return self.refuse("json.value", text);
        };
        put_tag(self.out, 1, WireType::Delimited);
        put_delimited(self.out, url.as_bytes());
        put_tag(self.out, 2, WireType::Delimited);
        let length = open(self.out);
        let message = self.tables.get(id);
        if message.form == Form::Object {
            self.object(message, true, depth + 1)?;
        } else {
            self.any_value(id, depth + 1)?;
        }
        close(self.out, length);
        Ok(())
    }

    /// The `@type` of the object that comes next, of which as much is read as is needed. None, after reading all of
    /// it, where there is no type, which is right for an empty object only.
    fn type_url(&mut self) -> Result<Option<String>, Syntax> {
        let start = self.json;
        self.json.expect(b'{')?;
        if self.json.take(b'}') {
            return Ok(None);
        }
        loop {
            let is_type = self.json.name()? == "@type";
            if is_type && self.json.next()? == Next::String {
                return self.json.string().map(|url| Some(url.into_owned()));
            }
            self.json.skip()?;
            if !self.json.another(b'}')? {
                break;
            }
        }
        self.json = start;
        let text = Text::new("缺少字符串 @type", "lacks the string @type");
        self.refuse("json.value", text).map(|()| None)
    }

    /// `{"@type": …, "value": …}`: a message whose JSON is not an object of its fields.
    fn any_value(&mut self, id: MessageId, depth: usize) -> Result<(), Syntax> {
        let mut found = false;
        self.json.expect(b'{')?;
        loop {
            let name = self.json.name()?;
            match &*name {
                "@type" => self.json.skip()?,
                "value" if !found => {
                    found = true;
                    self.at(Step::unknown("value"), |decoder| decoder.message(id, depth))?;
                }
                _ if self.ignore_unknown => self.json.skip()?,
                _ => {
                    let text = Text::new(
                        "此类型只接受 @type 和一个 value",
                        "does not belong here: this type takes @type and one value",
                    );
                    self.at(Step::unknown(&name), |decoder| decoder.refuse("json.unknown_field", text))?;
                }
            }
            if !self.json.another(b'}')? {
                break;
            }
        }
        if !found {
            self.note("json.value", Text::new("缺少 value", "lacks its value"));
        }
        Ok(())
    }
}
