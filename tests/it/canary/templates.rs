//! The secrets of templates: given and generated ones, through a refused form, a failed start, "Try
//! again", the API and Reveal.
//!
//! Only these answers are not searched for what they are made to show: the page after the press and
//! that of Reveal, and the first answer of the API to a start, for the secrets that were generated.

use form_urlencoded::Serializer;
use serde_json::{Value, json};

use super::marks::Marks;
use super::world::{Credentials, World, cookie, line};
use crate::catalogue::NOTES;
use crate::support::process::{exchange, free_port, id_in, request};
use crate::traces::collector::Collector;

const GIVEN: &str = "canary-given/\"key\"+<é>&one";
const BY_REST: &str = "canary-rest/\"key\"+<é>&two";
const LINES: &str = "-----BEGIN CANARY-----\r\ncanary+lines/three==\r\n-----END CANARY-----\r\n";
const SHORT: &str = "canary-short/four";
const METRICS: &str = "canary-metrics-token-of-32-characters";

/// A secret of several lines.
const MORE: &str = "
[[parameter]]
key = \"lines\"
type = \"secret\"
label = \"Lines\"
env = \"NOTES_LINES\"
multiline = true
min = 20
";

/// Posts a form of a page, and keeps the whole answer.
fn post(world: &mut World, by: &Credentials, path: &str, fields: &[(&str, &str)]) -> String {
    let form = Serializer::new(String::new()).extend_pairs(fields).finish();
    let cookies = format!("__Host-session={}", by.session);
    let headers = [("cookie", cookies.as_str()), ("accept", "text/html")];
    let (name, answer) = world.exchange(&format!("POST {path}"), &headers, &form);
    world.tell(&name, answer.clone());
    answer
}

/// Shows the page of a deployment with the ticket that an answer set, and returns the generated
/// secret on it. The page is not searched: it is made to show this.
fn shown(world: &World, by: &Credentials, answer: &str) -> String {
    let ticket = cookie(answer, "__Host-generated");
    let cookies = format!("__Host-session={}; __Host-generated={ticket}", by.session);
    let headers = [("cookie", cookies.as_str()), ("accept", "text/html")];
    let (_, page) = world.exchange(&format!("GET {}", line(answer, "location: ")), &headers, "");
    let (_, rest) = page.split_once("class=\"fresh-token__secret\">").unwrap();
    assert!(![GIVEN, "canary+lines"].iter().any(|given| page.contains(given)), "{page}");
    rest.split('<').next().unwrap().to_owned()
}

/// Starts a stack by a form that is refused once, lets it fail, and tries it again.
fn fail_twice(world: &mut World, by: &Credentials) -> String {
    let wrong = [("name", "bobby"), ("p.pages", "501"), ("s.api_key", GIVEN), ("s.lines", LINES)];
    let refused = post(world, by, "/new/crash", &wrong);
    assert!(refused.starts_with("HTTP/1.1 422 "), "{refused}");
    post(world, by, "/new/crash/check", &wrong);
    let kept = |key: &str| {
        let (_, rest) = refused.split_once(&format!("name=\"k.{key}\" value=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let (key, lines) = (kept("api_key"), kept("lines"));
    let right = [("name", "bobby"), ("k.api_key", &key), ("k.lines", &lines)];
    let started = post(world, by, "/new/crash", &right);
    let generated = shown(world, by, &started);
    let id = id_in(&started, "dep_");
    world.follow(&id, by, "error");
    world.look_around(&id, by);
    let again = post(world, by, "/api/fn/retry_deployment", &[("id", &id)]);
    let newer = line(&again, "location: /deployments/").to_owned();
    world.follow(&newer, by, "error");
    world.look_around(&newer, by);
    // The form with everything else.
    let cookies = format!("__Host-session={}", by.session);
    let form = format!("GET /new/crash?again={newer}");
    let (name, page) = world.exchange(&form, &[("cookie", &cookies)], "");
    assert!(page.contains("value=\"bobby\""), "{page}");
    world.tell(&name, page);
    generated
}

/// Starts a stack by the API, also with answers that are refused, and has its secret shown again.
fn go_live(world: &mut World, by: &Credentials) -> String {
    let bearer = format!("Bearer {}", by.token);
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "once")];
    let body = |secrets: Value| {
        json!({ "name": "alice", "template": "notes", "secrets": secrets }).to_string()
    };
    let wrong = body(json!({ "lines": SHORT, "api_key": BY_REST, "nothing": GIVEN }));
    let (name, refused) = world.exchange("POST /api/deploy", &headers[..1], &wrong);
    assert!(refused.starts_with("HTTP/1.1 422 "), "{refused}");
    world.tell(&name, refused);
    let right = body(json!({ "api_key": BY_REST }));
    // This answer has the generated secret, and that of a repetition has none.
    let (_, answer) = world.exchange("POST /api/deploy", &headers, &right);
    let (_, rest) = answer.split_once("\"password\":\"").unwrap_or_else(|| panic!("{answer}"));
    let generated = rest.split('"').next().unwrap().to_owned();
    assert!(!answer.contains("canary"), "{answer}");
    let (name, repeated) = world.exchange("POST /api/deploy", &headers, &right);
    assert!(repeated.starts_with("HTTP/1.1 201 "), "{repeated}");
    world.tell(&name, repeated);
    let id = id_in(&answer, "dep_");
    world.follow(&id, by, "complete");
    world.look_around(&id, by);
    let revealed = post(world, by, &format!("/deployments/{id}/reveal"), &[]);
    assert_eq!(shown(world, by, &revealed), generated);
    generated
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_template_leaks_anywhere() {
    let mut world = World::start().await;
    let (mut collector, metrics) = (Collector::start(), free_port());
    let notes = format!("{NOTES}{MORE}");
    let crash = notes.replace("sandbox/hello", "sandbox/crashloop");
    let crash = crash.replace("\"notes\"", "\"crash\"");
    let settings = [
        ("METRICS_PORT", metrics.to_string()),
        ("METRICS_TOKEN", METRICS.to_owned()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address().to_owned()),
    ];
    world.offer(&[("notes", &notes), ("crash", &crash)], &settings);
    let portal = world.portal("sandbox/hello");
    let credentials = world.sign_in();
    let generated = [fail_twice(&mut world, &credentials), go_live(&mut world, &credentials)];
    let operator = world.sign_in_as(&["operators"]);
    world.look_as_operator(&operator);
    let bearer = format!("Authorization: Bearer {METRICS}\r\n");
    let scrape = exchange(metrics, &request("GET /metrics", &bearer, ""));
    assert!(scrape.contains("portal_operations_ended_total"), "{scrape}");
    world.tell("the metrics", scrape);
    let is_deploy = |code: &str| {
        let code = code.to_owned();
        move |span: &opentelemetry_proto::tonic::trace::v1::Span| {
            span.parent_span_id.is_empty() && format!("{span:?}").contains(&code)
        }
    };
    collector.wait_for(is_deploy("done"));
    world.end(portal);
    world.give(&["secrets", "rotate"]);
    world.read_files();
    world.tell("the traces", String::from_utf8_lossy(&collector.bytes).into_owned());
    world.tell("the requests with traces", collector.heads.concat());

    let lines = LINES.replace("\r\n", "\n");
    let parts = lines.lines().filter(|line| line.len() >= 12);
    let given = [GIVEN, BY_REST, SHORT, LINES, METRICS, lines.as_str()].into_iter();
    let marks = Marks::new(given.chain(parts).chain(generated.iter().map(String::as_str)));
    let told = world.told();
    assert!(told.len() > 40, "only {} answers and outputs", told.len());
    assert!(told.iter().any(|(_, text)| text.contains("\"level\":\"TRACE\"")), "all is logged");
    for (name, text) in told {
        assert_eq!(marks.found_in(text), None, "in {name}");
    }
}
