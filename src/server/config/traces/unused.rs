//! The variables of OpenTelemetry that have no effect on the portal, and what to use instead.

/// Returns a warning if `name` is such a variable of OpenTelemetry, and nobody can believe that it
/// works.
pub(in super::super) fn warning(name: &str, value: &str) -> Option<String> {
    let rest = name.strip_prefix("OTEL_")?;
    // `none` is what the portal does anyway. The operator for Kubernetes sets the others, as parts of
    // the attributes.
    let is_harmless = ["", "none"].contains(&&*value.trim().to_ascii_lowercase());
    if is_harmless || rest.starts_with("RESOURCE_ATTRIBUTES_") {
        return None;
    }
    Some(format!("{name} has no effect on the portal: {}", advice(rest)))
}

/// Returns what to do instead of setting the variable `OTEL_<rest>`.
fn advice(rest: &str) -> &'static str {
    match rest {
        "EXPORTER_OTLP_CERTIFICATE" | "EXPORTER_OTLP_TRACES_CERTIFICATE" => {
            "set CA_FILE to the authority of the collector's certificate"
        }
        "EXPORTER_OTLP_CLIENT_CERTIFICATE"
        | "EXPORTER_OTLP_CLIENT_KEY"
        | "EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE"
        | "EXPORTER_OTLP_TRACES_CLIENT_KEY" => {
            "it has no certificate of its own for a collector, so give credentials as headers in \
             OTEL_EXPORTER_OTLP_HEADERS"
        }
        "EXPORTER_OTLP_INSECURE" | "EXPORTER_OTLP_TRACES_INSECURE" => {
            "the address says it, so give one with http or with https"
        }
        "TRACES_SAMPLER" | "TRACES_SAMPLER_ARG" => {
            "it sends every operation, so choose from them in the collector"
        }
        "BSP_EXPORT_TIMEOUT" => "set OTEL_EXPORTER_OTLP_TIMEOUT",
        _ if rest.starts_with("METRIC") || rest.starts_with("EXPORTER_OTLP_METRICS_") => {
            "Prometheus reads its metrics, see METRICS_PORT"
        }
        _ if ["LOG", "BLRP_", "EXPORTER_OTLP_LOGS_"].iter().any(|of| rest.starts_with(of)) => {
            "its log goes to standard error"
        }
        _ => "it sends traces of operations, and needs no such setting",
    }
}
