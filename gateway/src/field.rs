//! Single text fields of a message that nobody decodes: where they are, and what stands in them.

use jingwei_proto::prost_reflect::{Kind, MessageDescriptor};
use prost::encoding::{DecodeContext, WireType, decode_key, skip_field, string};

/// The number of the text field `name`, where a message has it.
pub(crate) fn number(message: &MessageDescriptor, name: &str) -> Option<u32> {
    let field = message.get_field_by_name(name)?;
    (field.kind() == Kind::String && !field.is_list()).then(|| field.number())
}

/// The text of field `number` of a message, where there is any.
pub(crate) fn text(mut wire: &[u8], number: u32) -> Option<String> {
    let mut found = None;
    while !wire.is_empty() {
        let (tag, kind) = decode_key(&mut wire).ok()?;
        if tag == number && kind == WireType::LengthDelimited {
            let mut text = String::new();
            string::merge(kind, &mut text, &mut wire, DecodeContext::default()).ok()?;
            found = Some(text);
        } else {
            skip_field(kind, tag, &mut wire, DecodeContext::default()).ok()?;
        }
    }
    found.filter(|text| !text.is_empty())
}
