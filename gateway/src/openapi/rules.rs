//! Validation rules (buf.validate) as JSON Schema.

use jingwei_proto::prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, ExtensionDescriptor, FieldDescriptor, Kind,
    OneofDescriptor, Value,
};
use serde_json::{Map, Value as Json, json};

/// The canonical text of a UUID.
const UUID: &str = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";

/// Reads the rules of fields and oneofs.
pub(super) struct Rules {
    field: Option<ExtensionDescriptor>,
    oneof: Option<ExtensionDescriptor>,
}

impl Rules {
    pub(super) fn of(pool: &DescriptorPool) -> Self {
        Self {
            field: pool.get_extension_by_name("buf.validate.field"),
            oneof: pool.get_extension_by_name("buf.validate.oneof"),
        }
    }

    /// A field's rules.
    pub(super) fn field(&self, field: &FieldDescriptor) -> FieldRules {
        FieldRules(option(&field.options(), self.field.as_ref()))
    }

    /// Whether one of a oneof's fields must be set.
    pub(super) fn is_required(&self, oneof: &OneofDescriptor) -> bool {
        option(&oneof.options(), self.oneof.as_ref()).is_some_and(|rules| flag(&rules, "required"))
    }
}

/// The rules of one field, or of each element of a list.
pub(super) struct FieldRules(Option<DynamicMessage>);

impl FieldRules {
    /// No rules.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Whether a request without the field is refused.
    pub(super) fn is_required(&self, field: &FieldDescriptor) -> bool {
        let Some(rules) = &self.0 else { return false };
        if flag(rules, "required") {
            return true;
        }
        // Without presence the zero value is what a missing field has: it must keep the rules, unless they ignore it.
        let ignores_zero = number(rules, "ignore").is_some_and(|ignore| ignore != 0);
        !ignores_zero && !field.supports_presence() && !self.zero_keeps(field)
    }

    fn zero_keeps(&self, field: &FieldDescriptor) -> bool {
        if field.is_list() || field.is_map() {
            return self.of("repeated").is_none_or(|rules| number(&rules, "min_items").unwrap_or(0) == 0);
        }
        match field.kind() {
            Kind::String => self.of("string").is_none_or(|rules| empty_text_keeps(&rules)),
            Kind::Bytes => self.of("bytes").is_none_or(|rules| number(&rules, "min_len").unwrap_or(0) == 0),
            Kind::Enum(_) => self.of("enum").is_none_or(|rules| !numbers(&rules, "not_in").contains(&0)),
            Kind::Int32 | Kind::Int64 | Kind::Double => {
                self.ranges().is_none_or(|rules| zero_in_range(&rules))
            }
            _ => true,
        }
    }

    /// The rules of a list's elements.
    pub(super) fn items(&self) -> Self {
        Self(self.of("repeated").and_then(|rules| message(&rules, "items")))
    }

    /// Adds what the rules say about a list.
    pub(super) fn limit_list(&self, schema: &mut Map<String, Json>) {
        let Some(rules) = self.of("repeated") else { return };
        copy(&rules, schema, &[("min_items", "minItems"), ("max_items", "maxItems")]);
        if flag(&rules, "unique") {
            schema.insert("uniqueItems".into(), true.into());
        }
    }

    /// Adds what the rules say about one value of `kind`.
    pub(super) fn limit(&self, kind: &Kind, schema: &mut Map<String, Json>) {
        match kind {
            Kind::String => self.of("string").iter().for_each(|rules| limit_text(rules, schema)),
            Kind::Int32 | Kind::Double => {
                let names = [
                    ("gte", "minimum"),
                    ("lte", "maximum"),
                    ("gt", "exclusiveMinimum"),
                    ("lt", "exclusiveMaximum"),
                ];
                self.ranges().iter().for_each(|rules| copy(rules, schema, &names));
            }
            Kind::Enum(of) => self.of("enum").iter().for_each(|rules| limit_enum(rules, of, schema)),
            _ => (),
        }
    }

    /// Whether a double cannot be NaN or infinite.
    pub(super) fn is_finite(&self) -> bool {
        self.of("double").is_some_and(|rules| {
            flag(&rules, "finite") || rules.has_field_by_name("gte") && rules.has_field_by_name("lte")
        })
    }

    /// The pattern of a text.
    pub(super) fn pattern(&self) -> Option<String> {
        self.of("string").and_then(|rules| text(&rules, "pattern"))
    }

    fn ranges(&self) -> Option<DynamicMessage> {
        ["int32", "int64", "double"].into_iter().find_map(|name| self.of(name))
    }

    fn of(&self, name: &str) -> Option<DynamicMessage> {
        self.0.as_ref().and_then(|rules| message(rules, name))
    }
}

fn limit_text(rules: &DynamicMessage, schema: &mut Map<String, Json>) {
    copy(rules, schema, &[("min_len", "minLength"), ("max_len", "maxLength"), ("pattern", "pattern")]);
    if flag(rules, "uuid") {
        schema.insert("format".into(), "uuid".into());
        schema.insert("pattern".into(), UUID.into());
    }
    let allowed = list(rules, "in");
    if !allowed.is_empty() {
        schema.insert("enum".into(), allowed.iter().filter_map(Value::as_str).collect());
    }
}

fn limit_enum(rules: &DynamicMessage, of: &EnumDescriptor, schema: &mut Map<String, Json>) {
    let refused = numbers(rules, "not_in")
        .into_iter()
        .filter_map(|n| Some(of.get_value(i32::try_from(n).ok()?)?.name().to_owned()));
    let refused = refused.collect::<Vec<_>>();
    if !refused.is_empty() {
        schema.insert("not".into(), json!({"enum": refused}));
    }
}

fn empty_text_keeps(rules: &DynamicMessage) -> bool {
    let keeps_pattern =
        |pattern: String| regex::Regex::new(&pattern).is_ok_and(|pattern| pattern.is_match(""));
    let allowed = list(rules, "in");
    number(rules, "min_len").unwrap_or(0) == 0
        && text(rules, "pattern").is_none_or(keeps_pattern)
        && !flag(rules, "uuid")
        && (allowed.is_empty() || allowed.iter().any(|value| value.as_str() == Some("")))
}

fn zero_in_range(rules: &DynamicMessage) -> bool {
    let bound = |name| {
        rules
            .has_field_by_name(name)
            .then(|| rules.get_field_by_name(name).and_then(|value| as_number(&value)))
            .flatten()
    };
    bound("gte").is_none_or(|low| low <= 0.0)
        && bound("gt").is_none_or(|low| low < 0.0)
        && bound("lte").is_none_or(|high| high >= 0.0)
        && bound("lt").is_none_or(|high| high > 0.0)
}

/// Copies the rules that are set under their names in JSON Schema.
fn copy(rules: &DynamicMessage, schema: &mut Map<String, Json>, names: &[(&str, &str)]) {
    for (name, keyword) in names {
        let value = rules.has_field_by_name(name).then(|| rules.get_field_by_name(name)).flatten();
        let json = value.and_then(|value| match &*value {
            Value::I32(n) => Some((*n).into()),
            Value::I64(n) => Some((*n).into()),
            Value::U64(n) => Some((*n).into()),
            Value::F64(n) => Some((*n).into()),
            Value::String(text) => Some(text.clone().into()),
            _ => None,
        });
        if let Some(json) = json {
            schema.insert((*keyword).to_owned(), json);
        }
    }
}

fn option(options: &DynamicMessage, extension: Option<&ExtensionDescriptor>) -> Option<DynamicMessage> {
    let extension = extension.filter(|extension| options.has_extension(extension))?;
    options.get_extension(extension).as_message().cloned()
}

fn message(rules: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    rules.has_field_by_name(name).then(|| rules.get_field_by_name(name)?.as_message().cloned()).flatten()
}

fn flag(rules: &DynamicMessage, name: &str) -> bool {
    rules.get_field_by_name(name).is_some_and(|value| value.as_bool() == Some(true))
}

fn text(rules: &DynamicMessage, name: &str) -> Option<String> {
    rules
        .has_field_by_name(name)
        .then(|| rules.get_field_by_name(name)?.as_str().map(str::to_owned))
        .flatten()
}

fn number(rules: &DynamicMessage, name: &str) -> Option<u64> {
    match &*rules.get_field_by_name(name)? {
        Value::U64(n) => Some(*n),
        Value::EnumNumber(n) => u64::try_from(*n).ok(),
        _ => None,
    }
}

fn list(rules: &DynamicMessage, name: &str) -> Vec<Value> {
    rules.get_field_by_name(name).and_then(|value| value.as_list().map(<[Value]>::to_vec)).unwrap_or_default()
}

fn numbers(rules: &DynamicMessage, name: &str) -> Vec<i64> {
    list(rules, name)
        .iter()
        .filter_map(|value| value.as_i32().map(i64::from).or_else(|| value.as_i64()))
        .collect()
}

fn as_number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_i32().map(f64::from)).or_else(|| value.as_i64().map(|n| n as f64))
}
