//! The standard's example, every rule with what it says, and what check digits are for: an error is found.

use proptest::prelude::*;

use super::*;

const EXAMPLE: &str = "91350100M000100Y43";

fn parse(text: &str) -> Result<SocialCreditCode, CodeFault> {
    text.parse()
}

/// A text with one character, counted from 1, replaced.
fn with(text: &str, position: usize, character: char) -> String {
    let place = |(place, one)| if place + 1 == position { character } else { one };
    text.chars().enumerate().map(place).collect()
}

#[test]
fn the_standards_example_has_the_check_digit_3() {
    let code = parse(EXAMPLE).unwrap();
    assert_eq!((code.as_str(), code.organisation(), code.area()), (EXAMPLE, "M000100Y4", "350100"));
    assert_eq!(SocialCreditCode::complete(&EXAMPLE[..16]), Ok(code));
    for wrong in ALPHABET.chars().filter(|letter| *letter != '3') {
        assert_eq!(parse(&with(EXAMPLE, 18, wrong)), Err(CodeFault::Check { found: wrong, right: '3' }));
    }
}

/// Three companies that everybody knows, one with an X in its organisation code.
#[test]
fn codes_in_use_are_right() {
    for text in ["914403001922038216", "9144030071526726XG", "91330100799655058B"] {
        assert_eq!(parse(text).map(|code| code.to_string()), Ok(text.to_owned()));
    }
}

#[test]
fn the_organisation_codes_own_check_digit_is_checked() {
    for wrong in ALPHABET.chars().filter(|letter| *letter != '4') {
        let fault = CodeFault::OrganisationCheck { found: wrong, right: '4' };
        assert_eq!(parse(&with(EXAMPLE, 17, wrong)), Err(fault));
        // Even where the last digit fits it.
        let mut code: [u8; LENGTH] = with(EXAMPLE, 17, wrong).as_bytes().try_into().unwrap();
        code[17] = check(&code);
        assert_eq!(parse(std::str::from_utf8(&code).unwrap()), Err(fault));
    }
}

#[test]
fn letters_outside_of_the_alphabet_are_named_with_what_was_meant() {
    for (found, right) in [('I', '1'), ('O', '0'), ('S', '5'), ('V', 'U'), ('Z', '2'), ('m', 'M'), ('o', '0')]
    {
        let fault = CodeFault::Letter { position: 9, found, meant: Some(right) };
        assert_eq!(parse(&with(EXAMPLE, 9, found)), Err(fault));
        assert_eq!(fault.position(), Some(9));
    }
    for found in [' ', '-', '９', '码'] {
        assert_eq!(
            parse(&with(EXAMPLE, 18, found)),
            Err(CodeFault::Letter { position: 18, found, meant: None })
        );
    }
    assert_eq!(parse(&with(EXAMPLE, 8, 'A')), Err(CodeFault::Area { position: 8, found: 'A' }));
}

#[test]
fn eighteen_characters_no_more_no_less() {
    for text in ["", &EXAMPLE[..17], "91350100M000100Y433", "码码"] {
        let found = text.chars().count();
        assert_eq!(parse(text), Err(CodeFault::Length { found }));
        assert_eq!(SocialCreditCode::complete(text), Err(CodeFault::Length { found }));
    }
}

#[test]
fn a_fault_says_what_would_be_right() {
    let text = |code: &str| parse(code).unwrap_err().to_string();
    assert_eq!(text("91350100M000100Y44"), "character 18, the check digit, is '4'; '3' would be right");
    assert_eq!(text("9135"), "a code has 18 characters, not 4");
}

/// Letters run on from A = 10 in the organisation code; whoever does that in the unified code too is wrong.
#[test]
fn the_naive_letter_mapping_gives_another_check_digit() {
    let naive = |start: &str| {
        let weights = std::iter::successors(Some(1), |weight| Some(weight * 3 % 31));
        let sum: u32 =
            start.chars().zip(weights).map(|(one, weight)| one.to_digit(36).unwrap() * weight).sum();
        ALPHABET.chars().nth((31 - sum as usize % 31) % 31).unwrap()
    };
    let wrong = naive(&EXAMPLE[..17]);
    assert_ne!(wrong, '3');
    assert_eq!(parse(&with(EXAMPLE, 18, wrong)), Err(CodeFault::Check { found: wrong, right: '3' }));
    // Up to H nothing has been left out yet, and both are the same.
    let early = SocialCreditCode::complete("91410106ABCDEFGH").unwrap();
    assert_eq!(early.as_str().chars().next_back(), Some(naive(&early.as_str()[..17])));
    // Each later letter alone, where it stands for nothing else.
    for letter in ALPHABET.chars().filter(|letter| *letter > 'H') {
        let code = SocialCreditCode::complete(&format!("91410106{letter}0000000")).unwrap();
        // The organisation code's check digit can be the X that is itself mapped naively.
        if !code.organisation().ends_with('X') {
            assert_ne!(code.as_str().chars().next_back(), Some(naive(&code.as_str()[..17])), "{letter}");
        }
    }
}

#[test]
fn the_alphabet_is_worth_its_places() {
    let worth: Vec<u32> = ALPHABET.chars().filter_map(value).collect();
    assert_eq!(worth, (0..31).collect::<Vec<_>>());
    assert_eq!(
        ['A', 'H', 'J', 'N', 'P', 'R', 'T', 'U', 'W', 'Y'].map(value),
        [10, 17, 18, 22, 23, 25, 26, 27, 28, 30].map(Some)
    );
}

prop_compose! {
    fn starts()(
        authority in "[0-9A-HJ-NPQRTUWXY]{2}",
        area in "[0-9]{6}",
        organisation in "[0-9A-HJ-NPQRTUWXY]{8}",
    ) -> String {
        authority + &area + &organisation
    }
}

proptest! {
    #[test]
    fn a_completed_code_of_any_letters_is_read(start in starts()) {
        let code = SocialCreditCode::complete(&start).unwrap();
        prop_assert_eq!(parse(code.as_str()), Ok(code));
        let json = serde_json::to_string(&code).unwrap();
        prop_assert_eq!(&json, &format!("\"{code}\""));
        prop_assert_eq!(serde_json::from_str::<SocialCreditCode>(&json).unwrap(), code);
        // Both digits make the sums that the standards ask for vanish.
        let letters: Vec<char> = code.as_str().chars().collect();
        let sum: u64 = (0..17).map(|i| u64::from(value(letters[i]).unwrap()) * 3_u64.pow(u32::try_from(i).unwrap())).sum();
        prop_assert_eq!((sum + u64::from(value(letters[17]).unwrap())) % 31, 0);
        let inner: u32 = (0..8).map(|i| letters[8 + i].to_digit(36).unwrap() * ORGANISATION_WEIGHTS[i]).sum();
        let last = if letters[16] == 'X' { 10 } else { letters[16].to_digit(10).unwrap() };
        prop_assert_eq!((inner + last) % 11, 0);
    }

    #[test]
    fn one_wrong_character_is_always_found(start in starts(), position in 1_usize..=18, other in 0_usize..31) {
        let code = SocialCreditCode::complete(&start).unwrap();
        let other = ALPHABET.chars().nth(other).unwrap();
        let changed = with(code.as_str(), position, other);
        prop_assert_eq!(parse(&changed).is_ok(), changed == code.as_str());
    }

    #[test]
    fn two_neighbours_swapped_are_always_found(start in starts(), first in 0_usize..17) {
        let code = SocialCreditCode::complete(&start).unwrap();
        let mut letters: Vec<char> = code.as_str().chars().collect();
        letters.swap(first, first + 1);
        let changed: String = letters.into_iter().collect();
        prop_assert_eq!(parse(&changed).is_ok(), changed == code.as_str());
    }

    #[test]
    fn no_text_is_too_odd_to_be_refused(text in ".{0,20}") {
        prop_assert!(parse(&text).is_err());
    }
}
