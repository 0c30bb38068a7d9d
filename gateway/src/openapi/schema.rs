//! Messages and enums as JSON Schema: what proto3 JSON makes of them.

use std::collections::{BTreeMap, HashSet};

use jingwei_proto::prost_reflect::{
    DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor,
};
use serde_json::{Map, Value as Json, json};

use super::{
    comments::Comments,
    rules::{FieldRules, Rules},
};

/// Which way a message goes: limits are checked in requests, and what we answer may well be outside of them (masked
/// telephone numbers, say).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Answer,
}

/// The schemas of a document, made as they are asked for.
pub(super) struct Schemas {
    pub(super) comments: Comments,
    pub(super) rules: Rules,
    pub(super) components: BTreeMap<String, Json>,
    /// The messages that are in answers.
    answered: HashSet<String>,
}

impl Schemas {
    pub(super) fn new(pool: &DescriptorPool) -> Self {
        Self {
            comments: Comments::of(pool),
            rules: Rules::of(pool),
            components: BTreeMap::new(),
            answered: HashSet::new(),
        }
    }

    /// The schema of a message. Answers must be asked for before requests: a message that is in both has two schemas.
    pub(super) fn message(&mut self, message: &MessageDescriptor, side: Side) -> Json {
        if let Some(known) = well_known(message.full_name()) {
            return known;
        }
        let name = match side {
            Side::Answer => message.full_name().to_owned(),
            Side::Request if self.answered.contains(message.full_name()) => {
                format!("{}.Input", message.full_name())
            }
            Side::Request => message.full_name().to_owned(),
        };
        if !self.components.contains_key(&name) {
            if side == Side::Answer {
                self.answered.insert(name.clone());
            }
            // Known before its fields are: a message may hold itself.
            self.components.insert(name.clone(), Json::Null);
            let schema = self.object(message, side, &[]);
            self.components.insert(name.clone(), schema);
        }
        reference(&name)
    }

    /// The schema of a message without the fields of these names.
    pub(super) fn object(&mut self, message: &MessageDescriptor, side: Side, without: &[&str]) -> Json {
        let fields = message.fields().filter(|field| !without.contains(&field.name())).collect::<Vec<_>>();
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in &fields {
            properties.insert(field.json_name().to_owned(), self.field(field, side));
            if side == Side::Request
                && self.rules.field(field).is_required(field)
                && !self.is_output_only(field)
            {
                required.push(field.json_name().to_owned());
            }
        }
        let mut schema = object();
        describe(&mut schema, self.comments.get(&message.parent_file(), message.path()));
        schema.insert("properties".into(), properties.into());
        schema.insert("additionalProperties".into(), false.into());
        if !required.is_empty() {
            schema.insert("required".into(), required.into());
        }
        let choices = message
            .oneofs()
            .filter(|oneof| !oneof.is_synthetic())
            .filter_map(|oneof| self.choice(&oneof, side));
        let choices = choices.collect::<Vec<_>>();
        if !choices.is_empty() {
            schema.insert("allOf".into(), choices.into());
        }
        schema.into()
    }

    /// Of the fields of a oneof at most one is there; exactly one, where the rules say so.
    fn choice(&self, oneof: &OneofDescriptor, side: Side) -> Option<Json> {
        let names = oneof.fields().map(|field| field.json_name().to_owned()).collect::<Vec<_>>();
        if side == Side::Request && self.rules.is_required(oneof) {
            let each = names.iter().map(|name| json!({"required": [name]}));
            return Some(json!({"oneOf": each.collect::<Vec<_>>()}));
        }
        let pairs = names
            .iter()
            .enumerate()
            .flat_map(|(at, one)| names[at + 1..].iter().map(move |other| json!({"required": [one, other]})));
        let pairs = pairs.collect::<Vec<_>>();
        (!pairs.is_empty()).then(|| json!({"not": {"anyOf": pairs}}))
    }

    /// The schema of a field, with its comment.
    pub(super) fn field(&mut self, field: &FieldDescriptor, side: Side) -> Json {
        let rules = self.rules.field(field);
        let mut schema = if field.is_map() {
            let Kind::Message(entry) = field.kind() else { unreachable!("a map's entries are messages") };
            let value = self.value(&entry.map_entry_value_field().kind(), &FieldRules::none(), side);
            let mut schema = object();
            schema.insert("additionalProperties".into(), value.into());
            schema
        } else if field.is_list() {
            let items = self.value(&field.kind(), &rules.items(), side);
            let mut schema =
                Map::from_iter([("type".to_owned(), "array".into()), ("items".to_owned(), items.into())]);
            if side == Side::Request {
                rules.limit_list(&mut schema);
            }
            schema
        } else {
            self.value(&field.kind(), &rules, side)
        };
        let comment = self.comments.get(&field.parent_file(), field.path());
        describe(&mut schema, comment);
        if is_output_only(comment) {
            schema.insert("readOnly".into(), true.into());
        }
        schema.into()
    }

    pub(super) fn is_output_only(&self, field: &FieldDescriptor) -> bool {
        is_output_only(self.comments.get(&field.parent_file(), field.path()))
    }

    /// The schema of one value.
    fn value(&mut self, kind: &Kind, rules: &FieldRules, side: Side) -> Map<String, Json> {
        let schema = match kind {
            Kind::Message(message) => self.message(message, side),
            Kind::Enum(of) => self.enumeration(of),
            Kind::Double | Kind::Float if side == Side::Request && rules.is_finite() => {
                json!({"type": "number"})
            }
            scalar => of_scalar(scalar),
        };
        let Json::Object(mut schema) = schema else { unreachable!("every schema here is an object") };
        if side == Side::Request {
            rules.limit(kind, &mut schema);
        }
        schema
    }

    fn enumeration(&mut self, of: &EnumDescriptor) -> Json {
        if of.full_name() == "google.protobuf.NullValue" {
            return json!({"type": "null"});
        }
        let name = of.full_name().to_owned();
        if !self.components.contains_key(&name) {
            let file = of.parent_file();
            let values = of.values().map(|value| {
                format!("- `{}`: {}", value.name(), self.comments.get(&file, value.path()).replace('\n', " "))
            });
            let text = format!(
                "{}\n\n{}",
                self.comments.get(&file, of.path()),
                values.collect::<Vec<_>>().join("\n")
            );
            let names = of.values().map(|value| value.name().to_owned()).collect::<Vec<_>>();
            self.components
                .insert(name.clone(), json!({"type": "string", "enum": names, "description": text}));
        }
        reference(&name)
    }
}

/// The schema of a component.
pub(super) fn reference(name: &str) -> Json {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The contract test of the protos reads this from the comment as well.
fn is_output_only(comment: &str) -> bool {
    comment.to_lowercase().contains("output only")
}

fn object() -> Map<String, Json> {
    Map::from_iter([("type".to_owned(), "object".into())])
}

fn describe(schema: &mut Map<String, Json>, comment: &str) {
    if !comment.is_empty() {
        schema.insert("description".into(), comment.into());
    }
}

fn of_scalar(kind: &Kind) -> Json {
    match kind {
        Kind::Bool => json!({"type": "boolean"}),
        Kind::String => json!({"type": "string"}),
        Kind::Bytes => json!({"type": "string", "format": "byte", "contentEncoding": "base64"}),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            json!({"type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX})
        }
        Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            json!({"type": "string", "format": "int64", "pattern": "^-?(0|[1-9][0-9]{0,18})$"})
        }
        Kind::Uint64 | Kind::Fixed64 => {
            json!({"type": "string", "format": "uint64", "pattern": "^(0|[1-9][0-9]{0,19})$"})
        }
        Kind::Float | Kind::Double => {
            json!({"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]})
        }
        Kind::Message(_) | Kind::Enum(_) => json!({}),
    }
}

/// The messages that proto3 JSON writes in a way of their own.
fn well_known(name: &str) -> Option<Json> {
    Some(match name.strip_prefix("google.protobuf.")? {
        "Timestamp" => json!({"type": "string", "format": "date-time"}),
        "Duration" => json!({"type": "string", "pattern": "^-?[0-9]{1,12}(\\.[0-9]{1,9})?s$"}),
        "FieldMask" => json!({"type": "string", "pattern": "^([a-zA-Z0-9_.]+(,[a-zA-Z0-9_.]+)*)?$"}),
        "Empty" => json!({"type": "object", "additionalProperties": false}),
        "Struct" => json!({"type": "object"}),
        "Value" => json!({}),
        "ListValue" => json!({"type": "array"}),
        "Any" => {
            json!({"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"]})
        }
        "BoolValue" => of_scalar(&Kind::Bool),
        "StringValue" => of_scalar(&Kind::String),
        "BytesValue" => of_scalar(&Kind::Bytes),
        "Int32Value" => of_scalar(&Kind::Int32),
        "UInt32Value" => of_scalar(&Kind::Uint32),
        "Int64Value" => of_scalar(&Kind::Int64),
        "UInt64Value" => of_scalar(&Kind::Uint64),
        "FloatValue" | "DoubleValue" => of_scalar(&Kind::Double),
        _ => return None,
    })
}
