//! The service's settings, from variables with the prefix `GRID_`. docs/operations.md has the table.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jingwei_kit::config::{ConfigError, Settings};
use jingwei_kit::keys::KeySource;
use jingwei_kit::pg::Database;
use jingwei_kit::stack::Limits;
use jingwei_kit::telemetry;

use crate::files::Location;
use crate::seal::Keyring;

/// What the service needs to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens: `GRID_LISTEN`, 127.0.0.1:50051.
    pub listen: SocketAddr,
    /// Its database.
    pub database: Database,
    /// Whose tokens it believes.
    pub keys: KeySource,
    /// What reporters' telephone numbers are sealed with.
    pub data_keys: Keyring,
    /// How much it takes on.
    pub limits: Limits,
    /// What the rules leave to the operator.
    pub rules: Rules,
    /// Where files are kept: `GRID_FILES` and what begins so, the folder `files`.
    pub files: Location,
}

/// What the rules leave to the operator.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How often the clocks are looked at: `GRID_SWEEP_INTERVAL`, 1s.
    pub sweep_interval: Duration,
    /// How long after its closing an event can be reopened: `GRID_REOPEN_WINDOW`, 72h.
    pub reopen_window: Duration,
    /// How long after its closing a reporter can answer: `GRID_ANSWER_WINDOW`, 360h.
    pub answer_window: Duration,
    /// How long the answers to requests with an id are kept: `GRID_ANSWERS_KEPT`, 48h.
    pub answers_kept: Duration,
    /// How long the change feed reaches back: `GRID_FEED_KEPT`, 720h. Resume tokens that are older no longer hold.
    pub feed_kept: Duration,
    /// The address that contact cards' QR codes begin with: `GRID_PUBLIC_URL`, http://127.0.0.1:8080.
    pub public_url: String,
    /// The largest file that is taken, in bytes: `GRID_MAX_UPLOAD_BYTES`, 100 MiB.
    pub max_upload_bytes: i64,
}

impl Default for Rules {
    fn default() -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        Self {
            sweep_interval: Duration::from_secs(1),
            reopen_window: hours(72),
            answer_window: hours(360),
            answers_kept: hours(48),
            feed_kept: hours(30 * 24),
            public_url: "http://127.0.0.1:8080".to_owned(),
            max_upload_bytes: 100 << 20,
        }
    }
}

impl Config {
    /// From the environment, with what telemetry needs.
    ///
    /// # Errors
    /// Everything that is missing or wrong, at once.
    pub fn from_env() -> Result<(Self, telemetry::Options), ConfigError> {
        let mut settings = Settings::from_env("GRID_");
        let read = Self::read(&mut settings);
        settings.finish()?;
        Ok(read)
    }

    /// From variables; what is wrong is noted in `settings`.
    pub fn read(settings: &mut Settings) -> (Self, telemetry::Options) {
        let telemetry = telemetry::Options::read("grid", settings);
        let config = Self {
            listen: settings.address("LISTEN", (Ipv4Addr::LOCALHOST, 50051).into()),
            database: Database::read(settings),
            keys: KeySource::read(settings),
            data_keys: Keyring::read(settings),
            limits: Limits::read(settings),
            rules: Rules::read(settings),
            files: Location::read(settings),
        };
        (config, telemetry)
    }
}

impl Rules {
    fn read(settings: &mut Settings) -> Self {
        let default = Self::default();
        let largest = default.max_upload_bytes.unsigned_abs();
        let largest = settings.number("MAX_UPLOAD_BYTES", largest, 1..=1 << 40);
        Self {
            sweep_interval: settings.duration("SWEEP_INTERVAL", default.sweep_interval),
            reopen_window: settings.duration("REOPEN_WINDOW", default.reopen_window),
            answer_window: settings.duration("ANSWER_WINDOW", default.answer_window),
            answers_kept: settings.duration("ANSWERS_KEPT", default.answers_kept),
            feed_kept: settings.duration("FEED_KEPT", default.feed_kept),
            public_url: settings.text("PUBLIC_URL").unwrap_or(default.public_url),
            max_upload_bytes: i64::try_from(largest).unwrap_or(default.max_upload_bytes),
        }
    }
}
