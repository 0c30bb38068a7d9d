//! Path templates of google.api.http: `/v1/{name=districts/*/events/*}:dispatch`.

use std::ops::Range;

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// These characters.
    Literal(String),
    /// `*`: one segment that is not empty.
    One,
    /// `**`: all that follow, or none; the last of its template.
    Rest,
}

/// A request field that holds a part of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The field's path in the names of the .proto file, e.g. `event.name`.
    pub field: String,
    /// The segments it holds, with the slashes between them.
    pub segments: Range<usize>,
}

/// A path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// As it stands in the .proto file.
    pub text: String,
    /// All segments, those of variables among them.
    pub segments: Vec<Segment>,
    /// In the order of the path.
    pub variables: Vec<Variable>,
    /// What follows a `:` at the end: a custom method.
    pub verb: Option<String>,
}

impl Template {
    /// Reads a template. None where it is not one: the grammar is that of google/api/http.proto, without variables
    /// inside variables.
    pub(super) fn parse(text: &str) -> Option<Template> {
        let rest = text.strip_prefix('/')?;
        // A colon before these belongs to no verb.
        let tail = rest.rfind(['/', '}']).map_or(0, |at| at + 1);
        let (mut rest, verb) = match rest[tail..].find(':') {
            Some(at) => (&rest[..tail + at], Some(literal(&rest[tail + at + 1..])?)),
            None => (rest, None),
        };
        let (mut segments, mut variables) = (Vec::new(), Vec::new());
        loop {
            let after = match rest.strip_prefix('{') {
                Some(inside) => {
                    let (inside, after) = inside.split_once('}')?;
                    let (field, pattern) = inside.split_once('=').unwrap_or((inside, "*"));
                    let start = segments.len();
                    for part in pattern.split('/') {
                        segments.push(segment(part)?);
                    }
                    variables.push(Variable { field: field.to_owned(), segments: start..segments.len() });
                    after
                }
                None => {
                    let (part, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                    segments.push(segment(part)?);
                    after
                }
            };
            if after.is_empty() {
                break;
            }
            rest = after.strip_prefix('/')?;
        }
        let rest_is_last = segments.iter().rev().skip(1).all(|s| *s != Segment::Rest);
        rest_is_last.then(|| Template { text: text.to_owned(), segments, variables, verb })
    }

    /// Whether some path fits both templates and neither of them is the narrower one throughout.
    pub(super) fn ambiguous_with(&self, other: &Template) -> bool {
        if self.verb != other.verb {
            return false;
        }
        let (mut narrower, mut wider) = (false, false);
        for at in 0.. {
            match (self.segments.get(at), other.segments.get(at)) {
                (None, None) | (Some(Segment::Rest), Some(Segment::Rest)) => break,
                (Some(Segment::Rest), _) => {
                    wider = true;
                    break;
                }
                (_, Some(Segment::Rest)) => {
                    narrower = true;
                    break;
                }
                (None, _) | (_, None) => return false,
                (Some(Segment::Literal(a)), Some(Segment::Literal(b))) if a != b => return false,
                (Some(Segment::Literal(_)), Some(Segment::One)) => narrower = true,
                (Some(Segment::One), Some(Segment::Literal(_))) => wider = true,
                _ => {}
            }
        }
        narrower == wider
    }
}

fn segment(text: &str) -> Option<Segment> {
    match text {
        "*" => Some(Segment::One),
        "**" => Some(Segment::Rest),
        _ => literal(text).map(Segment::Literal),
    }
}

fn literal(text: &str) -> Option<String> {
    (!text.is_empty() && !text.contains(['{', '}', '*', '=', ':', '/', '?', '#'])).then(|| text.to_owned())
}

/// Undoes percent-encoding; none where the bytes are not UTF-8 or a `%` is not followed by two hex digits.
/// `form`: a query, where `+` is a space. `keep_slash`: `%2F` stays, as a slash would look like one between segments.
pub(super) fn percent_decoded(text: &str, form: bool, keep_slash: bool) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let (high, low) = (bytes.next()?, bytes.next()?);
                let digit = |byte: u8| char::from(byte).to_digit(16);
                match (digit(high)? * 16 + digit(low)?) as u8 {
                    b'/' if keep_slash => decoded.extend([b'%', high, low]),
                    byte => decoded.push(byte),
                }
            }
            b'+' if form => decoded.push(b' '),
            byte => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_spans_its_segments() {
        let template = Template::parse("/v1/{name=districts/*/events/*}/notes/{note}:dispatch").unwrap();
        let literal = |text: &str| Segment::Literal(text.to_owned());
        let expected = [
            literal("v1"),
            literal("districts"),
            Segment::One,
            literal("events"),
            Segment::One,
            literal("notes"),
            Segment::One,
        ];
        assert_eq!(template.segments, expected);
        assert_eq!(template.variables[0], Variable { field: "name".into(), segments: 1..5 });
        assert_eq!(template.variables[1], Variable { field: "note".into(), segments: 6..7 });
        assert_eq!(template.verb.as_deref(), Some("dispatch"));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        let wrong = [
            "",
            "v1",
            "/",
            "/v1/",
            "/v1//a",
            "/{a",
            "/a}",
            "/{a=**}/b",
            "/a*",
            "/{a}b",
            "/a:",
            "/{a={b}}",
            "/**/a",
            "/a:b:c",
        ];
        for wrong in wrong {
            assert_eq!(Template::parse(wrong), None, "{wrong}");
        }
        assert!(Template::parse("/v1/{rest=**}").is_some());
    }

    #[test]
    fn overlapping_templates_must_be_ordered() {
        let ambiguous = |a: &str, b: &str| {
            let (a, b) = (Template::parse(a).unwrap(), Template::parse(b).unwrap());
            assert_eq!(a.ambiguous_with(&b), b.ambiguous_with(&a));
            a.ambiguous_with(&b)
        };
        assert!(ambiguous("/a/{x}", "/a/{y}"));
        assert!(ambiguous("/a/*", "/*/b"));
        assert!(ambiguous("/a/{x=**}", "/*/b"));
        assert!(!ambiguous("/a/*", "/a/b"));
        assert!(!ambiguous("/a/*", "/b/*"));
        assert!(!ambiguous("/a/*", "/a/*/c"));
        assert!(!ambiguous("/a/*:x", "/a/*:y"));
        assert!(!ambiguous("/a/**", "/a/*/b"));
    }

    #[test]
    fn percent_signs() {
        assert_eq!(percent_decoded("a%2Fb+%E4%BA%8B", false, false).as_deref(), Some("a/b+事"));
        assert_eq!(percent_decoded("a%2fb+c%2B", true, true).as_deref(), Some("a%2fb c+"));
        for wrong in ["%", "%2", "%zz", "%+1", "%ff"] {
            assert_eq!(percent_decoded(wrong, false, false), None, "{wrong}");
        }
    }
}
