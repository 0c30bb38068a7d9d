//! JSON text, token by token: strictly RFC 8259, without building values.

use std::borrow::Cow;

use super::{MAX_DEPTH, output::next_special, violation::Text};

/// The text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Syntax {
    /// Byte offset.
    pub(super) at: usize,
    pub(super) kind: SyntaxKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SyntaxKind {
    /// Something else should stand here, or the text ends too early.
    Unexpected,
    /// A string with a control character, an unknown escape or half of a surrogate pair.
    BadString,
    /// Arrays and objects nested too deeply.
    TooDeep,
}

impl Syntax {
    pub(super) fn text(self) -> Text {
        let (zh, en) = match self.kind {
            SyntaxKind::Unexpected => ("不是合法的 JSON", "is not valid JSON"),
            SyntaxKind::BadString => (
                "字符串含有非法转义、控制字符或残缺的代理对",
                "has a string with a bad escape, control character or lone surrogate",
            ),
            SyntaxKind::TooDeep => ("嵌套过深", "is nested too deeply"),
        };
        Text::new(
            format!("请求体{zh}（第 {} 字节处）", self.at),
            format!("the body {en} (at byte {})", self.at),
        )
    }
}

/// What kind of value comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}

/// A cursor over JSON text.
#[derive(Clone, Copy)]
pub(super) struct Parser<'j> {
    text: &'j str,
    at: usize,
}

impl<'j> Parser<'j> {
    pub(super) fn new(text: &'j str) -> Self {
        Parser { text, at: 0 }
    }

    pub(super) fn fail<T>(&self, kind: SyntaxKind) -> Result<T, Syntax> {
        Err(Syntax { at: self.at, kind })
    }

    /// The next byte that is not white space.
    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    pub(super) fn next(&mut self) -> Result<Next, Syntax> {
        match self.byte() {
            Some(b'{') => Ok(Next::Object),
            Some(b'[') => Ok(Next::Array),
            Some(b'"') => Ok(Next::String),
            Some(b'-' | b'0'..=b'9') => Ok(Next::Number),
            Some(b't') => Ok(Next::True),
            Some(b'f') => Ok(Next::False),
            Some(b'n') => Ok(Next::Null),
            _ => self.fail(SyntaxKind::Unexpected),
        }
    }

    /// Takes the punctuation `byte` if it comes next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.byte() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Syntax> {
        if self.take(byte) { Ok(()) } else { self.fail(SyntaxKind::Unexpected) }
    }

    /// After an element: whether another follows; if not, `bracket` is taken.
    pub(super) fn another(&mut self, bracket: u8) -> Result<bool, Syntax> {
        if self.take(b',') {
            return Ok(true);
        }
        self.expect(bracket).map(|()| false)
    }

    pub(super) fn end(&mut self) -> Result<(), Syntax> {
        if self.byte().is_none() { Ok(()) } else { self.fail(SyntaxKind::Unexpected) }
    }

    /// `true`, `false` or `null`.
    pub(super) fn word(&mut self, word: &str) -> Result<(), Syntax> {
        if !self.text[self.at..].starts_with(word) {
            return self.fail(SyntaxKind::Unexpected);
        }
        self.at += word.len();
        Ok(())
    }

    /// A name of an object, with the colon after it.
    pub(super) fn name(&mut self) -> Result<Cow<'j, str>, Syntax> {
        if self.byte() != Some(b'"') {
            return self.fail(SyntaxKind::Unexpected);
        }
        let name = self.string()?;
        self.expect(b':')?;
        Ok(name)
    }

    /// The text of a number.
    pub(super) fn number(&mut self) -> Result<&'j str, Syntax> {
        let rest = &self.text[self.at..];
        match number_len(rest.as_bytes()) {
            Some(len) => {
                self.at += len;
                Ok(&rest[..len])
            }
            None => self.fail(SyntaxKind::Unexpected),
        }
    }

    /// A string, without its quotes and escapes.
    pub(super) fn string(&mut self) -> Result<Cow<'j, str>, Syntax> {
        self.at += 1;
        let start = self.at;
        self.plain();
        if self.text.as_bytes().get(self.at) == Some(&b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
        }
        let mut unescaped = self.text[start..self.at].to_owned();
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(unescaped));
                }
                Some(b'\\') => unescaped.push(self.escape()?),
                Some(0..0x20) => return self.fail(SyntaxKind::BadString),
                Some(_) => {
                    let start = self.at;
                    self.plain();
                    unescaped.push_str(&self.text[start..self.at]);
                }
                None => return self.fail(SyntaxKind::Unexpected),
            }
        }
    }

    /// Passes over characters that stand for themselves.
    fn plain(&mut self) {
        self.at = next_special(self.text.as_bytes(), self.at).unwrap_or(self.text.len());
    }

    fn escape(&mut self) -> Result<char, Syntax> {
        let byte = self.text.as_bytes().get(self.at + 1).copied();
        self.at += 2;
        Ok(match byte {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return self.fail(SyntaxKind::BadString),
        })
    }

    fn unicode(&mut self) -> Result<char, Syntax> {
        let high = self.hex()?;
        let code = if (0xd800..0xdc00).contains(&high) {
            if !self.text[self.at..].starts_with("\\u") {
                return self.fail(SyntaxKind::BadString);
            }
            self.at += 2;
            match self.hex()? {
                low @ 0xdc00..0xe000 => 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00),
                _ => return self.fail(SyntaxKind::BadString),
            }
        } else {
            high
        };
        char::from_u32(code).map_or_else(|| self.fail(SyntaxKind::BadString), Ok)
    }

    fn hex(&mut self) -> Result<u32, Syntax> {
        let digits = self.text.as_bytes()[self.at..].first_chunk::<4>();
        let value = digits.and_then(|digits| {
            digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
        });
        self.at += if value.is_some() { 4 } else { 0 };
        value.map_or_else(|| self.fail(SyntaxKind::BadString), Ok)
    }

    /// Passes over one value of any kind.
    pub(super) fn skip(&mut self) -> Result<(), Syntax> {
        self.skip_within(MAX_DEPTH)
    }

    fn skip_within(&mut self, depth: usize) -> Result<(), Syntax> {
        let next = self.next()?;
        let Some(inside) = depth.checked_sub(1) else { return self.fail(SyntaxKind::TooDeep) };
        match next {
            Next::String => self.string().map(drop),
            Next::Number => self.number().map(drop),
            Next::True => self.word("true"),
            Next::False => self.word("false"),
            Next::Null => self.word("null"),
            Next::Array => {
                self.at += 1;
                if self.take(b']') {
                    return Ok(());
                }
                loop {
                    self.skip_within(inside)?;
                    if !self.another(b']')? {
                        return Ok(());
                    }
                }
            }
            Next::Object => {
                self.at += 1;
                if self.take(b'}') {
                    return Ok(());
                }
                loop {
                    self.name()?;
                    self.skip_within(inside)?;
                    if !self.another(b'}')? {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// The length of the number at the start of `bytes`: `-`, digits without a leading zero, fraction, exponent.
pub(super) fn number_len(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    match digits(at) {
        0 => return None,
        n if n > 1 && bytes[at] == b'0' => return None,
        n => at += n,
    }
    if bytes.get(at) == Some(&b'.') {
        match digits(at + 1) {
            0 => return None,
            n => at += 1 + n,
        }
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        match digits(at.min(bytes.len())) {
            0 => return None,
            n => at += n,
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_json(text: &str) -> bool {
        let mut parser = Parser::new(text);
        parser.skip().and_then(|()| parser.end()).is_ok()
    }

    #[test]
    fn what_serde_json_takes_and_refuses_we_do_too() {
        let cases = [
            "0",
            "-0",
            "01",
            "1.",
            ".5",
            "1.5e+3",
            "1e",
            "1e+",
            "+1",
            "-",
            "\"a\\u00e9\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "\"\\ude00\"",
            "\"\\ud83dx\"",
            "\"\\x\"",
            "\"\t\"",
            "\"",
            "\"\\",
            "\"\\u12",
            "[]",
            "[1,]",
            "[,]",
            "[1 2]",
            "{}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "nul",
            "nulls",
            "true false",
            " [ 1 , { \"a\" : [ ] } ] ",
            "\u{feff}1",
            "'a'",
            "",
            "NaN",
            "// c\n1",
            "\"\\/\\b\\f\\n\\r\\t\"",
        ];
        for case in cases {
            assert_eq!(is_json(case), serde_json::from_str::<serde_json::Value>(case).is_ok(), "{case}");
        }
    }

    #[test]
    fn depth_is_limited() {
        assert!(is_json(&format!("{}{}", "[".repeat(99), "]".repeat(99))));
        assert!(!is_json(&"[".repeat(1_000_000)));
    }

    proptest! {
        #[test]
        fn strings_are_read_as_serde_json_reads_them(text in "\"(\\\\[\"\\\\/bfnrtux]|\\\\u[0-9a-f]{4}|\\\\ud[89ab][0-9]{2}\\\\ud[c-f][0-9]{2}|\\PC){0,8}\"") {
            let mut parser = Parser::new(&text);
            let ours = parser.string().ok().filter(|_| parser.end().is_ok()).map(Cow::into_owned);
            prop_assert_eq!(ours, serde_json::from_str::<String>(&text).ok());
        }

        #[test]
        fn anything_ends(text in "[\\[\\]{}\":,0-9eE+\\-.\\\\utnf ]*") {
            prop_assert_eq!(is_json(&text), serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
    }
}
