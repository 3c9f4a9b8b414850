//! Traces by OTLP: one for each operation, also across a restart, with a span for each attempt of a
//! step; no name in them; and deployments that do not need the collector.

pub(crate) mod collector;

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use sha2::{Digest, Sha256};

use self::collector::{Collector, texts};
use crate::support::process::{PortalDir, exchange, request};

fn attribute(span: &Span, name: &str) -> String {
    texts(&span.attributes).remove(name).unwrap_or_default()
}

#[test]
fn an_operation_is_one_trace_across_a_restart_with_a_span_for_each_attempt() {
    let (portal_dir, mut collector) = (PortalDir::new(), Collector::start());
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address().to_owned() + "/"),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            String::from("x-tenant=zoo%20one, authorization=Bearer key"),
        ),
        ("OTEL_SERVICE_NAME", String::from("portal-of-the-test")),
        // It runs, but its health check never succeeds.
        ("STACK_IMAGE", String::from("sandbox/unhealthy")),
    ];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let portal = portal_dir.start(&variables);
    let id = portal_dir.deploy("zebra-crossing");
    portal_dir.wait_for_event(&id, "\"verifying_health\"");
    assert_eq!(portal.end().0, Some(0));
    collector.wait_for(|span| attribute(span, "portal.outcome") == "interrupted");

    let mut portal = portal_dir.start(&variables);
    // Its log names the operation once it goes on with it.
    portal.wait_for(&id);
    let cancel = request(&format!("POST /api/deployment/{id}/cancel"), "", "");
    let cancelled = exchange(portal_dir.port, &cancel);
    assert!(cancelled.starts_with("HTTP/1.1 2"), "{cancelled}");
    assert!(portal_dir.events(&id).contains("CANCELLED"));
    collector.wait_for(|span| span.parent_span_id.is_empty());

    check_tree(&collector.spans, &id);
    let health: Vec<_> = collector.spans.iter().filter(|span| is_attempt(span, "health")).collect();
    let outcomes = health.iter().map(|span| attribute(span, "portal.outcome"));
    assert_eq!(outcomes.collect::<Vec<_>>(), ["interrupted", "CANCELLED"]);
    let undone = collector.spans.iter().filter(|span| span.name.starts_with("undo "));
    assert!(undone.count() >= 4);
    for head in &collector.heads {
        assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
        for header in ["x-tenant: zoo one", "authorization: bearer key", "application/x-protobuf"] {
            assert!(head.contains(header), "{head}");
        }
    }
    for resource in &collector.resources {
        assert_eq!(resource["service.name"], "portal-of-the-test");
    }
    names_nobody(&collector, &id);
}

/// Returns whether the span is that of a call to the platform: attempts and the root have the names
/// of steps and kinds.
fn is_call(span: &Span) -> bool {
    !span.name.starts_with("undo ") && span.name.contains('.')
}

#[test]
fn the_attempt_of_a_killed_process_has_a_span_and_is_above_its_calls() {
    let (portal_dir, mut collector) = (PortalDir::new(), Collector::start());
    let variables = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collector.address().to_owned() + "/own"),
        ("OTEL_EXPORTER_OTLP_HEADERS", String::from("x-general=1")),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", String::from("x-traces=1")),
        ("OTEL_RESOURCE_ATTRIBUTES", String::from("service.name=portal-of-zoo,service.version=7")),
        // What the process did until it is killed is sent before.
        ("OTEL_BSP_SCHEDULE_DELAY", String::from("50")),
        // Its deploy job takes seconds.
        ("STACK_IMAGE", String::from("sandbox/slow")),
    ];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let portal = portal_dir.start(&variables);
    let id = portal_dir.deploy("zebra-crossing");
    portal_dir.wait_for_event(&id, "\"deploying\"");
    collector.wait_for(|span| span.name == "application.deploy");
    portal.kill();

    let _portal = portal_dir.start(&variables);
    let cancel = request(&format!("POST /api/deployment/{id}/cancel"), "", "");
    assert!(exchange(portal_dir.port, &cancel).starts_with("HTTP/1.1 2"));
    assert!(portal_dir.events(&id).contains("CANCELLED"));
    collector.wait_for(|span| span.parent_span_id.is_empty());

    check_tree(&collector.spans, &id);
    let root = Sha256::digest(&id)[16..24].to_vec();
    let deploy = collector.spans.iter();
    let deploy = deploy.filter(|span| span.name == "deploy" && span.parent_span_id == root);
    let outcomes: Vec<_> = deploy.map(|span| attribute(span, "portal.outcome")).collect();
    let interrupted = outcomes.iter().filter(|outcome| *outcome == "interrupted");
    assert_eq!(interrupted.count(), 1, "{outcomes:?}");
    for head in &collector.heads {
        assert!(head.starts_with("post /own http/1.1\r\n"), "{head}");
        assert!(head.contains("x-traces: 1") && !head.contains("x-general"), "{head}");
    }
    for resource in &collector.resources {
        assert_eq!(resource["service.name"], "portal-of-zoo");
        assert_eq!(resource["service.version"], "7");
    }
    names_nobody(&collector, &id);
}

fn is_attempt(span: &Span, name: &str) -> bool {
    span.name.contains(name)
        && !span.name.starts_with("undo ")
        && texts(&span.attributes).contains_key("portal.calls")
}

/// Checks that all spans are below one root, which is derived from the operation's id and as long
/// as they are together.
fn check_tree(spans: &[Span], id: &str) {
    let digest = Sha256::digest(id);
    let spans_by_id: BTreeMap<_, _> = spans.iter().map(|span| (&span.span_id, span)).collect();
    assert_eq!(spans_by_id.len(), spans.len(), "two spans have one id");
    let roots: Vec<_> = spans.iter().filter(|span| span.parent_span_id.is_empty()).collect();
    let [root] = roots[..] else { panic!("{} roots", roots.len()) };
    assert_eq!((root.name.as_str(), root.span_id.as_slice()), ("deploy", &digest[16..24]));
    assert_eq!(attribute(root, "portal.outcome"), "cancelled");
    assert_eq!(root.status.as_ref().unwrap().code(), StatusCode::Ok);
    for span in spans {
        assert_eq!(span.trace_id.as_slice(), &digest[..16], "{}", span.name);
        assert!(root.start_time_unix_nano <= span.start_time_unix_nano, "{}", span.name);
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{}", span.name);
        assert!(span.end_time_unix_nano <= root.end_time_unix_nano, "{}", span.name);
        if is_call(span) {
            let attempt = spans_by_id[&span.parent_span_id];
            assert_eq!(attempt.parent_span_id, root.span_id, "{}", span.name);
        }
    }
    let created = spans.iter().filter(|span| span.name == "application.create").count();
    assert_eq!(created, 1);
}

/// Checks that no body has the name of a stack or the id, and that the attributes are known ones.
fn names_nobody(collector: &Collector, id: &str) {
    let text = String::from_utf8_lossy(&collector.bytes);
    for private in [id, "zebra", "localhost", "127.0.0.1"] {
        assert!(!text.contains(private), "{private}");
    }
    let known = BTreeSet::from(
        ["outcome", "code", "calls", "attempt", "reference", "kind"]
            .map(|name| format!("portal.{name}")),
    );
    for span in &collector.spans {
        let keys: BTreeSet<_> = texts(&span.attributes).into_keys().collect();
        assert!(keys.is_subset(&known), "{}: {keys:?}", span.name);
        assert!(span.events.is_empty() && span.links.is_empty(), "{}", span.name);
    }
}

#[test]
fn a_collector_that_is_away_or_silent_neither_slows_nor_fails_a_deployment() {
    // One refuses connections, the other accepts them and says nothing.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let silent_at = silent.local_addr().unwrap().to_string();
    for address in ["127.0.0.1:1", &silent_at] {
        let portal_dir = PortalDir::new();
        let endpoint = format!("http://{address}");
        let portal = portal_dir.start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
        portal_dir.deploy_until("alice", "complete");
        let (code, seconds) = portal.end();
        assert_eq!(code, Some(0), "{address}");
        assert!(seconds <= 10, "{address}: {seconds} s");
    }
}
