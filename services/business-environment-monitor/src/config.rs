//! The service's settings, from variables with the prefix `BUSINESS_ENVIRONMENT_MONITOR_`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use jingwei_kit::config::{ConfigError, Settings};
use jingwei_kit::keys::KeySource;
use jingwei_kit::pg::Database;
use jingwei_kit::stack::Limits;
use jingwei_kit::telemetry;

/// What the service needs to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens: `…LISTEN`, 127.0.0.1:50052.
    pub listen: SocketAddr,
    /// Its database.
    pub database: Database,
    /// Whose tokens it believes.
    pub keys: KeySource,
    /// How much it takes on.
    pub limits: Limits,
    /// What the rules leave to the operator.
    pub rules: Rules,
}

/// What the rules leave to the operator.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How often the clocks are looked at: `…SWEEP_INTERVAL`, 1s.
    pub sweep_interval: Duration,
    /// How long the answers to requests with an id are kept: `…ANSWERS_KEPT`, 48h.
    pub answers_kept: Duration,
    /// How long the change feed reaches back: `…FEED_KEPT`, 720h. Resume tokens that are older no longer hold.
    pub feed_kept: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        Self { sweep_interval: Duration::from_secs(1), answers_kept: hours(48), feed_kept: hours(30 * 24) }
    }
}

impl Config {
    /// From the environment, with what telemetry needs.
    ///
    /// # Errors
    /// Everything that is missing or wrong, at once.
    pub fn from_env() -> Result<(Self, telemetry::Options), ConfigError> {
        let mut settings = Settings::from_env("BUSINESS_ENVIRONMENT_MONITOR_");
        let read = Self::read(&mut settings);
        settings.finish()?;
        Ok(read)
    }

    /// From variables; what is wrong is noted in `settings`.
    pub fn read(settings: &mut Settings) -> (Self, telemetry::Options) {
        let telemetry = telemetry::Options::read("business-environment-monitor", settings);
        let config = Self {
            listen: settings.address("LISTEN", (Ipv4Addr::LOCALHOST, 50052).into()),
            database: Database::read(settings),
            keys: KeySource::read(settings),
            limits: Limits::read(settings),
            rules: Rules::read(settings),
        };
        (config, telemetry)
    }
}

impl Rules {
    fn read(settings: &mut Settings) -> Self {
        let default = Self::default();
        Self {
            sweep_interval: settings.duration("SWEEP_INTERVAL", default.sweep_interval),
            answers_kept: settings.duration("ANSWERS_KEPT", default.answers_kept),
            feed_kept: settings.duration("FEED_KEPT", default.feed_kept),
        }
    }
}
