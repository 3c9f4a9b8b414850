//! Sends spans by OTLP: protobuf over HTTP/1.1.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::{Request, Response};
use opentelemetry::KeyValue;
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanProcessor};
use secrecy::ExposeSecret;
use tokio::runtime::Handle;
use transport::Outbound;

use crate::server::settings::TraceSettings;

/// The time limit of one call to the collector.
const LIMIT: Duration = Duration::from_secs(10);

/// The client for the collector cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildTracesError {
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// The exporter rejects the settings.
    #[error(transparent)]
    Exporter(#[from] ExporterBuildError),
}

/// Starts the thread that sends spans in batches, every five seconds or when there are 512.
pub(super) fn start(
    settings: &TraceSettings,
    outbound: &Outbound,
) -> Result<BatchSpanProcessor, BuildTracesError> {
    let headers = settings.headers.iter();
    let headers: HashMap<_, _> =
        headers.map(|(name, value)| (name.clone(), value.expose_secret().to_owned())).collect();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", settings.endpoint))
        .with_headers(headers)
        .with_http_client(Collector::new(&settings.endpoint, outbound)?)
        .build()?;
    let mut processor = BatchSpanProcessor::builder(exporter).build();
    let resource = Resource::builder_empty()
        .with_service_name(settings.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    processor.set_resource(&resource);
    Ok(processor)
}

/// The collector, as the thread that sends spans calls it.
#[derive(Debug)]
struct Collector {
    client: reqwest::Client,
    /// The thread has no runtime of its own.
    runtime: Handle,
    /// True after a call that failed, so that an outage is logged once.
    is_away: AtomicBool,
}

impl Collector {
    fn new(endpoint: &str, outbound: &Outbound) -> reqwest::Result<Self> {
        transport::install_crypto_provider();
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!("ai-stack-deployer/", env!("CARGO_PKG_VERSION")))
            .timeout(LIMIT);
        let is_secure = endpoint.starts_with("https:");
        let builder = outbound.configure(builder, is_secure)?;
        let (runtime, is_away) = (Handle::current(), AtomicBool::new(false));
        Ok(Self { client: builder.build()?, runtime, is_away })
    }

    /// Logs when the collector begins to fail, and when it answers again.
    fn note(&self, failure: Option<&str>) {
        match (failure, self.is_away.swap(failure.is_some(), Ordering::Relaxed)) {
            (Some(error), false) => {
                tracing::warn!(error, "The OpenTelemetry collector does not accept traces");
            }
            (None, true) => tracing::info!("The OpenTelemetry collector accepts traces again"),
            (Some(_), true) | (None, false) => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let client = self.client.clone();
        let answer = self.runtime.spawn(async move { client.execute(request).await }).await?;
        let status = match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(answer.status().to_string()),
            Err(error) => Some(error.to_string()),
        };
        self.note(status.as_deref());
        // What the collector answers is not read: it could be of any size, and changes nothing.
        Ok(Response::builder().status(answer?.status()).body(Bytes::new())?)
    }
}
