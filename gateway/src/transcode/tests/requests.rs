//! Request bodies: what is read, and how what is wrong is told.

use super::*;

/// What our own writing makes of what we read.
fn round(text: &str) -> String {
    json(&wire(text).unwrap()).unwrap()
}

/// `field: rule` of every violation.
fn wrong(text: &str) -> Vec<String> {
    wire(text).unwrap_err().violations.iter().map(|v| format!("{}: {}", v.field, v.rule)).collect()
}

#[test]
fn names_of_both_kinds_and_numbers_in_every_spelling() {
    assert_eq!(
        round(
            r#"{"an_int32": 1.0, "anInt64": "-12e1", "aUint64": 18446744073709551615, "aDouble": "1e3", "color": 4000}"#
        ),
        r#"{"anInt32":1,"anInt64":"-120","aUint64":"18446744073709551615","aDouble":1000,"color":"COLOR_FAR"}"#
    );
}

#[test]
fn null_is_absence_but_where_it_is_a_value() {
    let text = r#"{"anInt32":null,"child":null,"numbers":null,"labels":null,"pickNumber":null,"pickNull":null,"value":null,"values":[null]}"#;
    assert_eq!(round(text), r#"{"pickNull":null,"value":null,"values":[null]}"#);
    assert_eq!(wrong(r#"{"numbers":[1,null],"labels":{"a":null},"wrappedFlags":[null]}"#).len(), 3);
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let text = r#"{
        "anInt32": 2147483648, "aBool": "true", "color": "BLUE", "child": {"aString": 1, "children": [{}, {"nope": [{}]}]},
        "byNumber": {"1": {"aUint32": -1}, "x": {}}, "time": "yesterday", "numbers": [1, "a", 1.5], "texts": {}, "labels": []
    }"#;
    let expected = [
        "an_int32: json.value",
        "a_bool: json.value",
        "color: json.value",
        "child.a_string: json.value",
        "child.children[1].nope: json.unknown_field",
        "by_number[\"1\"].a_uint32: json.value",
        "by_number[\"x\"]: json.value",
        "time: json.value",
        "numbers[1]: json.value",
        "numbers[2]: json.value",
        "texts: json.value",
        "labels: json.value",
    ];
    assert_eq!(wrong(text), expected);
    let color = wire(r#"{"color":"BLUE"}"#).unwrap_err().violations.remove(0);
    assert_eq!(color.en, "must be one of COLOR_NEGATIVE, COLOR_UNSPECIFIED, COLOR_RED, COLOR_FAR");
    assert_eq!(color.zh, "应为下列之一：COLOR_NEGATIVE、COLOR_UNSPECIFIED、COLOR_RED、COLOR_FAR");
}

#[test]
fn twice_is_wrong() {
    assert_eq!(wrong(r#"{"anInt32":1,"an_int32":1}"#), ["an_int32: json.duplicate"]);
    assert_eq!(wrong(r#"{"pickNumber":1,"pickText":""}"#), ["pick_text: json.oneof"]);
    assert_eq!(wrong(r#"{"labels":{"a":"","a":""}}"#), ["labels[\"a\"]: json.duplicate"]);
    assert_eq!(wrong(r#"{"byNumber":{"1":{},"1.0":{}}}"#), ["by_number[\"1.0\"]: json.duplicate"]);
    assert_eq!(wrong(r#"{"struct":{"a":1,"\u0061":2}}"#), ["struct[\"a\"]: json.duplicate"]);
}

#[test]
fn what_is_no_json_is_told_with_its_place() {
    assert_eq!(wrong("{\"anInt32\":1"), [": json.syntax"]);
    assert_eq!(wrong("{} {}"), [": json.syntax"]);
    assert_eq!(wrong("[]"), [": json.value"]);
    let deep = format!("{}{}", "{\"child\":".repeat(200), "}".repeat(200));
    assert_eq!(wrong(&deep), [": json.depth"]);
    let deep = format!("{{\"value\":{}", "[".repeat(100_000));
    assert_eq!(wrong(&deep), [": json.depth"]);
    let error = TABLES.to_wire(all(), b"{\"aString\":\"\xff\"}", &mut Vec::new()).unwrap_err();
    assert_eq!(error.violations[0].rule, "json.syntax");
}

#[test]
fn an_any_may_name_its_type_last() {
    let text = r#"{"any":{"anInt32":1,"@type":"x/test.All"}}"#;
    assert_eq!(round(text), r#"{"any":{"@type":"x/test.All","anInt32":1}}"#);
    let nested = r#"{"any":{"@type":"x/google.protobuf.Any","value":{"@type":"x/google.protobuf.Duration","value":"1s"}}}"#;
    assert_eq!(round(nested), nested);
    assert_eq!(round(r#"{"any":{}}"#), r#"{"any":{}}"#);
    assert_eq!(wrong(r#"{"any":{"anInt32":1}}"#), ["any: json.value"]);
    assert_eq!(wrong(r#"{"any":{"@type":"x/no.Such"}}"#), ["any: json.value"]);
    assert_eq!(wrong(r#"{"any":{"@type":"x/google.protobuf.Duration"}}"#), ["any: json.value"]);
    assert_eq!(
        wrong(r#"{"any":{"@type":"x/google.protobuf.Duration","value":"1s","x":1}}"#),
        ["any.x: json.unknown_field"]
    );
    assert_eq!(wrong(r#"{"any":{"@type":"x/test.All","nope":1}}"#), ["any.nope: json.unknown_field"]);
    assert_eq!(wrong(r#"{"@type":"x/test.All"}"#), ["@type: json.unknown_field"]);
}

#[test]
fn unknown_names_can_be_ignored() {
    let text = br#"{"nope":{"deep":[1]},"color":"BLUE","colors":["BLUE","COLOR_RED"],"byFlag":{"true":"BLUE"},"anInt32":1}"#;
    let mut wire = Vec::new();
    TABLES.to_wire_ignoring_unknown(all(), text, &mut wire).unwrap();
    assert_eq!(json(&wire).unwrap(), r#"{"colors":["COLOR_RED"],"anInt32":1}"#);
}

#[test]
fn a_thousand_errors_are_told_as_a_hundred() {
    let text = format!("{{\"numbers\":[{}]}}", vec!["\"x\""; 1000].join(","));
    assert_eq!(wrong(&text).len(), 100);
}
