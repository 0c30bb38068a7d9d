//! Area codes behave as their texts do.

use proptest::prelude::*;

use super::{AreaCode, AreaCodeError};

/// Codes of every depth, from few digits, so that two of them are often related.
fn codes() -> impl Strategy<Value = String> {
    "41018[23](00[0-2]){0,4}"
}

fn code(text: &str) -> AreaCode {
    text.parse().unwrap()
}

proptest! {
    #[test]
    fn any_code_is_printed_as_it_was_read(text in "[1-9][0-9]{5}([0-9]{3}){0,4}") {
        let code = code(&text);
        prop_assert_eq!(code.to_string(), text.clone());
        prop_assert_eq!(usize::from(code.depth()), text.len() / 3 - 2);
        prop_assert_eq!(code.district().to_string(), &text[..6]);
        let json = serde_json::to_string(&code).unwrap();
        prop_assert_eq!(&json, &format!("\"{text}\""));
        prop_assert_eq!(serde_json::from_str::<AreaCode>(&json).unwrap(), code);
    }

    #[test]
    fn order_and_containment_are_those_of_the_texts(a in codes(), b in codes()) {
        prop_assert_eq!(code(&a).cmp(&code(&b)), a.cmp(&b));
        prop_assert_eq!(code(&a).contains(&code(&b)), b.starts_with(&a));
    }

    #[test]
    fn ancestors_are_the_shorter_prefixes(text in codes()) {
        let expected: Vec<_> = (6..text.len()).step_by(3).rev().map(|length| code(&text[..length])).collect();
        let found: Vec<_> = code(&text).ancestors().collect();
        prop_assert_eq!(code(&text).parent(), expected.first().copied());
        prop_assert!(found.iter().all(|area| area.contains(&code(&text))));
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn other_texts_are_refused(text in "\\PC{0,20}") {
        let digits = text.len() >= 6 && text.len() <= 18 && text.len() % 3 == 0
            && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        prop_assert_eq!(text.parse::<AreaCode>().is_ok(), digits);
    }
}

#[test]
fn the_error_says_what_is_wrong() {
    let error = |text: &str| text.parse::<AreaCode>().unwrap_err();
    assert_eq!(error(""), AreaCodeError::Length { found: 0 });
    assert_eq!(error("4101820"), AreaCodeError::Length { found: 7 });
    assert_eq!(error("410182002011001001001"), AreaCodeError::Length { found: 21 });
    assert_eq!(error("41O182"), AreaCodeError::NotADigit { found: 'O' });
    assert_eq!(error("４１０１８２"), AreaCodeError::NotADigit { found: '４' });
    assert_eq!(error("010182"), AreaCodeError::LeadingZero);
    assert!(serde_json::from_str::<AreaCode>("\"41\"").is_err());
}

#[test]
fn a_district_is_an_area() {
    assert_eq!(AreaCode::of_district(410_182), Ok(code("410182")));
    assert_eq!(AreaCode::of_district(4101), Err(AreaCodeError::Length { found: 4 }));
    assert_eq!(AreaCode::of_district(-41_018), Err(AreaCodeError::NotADigit { found: '-' }));
}

#[test]
fn the_shipped_divisions_are_a_forest_in_order() {
    let csv = include_str!("../../../data/zhengzhou-divisions.csv");
    let areas: Vec<AreaCode> =
        csv.lines().skip(1).map(|line| code(line.split(',').next().unwrap())).collect();
    assert_eq!(areas.len(), 3529);
    assert!(areas.is_sorted());
    for area in &areas {
        assert!(
            area.parent().is_none_or(|parent| areas.binary_search(&parent).is_ok()),
            "{area} has no parent"
        );
    }
}
