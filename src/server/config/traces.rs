//! The options of traces. Names and values are those that OpenTelemetry defines for every program:
//! "SDK environment variables" and "OTLP exporter configuration". A variable for traces alone goes
//! before the general one.
//!
//! The portal sends traces only, by HTTP with protobuf and uncompressed. Another protocol is refused,
//! and a variable that has no effect gets a warning.

mod unused;
mod values;

use std::time::Duration;

use clap::Args;

use super::{ConfigError, parse};
use crate::server::settings::{BatchSettings, TraceSettings};

pub(super) use unused::warning;
pub(super) use values::Headers;
use values::{Attributes, Exporter};

/// The path of traces below the general address.
const PATH: &str = "/v1/traces";
/// The address of a collector, if only `OTEL_TRACES_EXPORTER` says that there is one.
const DEFAULT_ENDPOINT: &str = "http://localhost:4318/v1/traces";
/// The attribute that `OTEL_SERVICE_NAME` sets.
const SERVICE_NAME: &str = "service.name";
/// The time limit of one call to the collector.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The options of the traces. The names are those of every program with OpenTelemetry.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Traces (off unless an endpoint is set)")]
#[expect(clippy::struct_field_names, reason = "the names of the fields are those of the options")]
pub(super) struct TraceOptions {
    /// Address of an OpenTelemetry collector, such as `http://localhost:4318`: it gets a trace of
    /// each operation by OTLP over HTTP, at `/v1/traces` below the address
    #[arg(long, env, hide_env_values = true, value_parser = values::base)]
    otel_exporter_otlp_endpoint: Option<String>,
    /// The whole address for traces, used as it is
    #[arg(long, env, hide_env_values = true, value_parser = values::endpoint)]
    otel_exporter_otlp_traces_endpoint: Option<String>,
    /// Headers for it: NAME=VALUE, several separated by commas
    #[arg(long, env, hide_env_values = true, value_parser = values::headers)]
    otel_exporter_otlp_headers: Option<Headers>,
    /// Headers for traces, instead of those
    #[arg(long, env, hide_env_values = true, value_parser = values::headers)]
    otel_exporter_otlp_traces_headers: Option<Headers>,
    /// How many milliseconds a call to it may take [default: 10000]
    #[arg(long, env, hide_env_values = true, value_parser = values::milliseconds)]
    otel_exporter_otlp_timeout: Option<Duration>,
    /// The same for traces
    #[arg(long, env, hide_env_values = true, value_parser = values::milliseconds)]
    otel_exporter_otlp_traces_timeout: Option<Duration>,
    /// Its protocol: only http/protobuf
    #[arg(long, env, hide_env_values = true)]
    otel_exporter_otlp_protocol: Option<String>,
    /// The same for traces
    #[arg(long, env, hide_env_values = true)]
    otel_exporter_otlp_traces_protocol: Option<String>,
    /// The compression: only none
    #[arg(long, env, hide_env_values = true)]
    otel_exporter_otlp_compression: Option<String>,
    /// The same for traces
    #[arg(long, env, hide_env_values = true)]
    otel_exporter_otlp_traces_compression: Option<String>,
    /// Where traces go: otlp, at `http://localhost:4318` without an endpoint, or none
    #[arg(long, env, hide_env_values = true, value_parser = values::exporter)]
    otel_traces_exporter: Option<Exporter>,
    /// Whether there are no traces, whatever else is set
    #[arg(long, env, hide_env_values = true, action = clap::ArgAction::Set, value_parser = values::truth, default_value = "false")]
    otel_sdk_disabled: bool,
    /// The name of this portal in traces [default: ai-stack-deployer]
    #[arg(long, env, hide_env_values = true)]
    otel_service_name: Option<String>,
    /// Attributes of this portal in traces: NAME=VALUE, several separated by commas
    #[arg(long, env, hide_env_values = true, value_parser = values::attributes)]
    otel_resource_attributes: Option<Attributes>,
    /// After how many milliseconds waiting spans are sent
    #[arg(long, env, hide_env_values = true, value_parser = values::milliseconds, default_value = "5000")]
    otel_bsp_schedule_delay: Duration,
    /// How many spans may wait; more are lost
    #[arg(long, env, hide_env_values = true, value_parser = values::spans, default_value = "2048")]
    otel_bsp_max_queue_size: usize,
    /// How many spans are sent at once
    #[arg(long, env, hide_env_values = true, value_parser = values::spans, default_value = "512")]
    otel_bsp_max_export_batch_size: usize,
}

impl TraceOptions {
    /// Returns who gets traces, if anybody does. What is not used is not checked.
    ///
    /// # Errors
    ///
    /// Returns the protocol or compression that the portal does not have.
    pub(super) fn resolve(self) -> Result<Option<TraceSettings>, ConfigError> {
        let Some(endpoint) = self.endpoint() else { return Ok(None) };
        self.check_protocol()?;
        self.check_compression()?;
        let headers = self.otel_exporter_otlp_traces_headers.or(self.otel_exporter_otlp_headers);
        let timeout = self.otel_exporter_otlp_traces_timeout.or(self.otel_exporter_otlp_timeout);
        let mut attributes = self.otel_resource_attributes.map_or_else(Vec::new, |all| all.0);
        let named = attributes.iter().rfind(|(name, _)| name == SERVICE_NAME);
        let service_name = self.otel_service_name.or_else(|| named.map(|(_, name)| name.clone()));
        attributes.retain(|(name, _)| name != SERVICE_NAME);
        Ok(Some(TraceSettings {
            endpoint,
            headers: headers.map_or_else(Vec::new, |all| all.0),
            timeout: timeout.unwrap_or(TIMEOUT),
            service_name: service_name.unwrap_or_else(|| String::from("ai-stack-deployer")),
            attributes,
            batch: BatchSettings {
                delay: self.otel_bsp_schedule_delay,
                queue: self.otel_bsp_max_queue_size,
                most: self.otel_bsp_max_export_batch_size,
            },
        }))
    }

    /// Returns the address that gets traces.
    fn endpoint(&self) -> Option<String> {
        if self.otel_sdk_disabled {
            return None;
        }
        let general = || self.otel_exporter_otlp_endpoint.as_ref().map(|base| base.clone() + PATH);
        let given = self.otel_exporter_otlp_traces_endpoint.clone().or_else(general);
        match self.otel_traces_exporter {
            Some(Exporter::None) => None,
            Some(Exporter::Otlp) => Some(given.unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned())),
            None => given,
        }
    }

    fn check_protocol(&self) -> Result<(), ConfigError> {
        let own = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", &self.otel_exporter_otlp_traces_protocol);
        let general = ("OTEL_EXPORTER_OTLP_PROTOCOL", &self.otel_exporter_otlp_protocol);
        let advice = "the portal sends traces by HTTP with protobuf only: set http/protobuf, and \
                      the endpoint to the collector's port for it, which is usually 4318";
        check(own, general, "http/protobuf", advice)
    }

    fn check_compression(&self) -> Result<(), ConfigError> {
        let own =
            ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", &self.otel_exporter_otlp_traces_compression);
        let general = ("OTEL_EXPORTER_OTLP_COMPRESSION", &self.otel_exporter_otlp_compression);
        let advice = "the portal sends traces uncompressed only: set none, or remove it";
        check(own, general, "none", advice)
    }
}

type Given<'a> = (&'static str, &'a Option<String>);

/// Checks that the variable for traces, or else the general one, has the only value that works.
fn check(own: Given<'_>, general: Given<'_>, only: &str, advice: &str) -> Result<(), ConfigError> {
    let given = |(variable, value): Given<'_>| Some((variable, value.clone()?));
    let Some((variable, value)) = given(own).or_else(|| given(general)) else { return Ok(()) };
    let is_right = value.trim().eq_ignore_ascii_case(only);
    let checked = parse::text_if(is_right, &value, advice);
    checked.map(drop).map_err(|problem| ConfigError::setting(variable, problem))
}

#[cfg(test)]
mod tests;
