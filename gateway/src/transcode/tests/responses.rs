//! Responses: the cases that encoders do not write but the wire allows, and the forms of JSON.

use super::{
    super::{
        WireError, status_json,
        wire::{WireType, put_delimited, put_tag, put_varint},
    },
    *,
};

fn varint(number: u32, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_tag(&mut out, number, WireType::Varint);
    put_varint(&mut out, value);
    out
}

fn delimited(number: u32, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_tag(&mut out, number, WireType::Delimited);
    put_delimited(&mut out, content);
    out
}

#[test]
fn fields_come_in_the_order_of_the_wire() {
    let wire = [delimited(14, "经纬".as_bytes()), varint(3, 5), varint(4, 6), varint(18, 0)].concat();
    assert_eq!(json(&wire).unwrap(), r#"{"aString":"经纬","anInt32":5,"anInt64":"6","maybe":0}"#);
    assert_eq!(json(&[varint(3, 0), delimited(14, b""), delimited(30, b"")].concat()).unwrap(), "{}");
}

#[test]
fn minus_zero_is_not_the_default() {
    assert_eq!(json(&[&[0x09][..], &(-0.0f64).to_le_bytes()].concat()).unwrap(), r#"{"aDouble":-0}"#);
    assert_eq!(json(&[&[0x09][..], &0.0f64.to_le_bytes()].concat()).unwrap(), "{}");
}

#[test]
fn the_last_counts_and_messages_merge() {
    let child = |inside: &[u8]| delimited(17, inside);
    let wire = [
        varint(3, 1),
        child(&varint(3, 2)),
        varint(3, 7),
        child(&varint(4, 3)),
        child(&child(&varint(3, 1))),
    ];
    assert_eq!(
        json(&wire.concat()).unwrap(),
        r#"{"anInt32":7,"child":{"anInt32":2,"anInt64":"3","child":{"anInt32":1}}}"#
    );
}

#[test]
fn a_member_of_a_oneof_ends_what_came_before_it() {
    let child = |value| delimited(22, &varint(3, value));
    let wire = [child(1), varint(20, 9), child(2), delimited(22, &varint(4, 3))].concat();
    assert_eq!(json(&wire).unwrap(), r#"{"pickChild":{"anInt32":2,"anInt64":"3"}}"#);
    assert_eq!(json(&[child(1), varint(23, 0)].concat()).unwrap(), r#"{"pickNull":null}"#);
}

#[test]
fn the_last_entry_of_a_key_counts() {
    let entry = |key: &str, value: &str| {
        delimited(40, &[delimited(2, value.as_bytes()), delimited(1, key.as_bytes())].concat())
    };
    let wire = [entry("b", "1"), entry("a", "2"), varint(3, 1), entry("b", "3"), delimited(40, b"")].concat();
    assert_eq!(json(&wire).unwrap(), r#"{"anInt32":1,"labels":{"":"","a":"2","b":"3"}}"#);
}

#[test]
fn packed_and_unpacked_are_one_list() {
    let wire = [
        varint(30, 1),
        delimited(30, &[2, 3]),
        varint(3, 1),
        varint(30, 4),
        varint(31, 1),
        delimited(31, &[2]),
    ];
    assert_eq!(
        json(&wire.concat()).unwrap(),
        r#"{"anInt32":1,"numbers":[1,2,3,4],"looseNumbers":["-1","1"]}"#
    );
}

#[test]
fn tangles_inside_tangles_take_no_longer_than_their_size_allows() {
    // At each of 90 levels the child comes twice: by doubling it would never end.
    let mut wire = varint(3, 1);
    for _ in 0..90 {
        wire = [delimited(17, &wire), varint(3, 0), delimited(17, b"")].concat();
    }
    let mut expected = "{\"anInt32\":1}".to_owned();
    for _ in 0..90 {
        expected = format!("{{\"child\":{expected}}}");
    }
    assert_eq!(json(&wire).unwrap(), expected);
}

#[test]
fn what_has_no_json_is_an_error() {
    let time = |seconds: i64| delimited(50, &varint(1, seconds as u64));
    assert_eq!(json(&time(253_402_300_800)), Err(WireError::Inexpressible("Timestamp")));
    assert_eq!(json(&delimited(51, &varint(2, 1_000_000_000))), Err(WireError::Inexpressible("Duration")));
    assert_eq!(json(&delimited(52, &delimited(1, b"camelCase"))), Err(WireError::Inexpressible("FieldMask")));
    let nan = [&[0x11][..], &f64::NAN.to_le_bytes()].concat();
    assert_eq!(json(&delimited(54, &nan)), Err(WireError::Inexpressible("Value")));
    assert_eq!(json(&delimited(14, b"\xff")), Err(WireError::Malformed));
    let mut deep = Vec::new();
    for _ in 0..99 {
        deep = delimited(17, &deep);
    }
    assert!(json(&deep).is_ok());
    assert_eq!(json(&delimited(17, &deep)), Err(WireError::TooDeep));
}

#[test]
fn an_any_of_an_unknown_type_shows_its_bytes() {
    let any = [delimited(1, b"type.googleapis.com/nobody.Knows"), delimited(2, b"\x08\x01")].concat();
    assert_eq!(
        json(&delimited(56, &any)).unwrap(),
        r#"{"any":{"@type":"type.googleapis.com/nobody.Knows","value":"CAE="}}"#
    );
}

#[test]
fn names_are_as_the_descriptor_has_them() {
    let wire =
        [delimited(70, b"\"\n\x01"), delimited(100_000, b"x"), varint(16, 5), varint(34, 4000)].concat();
    assert_eq!(
        json(&wire).unwrap(),
        "{\"@other name\":\"\\\"\\n\\u0001\",\"farField\":\"x\",\"color\":5,\"colors\":[\"COLOR_FAR\"]}"
    );
}

#[test]
fn an_error_is_told_as_aip_193_has_it() {
    let any = |name: &str, content: &[u8]| {
        let any =
            [delimited(1, format!("type.googleapis.com/{name}").as_bytes()), delimited(2, content)].concat();
        delimited(3, &any)
    };
    let details = [
        varint(1, 3),
        any("google.protobuf.Duration", &varint(1, 2)),
        any("google.protobuf.Timestamp", &varint(1, u64::MAX / 2)),
        any("test.All", &varint(3, 1)),
        delimited(2, b"ignored"),
    ]
    .concat();
    let (http, body) = status_json(&TABLES, 3, "bad \"x\"", &details);
    assert_eq!(http, 400);
    let expected = concat!(
        r#"{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"bad \"x\"","details":["#,
        r#"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"2s"},"#,
        r#"{"@type":"type.googleapis.com/test.All","anInt32":1}]}}"#
    );
    assert_eq!(String::from_utf8(body).unwrap(), expected);
    let (http, body) = status_json(&TABLES, 99, "", &[0xff]);
    assert_eq!(
        (http, &*body),
        (500, &br#"{"error":{"code":500,"status":"UNKNOWN","message":"","details":[]}}"#[..])
    );
}
