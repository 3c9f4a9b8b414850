//! Sends spans by OTLP: protobuf over HTTP/1.1.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use opentelemetry::KeyValue;
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SpanProcessor};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;
use transport::Outbound;

use crate::server::settings::TraceSettings;

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

/// Starts the thread that sends spans in batches.
pub(super) fn start(
    settings: &TraceSettings,
    outbound: &Outbound,
) -> Result<BatchSpanProcessor, BuildTracesError> {
    // Everything is set here: the library would otherwise read the environment itself.
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&settings.endpoint)
        .with_timeout(settings.timeout)
        .with_http_client(Collector::new(settings, outbound)?)
        .build()?;
    let batch = BatchConfigBuilder::default()
        .with_scheduled_delay(settings.batch.delay)
        .with_max_queue_size(settings.batch.queue)
        .with_max_export_batch_size(settings.batch.most)
        .build();
    let mut processor = BatchSpanProcessor::builder(exporter).with_batch_config(batch).build();
    let attributes = settings.attributes.iter();
    let attributes = attributes.map(|(name, value)| KeyValue::new(name.clone(), value.clone()));
    // A version that the operator gives goes before the portal's.
    let resource = Resource::builder_empty()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attributes(attributes)
        .with_service_name(settings.service_name.clone())
        .build();
    processor.set_resource(&resource);
    Ok(processor)
}

/// The collector, as the thread that sends spans calls it.
#[derive(Debug)]
struct Collector {
    client: reqwest::Client,
    headers: HeaderMap,
    /// The thread has no runtime of its own.
    runtime: Handle,
    /// True after a call that failed, so that an outage is logged once.
    is_away: AtomicBool,
}

impl Collector {
    fn new(settings: &TraceSettings, outbound: &Outbound) -> reqwest::Result<Self> {
        transport::install_crypto_provider();
        let builder = reqwest::Client::builder().timeout(settings.timeout);
        let is_secure = settings.endpoint.starts_with("https:");
        let builder = outbound.configure(builder, is_secure);
        let (client, headers) = (builder.build()?, headers(settings));
        let (runtime, is_away) = (Handle::current(), AtomicBool::new(false));
        Ok(Self { client, headers, runtime, is_away })
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

/// Returns the headers for the collector. The settings have only such that can be sent.
fn headers(settings: &TraceSettings) -> HeaderMap {
    let header = |(name, value): &(String, SecretString)| {
        let mut value = HeaderValue::from_str(value.expose_secret()).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
    };
    settings.headers.iter().filter_map(header).collect()
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut request = reqwest::Request::try_from(request)?;
        // The library adds the headers that the environment names, even if an option replaces them.
        let content_type = request.headers_mut().remove(CONTENT_TYPE);
        request.headers_mut().clone_from(&self.headers);
        if let Some(content_type) = content_type {
            request.headers_mut().insert(CONTENT_TYPE, content_type);
        }
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
