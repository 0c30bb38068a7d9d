//! What a broken validation rule says to a person: one text in Chinese and one in English per rule, with its limit.

use std::sync::LazyLock;

use jingwei_proto::pool;
use prost::{Message, Name};
use prost_protovalidate::{Error, Validator, Violation};
use prost_reflect::{DynamicMessage, ReflectMessage, Value};

use crate::page::reflect;
use crate::status::{Problem, Violations, internal};

/// The violations of a request, with texts; their fields are paths such as `event.place.point`.
pub fn violations(broken: &[Violation]) -> Violations {
    let mut violations = Violations::new();
    for violation in broken {
        let (zh, en) = texts(violation);
        violations.add(violation.field_path(), violation.rule_id(), zh, en);
    }
    violations
}

/// What is wrong with a message by the rules of its fields: for a part of a request that the admission does not look into.
///
/// # Errors
/// The rules themselves cannot be read, a fault of ours.
pub fn check<M: Message + Name>(message: &M) -> Result<Violations, Problem> {
    static VALIDATOR: LazyLock<Validator> = LazyLock::new(Validator::new);
    match VALIDATOR.validate(&reflect(message)) {
        Ok(()) => Ok(Violations::new()),
        Err(Error::Validation(error)) => Ok(violations(error.violations())),
        Err(error) => Err(internal(&error)),
    }
}

fn texts(violation: &Violation) -> (String, String) {
    let limit = || limit(violation).unwrap_or_default();
    let (zh, en) = match violation.rule_id().split_once('.').map_or(violation.rule_id(), |(_, rule)| rule) {
        "required" if violation.field_descriptor().is_none() => {
            ("必须填写其中一项".into(), "one of its fields is required".into())
        }
        "required" => ("必填".into(), "is required".into()),
        "min_len" | "min_items" if limit() == "1" => ("不能为空".into(), "must not be empty".into()),
        "min_len" if is_bytes(violation) => {
            (format!("至少 {} 字节", limit()), format!("must have at least {} bytes", limit()))
        }
        "max_len" if is_bytes(violation) => {
            (format!("最多 {} 字节", limit()), format!("must have at most {} bytes", limit()))
        }
        "min_len" => {
            (format!("至少 {} 个字符", limit()), format!("must have at least {} characters", limit()))
        }
        "max_len" => {
            (format!("最多 {} 个字符", limit()), format!("must have at most {} characters", limit()))
        }
        "pattern" => (format!("格式不对，应符合 {}", limit()), format!("must match {}", limit())),
        "in" => (format!("只能是 {}", limit()), format!("must be one of {}", limit())),
        "not_in" => (format!("不能是 {}", limit()), format!("must not be {}", limit())),
        "uuid" | "uuid_empty" => ("应为 UUID".into(), "must be a UUID".into()),
        "finite" => ("必须是有限的数".into(), "must be a finite number".into()),
        "defined_only" => ("不是已定义的取值".into(), "must be a value that is defined".into()),
        "min_items" => (format!("至少 {} 项", limit()), format!("must have at least {} items", limit())),
        "max_items" => (format!("最多 {} 项", limit()), format!("must have at most {} items", limit())),
        "unique" => ("各项不能重复".into(), "must not have the same item twice".into()),
        "lt" | "lte" | "gt" | "gte" | "gt_lt" | "gte_lt" | "gt_lte" | "gte_lte" => return range(violation),
        _ => (format!("不符合规则 {}", violation.rule_id()), violation.message().to_owned()),
    };
    (zh, en)
}

/// The text of a bound, or of both where there are two.
fn range(violation: &Violation) -> (String, String) {
    let bounds = [
        ("gt", "大于", "more than"),
        ("gte", "不小于", "at least"),
        ("lt", "小于", "less than"),
        ("lte", "不大于", "at most"),
    ];
    let mut texts = (Vec::new(), Vec::new());
    for (name, zh, en) in bounds {
        if let Some(value) = rules(violation).and_then(|rules| rule(&rules, name)) {
            texts.0.push(format!("{zh} {}", shown(&value)));
            texts.1.push(format!("{en} {}", shown(&value)));
        }
    }
    (format!("应{}", texts.0.join(" 且")), format!("must be {}", texts.1.join(" and ")))
}

fn is_bytes(violation: &Violation) -> bool {
    violation.rule_id().starts_with("bytes.")
}

/// The value of the broken rule.
fn limit(violation: &Violation) -> Option<String> {
    let path = violation.rule_path();
    let name = path.rsplit('.').next()?;
    rule(&rules(violation)?, name).map(|value| shown(&value))
}

fn rule(rules: &DynamicMessage, name: &str) -> Option<Value> {
    let field = rules.descriptor().get_field_by_name(name)?;
    rules.has_field(&field).then(|| rules.get_field(&field).into_owned())
}

/// The message that holds the broken rule, e.g. the StringRules: read from the options of the field itself.
fn rules(violation: &Violation) -> Option<DynamicMessage> {
    let extension = pool().get_extension_by_name("buf.validate.field")?;
    let options = violation.field_descriptor()?.options();
    let mut rules = options.get_extension(&extension).as_message()?.clone();
    let path = violation.rule_path();
    let (parents, _) = path.rsplit_once('.')?;
    for parent in parents.split('.') {
        rules = rules.get_field_by_name(parent)?.as_message()?.clone();
    }
    Some(rules)
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::List(values) => values.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::I32(n) | Value::EnumNumber(n) => n.to_string(),
        Value::I64(n) => n.to_string(),
        Value::U64(n) => n.to_string(),
        Value::F64(n) => n.to_string(),
        // The only message among rule values is a duration.
        Value::Message(message) => {
            message.transcode_to::<prost_types::Duration>().map_or_else(|_| String::new(), |d| d.to_string())
        }
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jingwei_proto::grid::v1::{ListAreasRequest, ListEventsRequest, Point, ReportEventRequest};

    /// The texts for a message, one line per violation.
    fn told<M: Message + Name>(message: &M) -> String {
        let problem = check(message).expect("its rules hold").finish().expect_err("it is not valid");
        problem.violations.iter().map(|v| format!("{} [{}] {} | {}\n", v.field, v.rule, v.zh, v.en)).collect()
    }

    #[test]
    fn every_kind_of_rule_has_a_text_with_its_limit() {
        let parent = "districts/410182".to_owned();
        let point = Some(Point { latitude: 90.5, longitude: f64::NAN });
        let texts = [
            told(&ListAreasRequest {
                parent: parent.clone(),
                page_size: 201,
                depth: Some(-1),
                page_token: "t".repeat(1001),
                ..Default::default()
            }),
            told(&ListEventsRequest {
                parent: parent.clone(),
                states: vec![1, 1, 0, 99],
                min_alarm: 77,
                ..Default::default()
            }),
            told(&ListEventsRequest {
                parent,
                states: (1..=11).chain(1..=2).collect(),
                ..Default::default()
            }),
            told(&ReportEventRequest { point, request_id: "x".into(), ..Default::default() }),
            told(&jingwei_proto::grid::v1::UpdateAreaRequest::default()),
        ];
        insta::assert_snapshot!(texts.join("\n"));
    }
}
