//! What a gateway is told: its backends and limits.

use std::{
    borrow::Cow, collections::BTreeMap, net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration,
};

use http::{HeaderValue, Uri};
use jingwei_kit::config;

/// The backends there are: name, and the package of the services that it serves.
pub(crate) const BACKENDS: &[(&str, &str)] = &[
    ("grid", "jingwei.grid.v1"),
    ("business-environment-monitor", "jingwei.business_environment_monitor.v1"),
];

/// A gateway's settings. Each has a working default but the backends.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name (`grid`) and address (`http://127.0.0.1:9001`) of each backend: gRPC over HTTP/2 without TLS. A name that comes
    /// several times has several replicas; so has a host name with several addresses.
    pub backends: Vec<(String, Uri)>,
    /// The origins whose pages may call; `*` is every origin, none is none.
    pub origins: Vec<HeaderValue>,
    /// Requests per second of one caller, a token or else an address, with a burst of two seconds' worth; no limit
    /// where `None`. An address may send twenty times as many.
    pub rate: Option<NonZeroU32>,
    /// Whether the last entry of `x-forwarded-for` is the caller's address: only behind a proxy that writes it.
    pub behind_proxy: bool,
    /// The largest request body, in bytes.
    pub max_body: usize,
    /// How long a call may take, and how long until a stream begins.
    pub timeout: Duration,
    /// Other times for single RPCs, by full name: `jingwei.grid.v1.EventService/ListEvents`.
    pub timeouts: BTreeMap<String, Duration>,
    /// How long a backend that failed repeatedly is left alone before a first probe.
    pub breaker_wait: Duration,
    /// How often the health of a backend is asked for.
    pub check: Duration,
    /// How long calls are still taken once the gateway is told to stop and says that it is not ready.
    pub linger: Duration,
    /// How long connections may take to end once the gateway is told to stop.
    pub grace: Duration,
    /// What the backends serve: an encoded `FileDescriptorSet`.
    pub descriptors: Cow<'static, [u8]>,
    /// The folder of npm's `swagger-ui-dist`; without it `/docs` is a plain list.
    pub docs: PathBuf,
}

impl Settings {
    /// The defaults, with these backends.
    pub fn new(backends: impl IntoIterator<Item = (String, Uri)>) -> Self {
        Self {
            backends: backends.into_iter().collect(),
            origins: Vec::new(),
            rate: NonZeroU32::new(200),
            behind_proxy: false,
            max_body: 4 << 20,
            timeout: Duration::from_secs(10),
            timeouts: BTreeMap::new(),
            breaker_wait: Duration::from_secs(1),
            check: Duration::from_secs(5),
            linger: Duration::from_millis(500),
            grace: Duration::from_secs(10),
            descriptors: jingwei_proto::DESCRIPTORS.into(),
            docs: PathBuf::from("gateway/docs-page/node_modules/swagger-ui-dist"),
        }
    }

    /// From `GRID_URL` (one for each backend, at least one; commas between replicas), `CORS_ORIGINS` (commas between), `RATE_PER_CALLER` (0 is no
    /// limit), `BEHIND_PROXY` (no or yes), `MAX_BODY_BYTES`, `TIMEOUT`, `TIMEOUTS` (`package.Service/Method=30`, whole
    /// seconds, commas between), `BREAKER_WAIT`, `CHECK`, `LINGER`, `GRACE` and `DOCS_DIR`. What is wrong is noted in `variables`.
    pub fn read(variables: &mut config::Settings) -> Self {
        let default = Self::new(backends(variables));
        let rate =
            variables.number("RATE_PER_CALLER", default.rate.map_or(0, |n| n.get().into()), 0..=1_000_000);
        let max_body = variables.number("MAX_BODY_BYTES", default.max_body as u64, 1024..=(256 << 20));
        Self {
            origins: origins(variables),
            rate: u32::try_from(rate).ok().and_then(NonZeroU32::new),
            behind_proxy: variables.choice("BEHIND_PROXY", &[("no", false), ("yes", true)]),
            max_body: usize::try_from(max_body).unwrap_or(default.max_body),
            timeout: variables.duration("TIMEOUT", default.timeout),
            timeouts: timeouts(variables),
            breaker_wait: variables.duration("BREAKER_WAIT", default.breaker_wait),
            check: variables.duration("CHECK", default.check),
            linger: variables.duration("LINGER", default.linger),
            grace: variables.duration("GRACE", default.grace),
            docs: variables.text("DOCS_DIR").map_or(default.docs, PathBuf::from),
            backends: default.backends,
            descriptors: default.descriptors,
        }
    }
}

/// Where the gateway listens, from `LISTEN`.
pub fn listen(variables: &mut config::Settings) -> SocketAddr {
    variables.address("LISTEN", SocketAddr::from(([127, 0, 0, 1], 8080)))
}

fn backends(variables: &mut config::Settings) -> Vec<(String, Uri)> {
    let mut found = Vec::new();
    let mut problem = false;
    for (name, _) in BACKENDS {
        let variable = variable(name);
        let Some(text) = variables.text(&variable) else { continue };
        for text in text.split(',').map(str::trim) {
            match text.parse::<Uri>() {
                Ok(uri) if is_plain_http(&uri) => found.push(((*name).to_owned(), uri)),
                _ => {
                    let zh = format!("的值 {text:?} 不对；应为 http://主机:端口，如 http://127.0.0.1:9001");
                    let en = format!(
                        "has the value {text:?}; it must be http://host:port such as http://127.0.0.1:9001"
                    );
                    variables.fault(&variable, zh, en);
                    problem = true;
                }
            }
        }
    }
    if found.is_empty() && !problem {
        let names = BACKENDS.iter().map(|(name, _)| variable(name)).collect::<Vec<_>>();
        variables.fault(
            &names.join("/"),
            "至少设置一个后端服务的地址".into(),
            "at least one backend must be set".into(),
        );
    }
    found
}

/// The variable that holds a backend's addresses, without the gateway's prefix.
fn variable(backend: &str) -> String {
    format!("{}_URL", backend.to_ascii_uppercase().replace('-', "_"))
}

/// `http://host:port` and nothing after it.
fn is_plain_http(uri: &Uri) -> bool {
    uri.scheme_str() == Some("http")
        && uri.authority().is_some()
        && matches!(uri.path(), "" | "/")
        && uri.query().is_none()
}

fn origins(variables: &mut config::Settings) -> Vec<HeaderValue> {
    let text = variables.text("CORS_ORIGINS").unwrap_or_default();
    let mut found = Vec::new();
    for origin in text.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
        let is_origin = origin == "*"
            || origin
                .parse::<Uri>()
                .is_ok_and(|uri| uri.scheme().is_some() && uri.path() == "/" && !origin.ends_with('/'));
        match HeaderValue::from_str(origin) {
            Ok(value) if is_origin => found.push(value),
            _ => {
                let zh = format!("中的 {origin:?} 不对；应为 * 或 https://主机，后面没有斜杠");
                let en = format!("has {origin:?}; it must be * or https://host, with no slash after it");
                variables.fault("CORS_ORIGINS", zh, en);
            }
        }
    }
    found
}

fn timeouts(variables: &mut config::Settings) -> BTreeMap<String, Duration> {
    let text = variables.text("TIMEOUTS").unwrap_or_default();
    let mut found = BTreeMap::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let parsed = entry
            .split_once('=')
            .and_then(|(name, seconds)| Some((name, seconds.parse::<u32>().ok().filter(|s| *s > 0)?)));
        match parsed {
            Some((name, seconds)) => {
                found.insert(name.to_owned(), Duration::from_secs(seconds.into()));
            }
            None => {
                let zh = format!("中的 {entry:?} 不对；应为 包.服务/方法=秒数");
                let en = format!("has {entry:?}; it must be package.Service/Method=seconds");
                variables.fault("TIMEOUTS", zh, en);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let variables =
            variables.iter().map(|(name, value)| (format!("GATEWAY_{name}"), (*value).to_owned()));
        let mut variables = config::Settings::from_variables("GATEWAY_", variables);
        let settings = Settings::read(&mut variables);
        variables.finish().map(|()| settings).map_err(|error| error.to_string())
    }

    #[test]
    fn one_backend_is_enough() {
        let settings = read(&[("GRID_URL", "http://127.0.0.1:9001")]).expect("good");
        assert_eq!(settings.backends, [("grid".to_owned(), Uri::from_static("http://127.0.0.1:9001"))]);
        assert_eq!((settings.rate, settings.timeout), (NonZeroU32::new(200), Duration::from_secs(10)));
    }

    #[test]
    fn every_setting_is_read() {
        let settings = read(&[
            ("GRID_URL", "http://grid:9001, http://127.0.0.1:9002"),
            ("CORS_ORIGINS", "https://a.example, https://b.example"),
            ("RATE_PER_CALLER", "0"),
            ("BEHIND_PROXY", "yes"),
            ("TIMEOUTS", "jingwei.grid.v1.EventService/ListEvents=30"),
        ])
        .expect("good");
        assert_eq!((settings.origins.len(), settings.rate, settings.behind_proxy), (2, None, true));
        assert_eq!(settings.backends.len(), 2);
        assert_eq!(settings.timeouts["jingwei.grid.v1.EventService/ListEvents"], Duration::from_secs(30));
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let error = read(&[
            ("GRID_URL", "https://grid"),
            ("CORS_ORIGINS", "https://a.example/"),
            ("TIMEOUTS", "x"),
            ("MAX_BODY_BYTES", "1"),
        ]);
        insta::assert_snapshot!(error.expect_err("four problems"));
        insta::assert_snapshot!(read(&[]).expect_err("no backend"));
    }
}
