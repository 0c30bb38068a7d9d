//! Query parameters → the request fields that neither path nor body binds.

use std::collections::HashSet;

use super::{
    MAX_DEPTH,
    decode::no_such_field,
    route::{BodyMode, Route},
    scalar,
    tables::{Field, Form, Kind, Shape, Tables},
    template::percent_decoded,
    violation::{MAX_VIOLATIONS, Text, Violation, shown},
    wellknown,
    wire::{WireType, close, open, put_tag},
};

/// A field, and the numbers of the messages it lies in.
struct Target<'t> {
    parents: Vec<u32>,
    field: &'t Field,
    /// The path in the names of the .proto file.
    path: String,
}

/// Appends the fields that a query names; notes every parameter that is wrong.
pub(super) fn read(
    route: &Route,
    tables: &Tables,
    query: &str,
    wire: &mut Vec<u8>,
    violations: &mut Vec<Violation>,
) {
    let mut given = HashSet::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if let Err(violation) = parameter(route, tables, pair, wire, &mut given)
            && violations.len() < MAX_VIOLATIONS
        {
            violations.push(violation);
        }
    }
}

/// `given`: the numbers and bits of single fields already read, each with those of the messages it lies in.
fn parameter(
    route: &Route,
    tables: &Tables,
    pair: &str,
    wire: &mut Vec<u8>,
    given: &mut HashSet<(Vec<u32>, usize)>,
) -> Result<(), Violation> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let decoded = percent_decoded(name, true, false).zip(percent_decoded(value, true, false));
    let Some((name, value)) = decoded else {
        let text = Text::new("查询参数的百分号编码有误", "is percent-encoded wrongly");
        return Err(text.at(shown(name).to_owned(), "query.syntax"));
    };
    let Target { parents, field, path } = target(route, tables, &name)?;
    if field.shape == Shape::Single && !given.insert((parents.clone(), field.bit)) {
        let text = Text::new(
            "给出了两次，或与同组（oneof）的另一参数互斥",
            "is given twice, or excludes another parameter of its oneof",
        );
        return Err(text.at(path, "query.duplicate"));
    }
    put_within(wire, &parents, |wire| put_value(wire, tables, field, &value))
        .ok_or_else(|| scalar::expected(tables, field.kind).at(path, "query.value"))
}

/// The field that a parameter names, if the query may bind it.
fn target<'t>(route: &Route, tables: &'t Tables, name: &str) -> Result<Target<'t>, Violation> {
    let refuse = |text: Text| Err(text.at(shown(name).to_owned(), "query.unknown_field"));
    if route.body == BodyMode::All {
        return refuse(Text::new(
            "此请求不接受查询参数，请写入请求体",
            "is out of place: this request takes its fields in the body",
        ));
    }
    let mut found = Target { parents: Vec::new(), field: first(tables, route, name)?, path: String::new() };
    found.path.push_str(&found.field.name);
    for name in name.split('.').skip(1) {
        let inside = match found.field.kind {
            Kind::Message(id) if found.field.shape == Shape::Single && found.parents.len() < MAX_DEPTH => {
                tables.get(id)
            }
            _ => {
                return refuse(Text::new(
                    format!("{} 没有下级字段", found.path),
                    format!("goes too far: {} has no fields", found.path),
                ));
            }
        };
        let Some((_, field)) = inside.by_name(name).filter(|_| inside.form == Form::Object) else {
            return refuse(no_such_field(inside));
        };
        found.parents.push(found.field.number);
        found.field = field;
        found.path.extend([".", &field.name]);
    }
    if route.bound.iter().any(|b| b.number == found.field.number && b.parents == found.parents) {
        return refuse(Text::new("已由路径给出，不能再作为查询参数", "is given by the path already"));
    }
    let textual = match found.field.kind {
        Kind::Message(id) => {
            matches!(tables.get(id).form, Form::Timestamp | Form::Duration | Form::FieldMask | Form::Wrapper)
        }
        _ => true,
    };
    if !textual {
        return refuse(Text::new(
            "不是单个值：请给出其下级字段，如 a.b",
            "is not a single value: name a field of it, as in a.b",
        ));
    }
    Ok(found)
}

/// The request's own field that a parameter's first name means.
fn first<'t>(tables: &'t Tables, route: &Route, name: &str) -> Result<&'t Field, Violation> {
    let input = tables.get(route.input);
    let text = match input.by_name(name.split('.').next().unwrap_or(name)) {
        Some((_, field)) if matches!(&route.body, BodyMode::Field(body) if **body == *field.name) => {
            Text::new("应写入请求体，不能作为查询参数", "is the body of this request, not a parameter")
        }
        Some((_, field)) => return Ok(field),
        None => no_such_field(input),
    };
    Err(text.at(shown(name).to_owned(), "query.unknown_field"))
}

fn put_value(wire: &mut Vec<u8>, tables: &Tables, field: &Field, text: &str) -> Option<()> {
    put_tag(wire, field.number, field.kind.wire_type());
    let Kind::Message(id) = field.kind else { return scalar::put_text(wire, tables, field.kind, text) };
    let message = tables.get(id);
    let start = open(wire);
    if message.form == Form::Wrapper {
        let inner = message.by_number(1)?;
        put_value(wire, tables, inner, text)?;
    } else {
        wellknown::put_wire(wire, message.form, text)?;
    }
    close(wire, start);
    Some(())
}

/// Appends what `put` appends inside the messages of these numbers, the outermost first.
pub(super) fn put_within(
    wire: &mut Vec<u8>,
    parents: &[u32],
    put: impl FnOnce(&mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    let starts: Vec<usize> = parents
        .iter()
        .map(|number| {
            put_tag(wire, *number, WireType::Delimited);
            open(wire)
        })
        .collect();
    put(wire)?;
    starts.into_iter().rev().for_each(|start| close(wire, start));
    Some(())
}
