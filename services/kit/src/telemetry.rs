//! Logs, metrics and traces of a process: started once, by its main function.

use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, routing::get};
use http::{HeaderMap, HeaderName, HeaderValue};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opentelemetry::{
    global,
    propagation::{Extractor, Injector},
    trace::TracerProvider,
};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::Settings;

/// What a process tells about itself, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The process's name in traces, e.g. `grid`.
    pub service: &'static str,
    /// What is logged, in the form of tracing's EnvFilter, e.g. `info,jingwei_kit=debug`.
    pub log: String,
    /// One JSON object per line instead of text for people.
    pub json: bool,
    /// Where Prometheus fetches `/metrics`; nowhere where unset.
    pub metrics: Option<SocketAddr>,
    /// Where traces go by OTLP over gRPC, e.g. `http://127.0.0.1:4317`; nowhere where unset.
    pub otlp: Option<String>,
}

/// The running telemetry; [`Telemetry::stop`] sends what is left.
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
    /// Where `/metrics` is served, with its port.
    pub metrics: Option<SocketAddr>,
}

/// Why telemetry does not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter is wrong, or a part was started before.
    #[error("cannot start the log or the metrics: {0}")]
    Start(String),
    /// The address of the metrics cannot be listened on.
    #[error("cannot serve the metrics")]
    Listen(#[from] io::Error),
    /// The OTLP endpoint is wrong.
    #[error("cannot send traces")]
    Otlp(#[from] opentelemetry_otlp::ExporterBuildError),
}

impl Options {
    /// From `LOG` (info), `LOG_FORMAT` (plain or json), `METRICS_LISTEN` and `OTLP_ENDPOINT`.
    pub fn read(service: &'static str, settings: &mut Settings) -> Self {
        let metrics = settings.text("METRICS_LISTEN").is_some();
        let unused = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            service,
            log: settings.text("LOG").unwrap_or_else(|| "info".to_owned()),
            json: settings.choice("LOG_FORMAT", &[("plain", false), ("json", true)]),
            metrics: metrics.then(|| settings.address("METRICS_LISTEN", unused)),
            otlp: settings.text("OTLP_ENDPOINT"),
        }
    }
}

/// Starts all of it; once per process.
pub async fn start(options: Options) -> Result<Telemetry, TelemetryError> {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let provider = options.otlp.as_deref().map(|endpoint| provider(options.service, endpoint)).transpose()?;
    let traces =
        provider.as_ref().map(|p| tracing_opentelemetry::layer().with_tracer(p.tracer(options.service)));
    let filter = EnvFilter::try_new(&options.log).map_err(|e| TelemetryError::Start(e.to_string()))?;
    let text = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let text = if options.json { text.json().flatten_event(true).boxed() } else { text.boxed() };
    let subscriber = tracing_subscriber::registry().with(filter).with(text).with(traces);
    subscriber.try_init().map_err(|e| TelemetryError::Start(e.to_string()))?;
    let metrics = match options.metrics {
        Some(address) => Some(serve_metrics(address).await?),
        None => None,
    };
    Ok(Telemetry { provider, metrics })
}

impl Telemetry {
    /// Sends the traces that are left; waits for at most five seconds.
    pub fn stop(self) {
        if let Some(Err(error)) = self.provider.map(|p| p.shutdown_with_timeout(Duration::from_secs(5))) {
            tracing::warn!(error = %error, "the last traces were not sent");
        }
    }
}

fn provider(service: &'static str, endpoint: &str) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter =
        opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let resource = Resource::builder().with_service_name(service).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Serves the process's metrics at `/metrics`.
async fn serve_metrics(address: SocketAddr) -> Result<SocketAddr, TelemetryError> {
    let buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    let wrong = |e: String| TelemetryError::Start(e);
    let recorder =
        PrometheusBuilder::new().set_buckets(&buckets).map_err(|e| wrong(e.to_string()))?.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|e| wrong(e.to_string()))?;
    // Known from the beginning: an increase from nothing is not seen, one from zero is.
    metrics::counter!("internal_errors_total").increment(0);
    let listener = tokio::net::TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    tokio::spawn(tidy(handle.clone()));
    let process = metrics_process::Collector::default();
    process.describe();
    let tell = move || {
        process.collect();
        handle.render()
    };
    let router = Router::new().route("/metrics", get(async move || tell()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// Folds recorded samples into their buckets, so that they do not pile up between two fetches.
async fn tidy(handle: PrometheusHandle) {
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        handle.run_upkeep();
    }
}

/// The span of a call, below the one that `headers` name (`traceparent`); its id is in the log also where no trace is sent.
pub fn span(service: &str, method: &str, headers: &HeaderMap) -> Span {
    let trace = headers
        .get("traceparent")
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split('-').nth(1))
        .unwrap_or_default();
    let name = format!("{service}/{method}");
    let span = tracing::info_span!(
        "call",
        otel.name = name,
        otel.kind = "server",
        trace,
        code = tracing::field::Empty
    );
    let parent = global::get_text_map_propagator(|propagator| propagator.extract(&Reader(headers)));
    // Fails where no trace is sent: then there is nothing to tie together.
    span.set_parent(parent).ok();
    span
}

/// Writes the current span into the headers of an outgoing call.
pub fn inject(headers: &mut HeaderMap) {
    let context = Span::current().context();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut Writer(headers)));
}

struct Reader<'a>(&'a HeaderMap);

impl Extractor for Reader<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct Writer<'a>(&'a mut HeaderMap);

impl Injector for Writer<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}
