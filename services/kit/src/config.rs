//! Settings from environment variables with one prefix: every problem is reported, all at once.
//!
//! A module reads what it needs with the typed getters, which note a problem and go on with a placeholder; only
//! [`Settings::finish`] says whether the values may be used.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt, fs,
    net::SocketAddr,
    ops::RangeInclusive,
    time::Duration,
};

/// The variables of a process and what was found wrong with them.
#[derive(Debug)]
pub struct Settings {
    prefix: String,
    variables: BTreeMap<String, String>,
    asked: BTreeSet<String>,
    problems: Vec<Fault>,
}

/// A value that is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

/// What is wrong with one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The variable, with its prefix.
    pub variable: String,
    /// What is wrong and what would be right, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// Everything that is wrong with the settings; its text names every variable, in Chinese and English.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError(pub Vec<Fault>);

impl Settings {
    /// The variables of the process that start with `prefix`, e.g. `GRID_`.
    pub fn from_env(prefix: &str) -> Self {
        let text = |(k, v): (std::ffi::OsString, std::ffi::OsString)| {
            Some((k.into_string().ok()?, v.into_string().ok()?))
        };
        Self::from_variables(prefix, env::vars_os().filter_map(text))
    }

    /// The given variables (name with prefix, value).
    pub fn from_variables(prefix: &str, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables =
            variables.into_iter().filter(|(name, value)| name.starts_with(prefix) && !value.is_empty());
        Self {
            prefix: prefix.to_owned(),
            variables: variables.collect(),
            asked: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    /// The text of `name` (without the prefix), or `None` where it is unset or empty.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let variable = self.variable(name);
        let text = self.variables.get(&variable).cloned();
        self.asked.insert(variable);
        text
    }

    /// Every variable that was asked for until now, with its prefix: the documentation is compared with it.
    pub fn asked(&self) -> &BTreeSet<String> {
        &self.asked
    }

    /// The text of `name`, which must be set; `zh` and `en` say what it is.
    pub fn required(&mut self, name: &str, zh: &str, en: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.fault(name, format!("没有设置；应为{zh}"), format!("is not set; it must be {en}"));
            String::new()
        })
    }

    /// A whole number within `range`.
    pub fn number(&mut self, name: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = (range.start(), range.end());
        let (zh, en) = (format!(" {low} 到 {high} 的整数"), format!("a whole number from {low} to {high}"));
        self.parse(name, default, &zh, &en, |text| text.parse().ok().filter(|n| range.contains(n)))
    }

    /// A duration such as `250ms`, `5s`, `10m` or `1h`.
    pub fn duration(&mut self, name: &str, default: Duration) -> Duration {
        self.parse(
            name,
            default,
            "时长，如 250ms、5s、10m、1h",
            "a duration such as 250ms, 5s, 10m or 1h",
            parse_duration,
        )
    }

    /// An address and port to listen on, such as `127.0.0.1:9000`.
    pub fn address(&mut self, name: &str, default: SocketAddr) -> SocketAddr {
        self.parse(
            name,
            default,
            "地址和端口，如 127.0.0.1:9000",
            "an address and port such as 127.0.0.1:9000",
            |t| t.parse().ok(),
        )
    }

    /// One of the words of `choices`; the first where it is unset.
    pub fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> T {
        let words = choices.iter().map(|(word, _)| *word).collect::<Vec<_>>();
        let (zh, en) = (format!(" {} 之一", words.join("、")), format!("one of {}", words.join(", ")));
        let find = |text: &str| choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        self.parse(name, choices[0].1, &zh, &en, find)
    }

    /// The secret in `{name}`, or in the file that `{name}_FILE` names; one of them must be set.
    pub fn secret(&mut self, name: &str) -> Secret {
        let file = format!("{name}_FILE");
        if let Some(path) = self.text(&file) {
            match fs::read_to_string(&path) {
                Ok(text) if !text.trim().is_empty() => return Secret(text.trim().to_owned()),
                Ok(_) => self.fault(&file, "所指的文件是空的".to_owned(), "names an empty file".to_owned()),
                Err(e) => self.fault(
                    &file,
                    format!("所指的文件读不出来：{e}"),
                    format!("names a file that cannot be read: {e}"),
                ),
            }
            return Secret::default();
        }
        let Some(text) = self.text(name) else {
            let variable = self.variable(&file);
            self.fault(
                name,
                format!("没有设置；请设置它或 {variable}"),
                format!("is not set; set it or {variable}"),
            );
            return Secret::default();
        };
        Secret(text)
    }

    /// Notes that `name` is wrong: for a rule that only its reader knows.
    pub fn fault(&mut self, name: &str, zh: String, en: String) {
        let variable = self.variable(name);
        self.problems.push(Fault { variable, zh, en });
    }

    /// Ok where no problem was noted; else all of them. The values read before may be used only then.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigError(self.problems)) }
    }

    fn variable(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn parse<T>(
        &mut self,
        name: &str,
        default: T,
        zh: &str,
        en: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> T {
        let Some(text) = self.text(name) else { return default };
        read(&text).unwrap_or_else(|| {
            self.fault(
                name,
                format!("的值 {text:?} 不对；应为{zh}"),
                format!("has the value {text:?}; it must be {en}"),
            );
            default
        })
    }
}

impl Secret {
    /// Wraps a text that must not be printed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: to be handed on, not printed.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "配置有 {0} 处问题 / {0} problem(s) in the settings:", self.0.len())?;
        for Fault { variable, zh, en } in &self.0 {
            writeln!(f, "  {variable} {zh}。\n  {variable} {en}.")?;
        }
        Ok(())
    }
}

/// `250ms`, `5s`, `10m`, `1h`.
fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number = digits.parse::<u32>().ok()?;
    let unit = match &text[digits.len()..] {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3600),
        _ => return None,
    };
    Some(unit * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Settings {
        Settings::from_variables("X_", variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn defaults_and_good_values() {
        let mut s =
            settings(&[("X_N", "7"), ("X_T", "250ms"), ("X_KEY", "k"), ("X_WORD", "json"), ("Y_N", "9")]);
        assert_eq!(s.number("N", 1, 1..=10), 7);
        assert_eq!(s.number("M", 3, 1..=10), 3);
        assert_eq!(s.duration("T", Duration::ZERO), Duration::from_millis(250));
        assert_eq!(s.secret("KEY").reveal(), "k");
        assert!(s.choice("WORD", &[("plain", false), ("json", true)]));
        assert!(s.finish().is_ok());
    }

    #[test]
    fn every_problem_is_told_at_once_and_no_secret() {
        let mut s = settings(&[
            ("X_N", "70"),
            ("X_T", "5 days"),
            ("X_ADDR", "here"),
            ("X_WORD", "yaml"),
            ("X_EMPTY", ""),
        ]);
        s.number("N", 1, 1..=10);
        s.duration("T", Duration::ZERO);
        s.address("ADDR", SocketAddr::from(([127, 0, 0, 1], 1)));
        s.choice("WORD", &[("plain", false), ("json", true)]);
        s.required("EMPTY", "某值", "something");
        s.secret("KEY");
        let error = s.finish().expect_err("six problems");
        insta::assert_snapshot!(error.to_string());
    }

    #[test]
    fn a_secret_comes_from_a_file_and_is_not_printed() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        fs::write(file.path(), "hush\n").expect("written");
        let mut s = settings(&[("X_KEY_FILE", &file.path().to_string_lossy())]);
        let secret = s.secret("KEY");
        assert_eq!((secret.reveal(), format!("{secret:?}").as_str()), ("hush", "Secret(…)"));
        assert!(s.finish().is_ok());
    }

    #[test]
    fn durations() {
        for (text, expected) in
            [("5s", Some(5)), ("10m", Some(600)), ("1h", Some(3600)), ("5", None), ("s", None), ("-1s", None)]
        {
            assert_eq!(parse_duration(text), expected.map(Duration::from_secs), "{text}");
        }
    }
}
