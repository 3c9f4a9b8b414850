//! Tables of OpenTelemetry's variables: what each of them sets, which values are refused, and which
//! variables have no effect.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::super::tests::{sentence, settings};
use crate::server::settings::TraceSettings;

type Variables<'a> = &'a [(&'a str, &'a str)];

/// An address, so that there are traces.
const ON: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");

fn traces(variables: Variables<'_>) -> Option<TraceSettings> {
    settings(variables).traces
}

/// Returns the settings with these variables and an address.
fn with(variables: Variables<'_>) -> TraceSettings {
    traces(&[&[ON][..], variables].concat()).unwrap()
}

#[test]
fn traces_go_to_the_address_that_the_variables_say_or_nowhere() {
    let (general, own) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    let (exporter, disabled) = ("OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED");
    let cases: &[(Variables<'_>, Option<&str>)] = &[
        (&[], None),
        (&[(general, ""), (own, " ")], None),
        (&[(general, "http://c:4318")], Some("http://c:4318/v1/traces")),
        (&[(general, "https://c/otel/")], Some("https://c/otel/v1/traces")),
        (&[(own, "http://c:4318")], Some("http://c:4318")),
        (&[(own, "http://c/own/"), (general, "http://d")], Some("http://c/own/")),
        (&[(own, ""), (general, "http://d")], Some("http://d/v1/traces")),
        (&[(exporter, "otlp")], Some("http://localhost:4318/v1/traces")),
        (&[(exporter, "OTLP"), ON], Some("http://collector:4318/v1/traces")),
        (&[(exporter, ""), ON], Some("http://collector:4318/v1/traces")),
        (&[(exporter, "none"), ON], None),
        (&[(disabled, "true"), ON], None),
        (&[(disabled, "TRUE"), (exporter, "otlp")], None),
        (&[(disabled, "false"), ON], Some("http://collector:4318/v1/traces")),
        (&[(disabled, ""), ON], Some("http://collector:4318/v1/traces")),
        (&[("OTEL_SERVICE_NAME", "x")], None),
    ];
    for (variables, expected) in cases {
        let endpoint = traces(variables).map(|traces| traces.endpoint);
        assert_eq!(endpoint.as_deref(), *expected, "{variables:?}");
    }
}

#[test]
fn a_variable_for_traces_goes_before_the_general_one() {
    let headers = |traces: TraceSettings| -> Vec<String> {
        let text =
            |(name, value): &(String, SecretString)| format!("{name}: {}", value.expose_secret());
        traces.headers.iter().map(text).collect()
    };
    let (general, own) = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS");
    assert_eq!(headers(with(&[])), [""; 0]);
    assert_eq!(headers(with(&[(general, "a=1, b = two%20words,")])), ["a: 1", "b: two words"]);
    assert_eq!(headers(with(&[(general, "a=1"), (own, "b=2")])), ["b: 2"]);
    assert_eq!(headers(with(&[(general, "a=1"), (own, "")])), ["a: 1"]);
    let (general, own) = ("OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT");
    for (variables, expected) in [
        (&[][..], 10_000),
        (&[(general, "2500")], 2_500),
        (&[(general, "2500"), (own, "300")], 300),
    ] {
        assert_eq!(with(variables).timeout, Duration::from_millis(expected), "{variables:?}");
    }
    let (general, own) = ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL");
    with(&[(general, "grpc"), (own, "http/protobuf")]);
    let (general, own) =
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION");
    with(&[(general, "gzip"), (own, "none")]);
}

#[test]
fn the_portal_has_the_name_and_the_attributes_of_the_variables() {
    let (name, attributes) = ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES");
    let cases: &[(Variables<'_>, &str, Variables<'_>)] = &[
        (&[], "ai-stack-deployer", &[]),
        (&[(name, "a")], "a", &[]),
        (&[(attributes, "service.name=b")], "b", &[]),
        (&[(attributes, "service.name=b"), (name, "a")], "a", &[]),
        (&[(attributes, "service.name=b"), (name, "")], "b", &[]),
        (
            &[(attributes, "deployment.environment.name=test%2C%20two,k8s.pod.name=p=1")],
            "ai-stack-deployer",
            &[("deployment.environment.name", "test, two"), ("k8s.pod.name", "p=1")],
        ),
    ];
    for (variables, name, expected) in cases {
        let traces = with(variables);
        assert_eq!(traces.service_name, *name, "{variables:?}");
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let expected: Vec<_> = expected.iter().map(own).collect();
        assert_eq!(traces.attributes, expected, "{variables:?}");
    }
}

#[test]
fn spans_are_sent_together_as_the_variables_say() {
    let batch = with(&[]).batch;
    assert_eq!((batch.delay, batch.queue, batch.most), (Duration::from_secs(5), 2048, 512));
    let batch = with(&[
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "64"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8"),
    ])
    .batch;
    assert_eq!((batch.delay, batch.queue, batch.most), (Duration::from_millis(100), 64, 8));
}

#[test]
fn a_value_that_the_portal_does_not_have_is_one_sentence_with_the_remedy() {
    let protocol = "the portal sends traces by HTTP with protobuf only: set http/protobuf, and the \
                    endpoint to the collector's port for it, which is usually 4318";
    let compression = "the portal sends traces uncompressed only: set none, or remove it";
    let credentials = "has a user, a password or a query: give the address without them, and \
                       credentials as headers";
    let milliseconds = "give a number of milliseconds from 1 on";
    let spans = "give a number of spans from 1 to 100000";
    let list = "is no list of NAME=VALUE, separated by commas";
    for (variable, value, problem) in [
        ("EXPORTER_OTLP_PROTOCOL", "grpc", format!("is \"grpc\": {protocol}")),
        ("EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", format!("is \"http/json\": {protocol}")),
        ("EXPORTER_OTLP_COMPRESSION", "gzip", format!("is \"gzip\": {compression}")),
        ("EXPORTER_OTLP_TRACES_COMPRESSION", "zstd", format!("is \"zstd\": {compression}")),
        ("EXPORTER_OTLP_TIMEOUT", "0", format!("is \"0\": {milliseconds}")),
        ("EXPORTER_OTLP_TRACES_TIMEOUT", "10s", format!("is \"10s\": {milliseconds}")),
        ("BSP_SCHEDULE_DELAY", "soon", format!("is \"soon\": {milliseconds}")),
        ("BSP_MAX_QUEUE_SIZE", "0", format!("is \"0\": {spans}")),
        ("BSP_MAX_EXPORT_BATCH_SIZE", "100001", format!("is \"100001\": {spans}")),
        ("TRACES_EXPORTER", "zipkin", String::from("is \"zipkin\": give otlp or none")),
        ("SDK_DISABLED", "1", String::from("is \"1\": give true or false")),
        ("EXPORTER_OTLP_TRACES_HEADERS", "a=1,canary", list.to_owned()),
        ("RESOURCE_ATTRIBUTES", "a", format!("{list}, and percent-encode special characters")),
        (
            "EXPORTER_OTLP_TRACES_ENDPOINT",
            "collector:4318",
            String::from(
                "is \"collector:4318\": give an address like http://localhost:4318/v1/traces",
            ),
        ),
        ("EXPORTER_OTLP_TRACES_ENDPOINT", "https://u:canary@c", credentials.to_owned()),
        ("EXPORTER_OTLP_ENDPOINT", "https://c/?key=canary", credentials.to_owned()),
    ] {
        let variable = format!("OTEL_{variable}");
        let given = [ON, (variable.as_str(), value)];
        let given = if variable == ON.0 { &given[1..] } else { &given[..] };
        let sentence = sentence(given);
        assert_eq!(sentence, format!("{variable} {problem}."));
        assert!(!sentence.contains("canary"));
    }
}

#[test]
fn what_is_not_used_is_not_refused() {
    let protocol = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let compression = ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
    assert!(traces(&[protocol, compression]).is_none());
    assert!(traces(&[ON, protocol, compression, ("OTEL_SDK_DISABLED", "true")]).is_none());
    assert!(traces(&[ON, protocol, compression, ("OTEL_TRACES_EXPORTER", "none")]).is_none());
}

#[test]
fn a_variable_without_effect_gets_a_warning_with_what_to_use() {
    for (variable, value, advice) in [
        ("EXPORTER_OTLP_CERTIFICATE", "/ca.pem", "set CA_FILE"),
        ("EXPORTER_OTLP_TRACES_CERTIFICATE", "/ca.pem", "set CA_FILE"),
        ("EXPORTER_OTLP_CLIENT_KEY", "/key.pem", "give credentials as headers"),
        ("EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "/c.pem", "give credentials as headers"),
        ("EXPORTER_OTLP_INSECURE", "true", "one with http or with https"),
        ("TRACES_SAMPLER", "traceidratio", "choose from them in the collector"),
        ("TRACES_SAMPLER_ARG", "0.1", "choose from them in the collector"),
        ("BSP_EXPORT_TIMEOUT", "30000", "set OTEL_EXPORTER_OTLP_TIMEOUT"),
        ("METRICS_EXPORTER", "otlp", "see METRICS_PORT"),
        ("METRIC_EXPORT_INTERVAL", "60000", "see METRICS_PORT"),
        ("EXPORTER_OTLP_METRICS_ENDPOINT", "http://c", "see METRICS_PORT"),
        ("LOGS_EXPORTER", "console", "its log goes to standard error"),
        ("EXPORTER_OTLP_LOGS_HEADERS", "a=b", "its log goes to standard error"),
        ("PROPAGATORS", "b3", "needs no such setting"),
        ("SPAN_ATTRIBUTE_COUNT_LIMIT", "10", "needs no such setting"),
    ] {
        let variable = format!("OTEL_{variable}");
        let warnings = settings(&[ON, (variable.as_str(), value)]).warnings;
        let [warning] = warnings.as_slice() else { panic!("{variable}: {warnings:?}") };
        assert!(warning.starts_with(&format!("{variable} has no effect on the portal: ")));
        assert!(warning.contains(advice), "{warning}");
        let off = settings(&[("OTEL_SDK_DISABLED", "true"), (variable.as_str(), value)]);
        assert_eq!(off.warnings, [""; 0], "{variable}");
    }
    for (variable, value) in [
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_TRACES_SAMPLER", ""),
        ("OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "portal-0"),
    ] {
        assert_eq!(settings(&[(variable, value)]).warnings, [""; 0], "{variable}");
    }
    let misspelt = settings(&[("OTEL_EXPORTER_OTLP_TRACE_ENDPOINT", "http://c")]).warnings;
    assert!(misspelt[0].ends_with("the nearest name is OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"));
}
