//! Templates from a folder: a stack of one gets the answers and the secrets, and nothing else does.

mod changes;
mod dead_ends;
mod hostile;
mod kept_secrets;
mod pages;
pub(crate) mod people;
mod secrets;
mod thieves;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::platform::Platform;
use crate::support::process::{PortalDir, exchange, id_in, request};

/// A template with a fixed variable, two questions and a generated secret.
pub(crate) const NOTES: &str = r#"
[template]
id = "notes"
name = "Notes"
summary = "Write things down."
version = "1.0.0"
image = "sandbox/hello:1.0.0"
port = 8080
first_access = "password:password"
inherit_env = ["SHARED"]

[env]
FIXED = "it's ${fixed}"

[[health]]
path = "/health"

[[size]]
id = "small"
cpu = "0.5"
memory = "256MiB"
default = true

[[size]]
id = "large"
cpu = "2"
memory = "1GiB"

[[parameter]]
key = "password"
type = "secret"
label = "Password"
env = "NOTES_PASSWORD"
from = "generate:24"
min = 8

[[parameter]]
key = "api_key"
type = "secret"
label = "API key"
env = "NOTES_API_KEY"

[[parameter]]
key = "title"
type = "string"
label = "Title"
env = "NOTES_TITLE"
from = "stack.name"
max = 40

[[parameter]]
key = "pages"
type = "number"
label = "Pages"
env = "NOTES_PAGES"
min = 1
max = 500
"#;

/// Writes the file of a template.
pub(crate) fn put(folder: &Path, id: &str, text: &str) {
    std::fs::create_dir_all(folder.join(id)).unwrap();
    std::fs::write(folder.join(id).join("template.toml"), text).unwrap();
}

/// Returns the status and the body of an answer.
pub(crate) fn post(port: u16, path: &str, body: &Value) -> (u16, String) {
    let headers = "Content-Type: application/json\r\n";
    status_and_body(&exchange(port, &request(&format!("POST {path}"), headers, &body.to_string())))
}

fn status_and_body(answer: &str) -> (u16, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn json_of(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// Returns the variables of the only container of a platform.
fn variables(platform: &Platform) -> Vec<String> {
    variables_of(platform, "")
}

/// Returns the variables of the container whose service's name begins with `prefix`.
fn variables_of(platform: &Platform, prefix: &str) -> Vec<String> {
    let ask = |call: &str| platform.call("GET", &format!("/api/{call}"), &Value::Null);
    let apps = ask("swarm.getNodeApps");
    let mut names = apps.as_array().unwrap().iter().map(|one| one["Name"].as_str().unwrap());
    let service = names.find(|name| name.starts_with(prefix)).unwrap();
    let call = format!("docker.getContainersByAppLabel?appName={service}&type=swarm");
    let containers = ask(&call);
    let container = containers[0]["containerId"].as_str().unwrap();
    let config = ask(&format!("docker.getConfig?containerId={container}"));
    let all = config["Config"]["Env"].as_array().unwrap();
    all.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// Returns what the summary of a form's page says of its fields, by their keys. What is about no field
/// leads to the first one, which is that of the name.
pub(crate) fn summary(page: &str) -> BTreeMap<String, String> {
    let page = page.replace("<!>", "");
    let (_, rest) = page.split_once("class=\"refused problems\"").unwrap();
    let items = rest.split_once("</div>").unwrap().0.split("<a href=\"#field-").skip(1);
    let item = |item: &str| {
        let (key, rest) = item.split_once('"').unwrap();
        let (label, sentence) = rest.split_once("</a>: ").unwrap();
        let key = match label.split_once('>').unwrap().1 {
            "Your answers" => "parameters",
            label if key == "name" && label != "Name" => label,
            _ => key,
        };
        (key.to_owned(), plain(sentence.split_once("</li>").unwrap().0))
    };
    items.map(item).collect()
}

/// Returns a text of a page as a person reads it.
pub(crate) fn plain(html: &str) -> String {
    let escapes = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&amp;", "&")];
    escapes.iter().fold(html.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

#[test]
fn a_stack_of_a_template_gets_its_answers_and_its_secrets() {
    let portal_dir = PortalDir::new();
    let folder = portal_dir.path().join("catalogue");
    put(&folder, "notes", NOTES);
    let platform = Platform::answering_after(&portal_dir, "1");
    let settings = [
        ("CATALOGUE", folder.to_str().unwrap()),
        ("STACK_ENV_SHARED", "shared by all"),
        ("STACK_ENV_OTHER", "not inherited"),
        ("RUST_LOG", "trace"),
    ];
    let portal = platform.portal(&portal_dir, &settings);
    let body = json!({
        "name": "alice",
        "template": "notes",
        "size": "large",
        "parameters": { "pages": 12 },
        "secrets": { "api_key": "canary-7f3a" },
    });
    let (status, answer) = post(portal_dir.port, "/api/deploy", &body);
    assert_eq!(status, 201, "{answer}");
    let generated = json_of(&answer)["generated"]["password"].as_str().unwrap().to_owned();
    assert_eq!(generated.len(), 24);
    assert!(generated.chars().all(|one| one.is_ascii_alphanumeric()), "{generated}");
    let id = id_in(&answer, "dep_");
    portal_dir.wait_for_event(&id, "event: complete");

    let arrived = variables(&platform);
    let password = format!("NOTES_PASSWORD={generated}");
    for expected in [
        "SHARED=shared by all",
        "FIXED=it's ${fixed}",
        "NOTES_TITLE=alice",
        "NOTES_PAGES=12",
        "NOTES_API_KEY=canary-7f3a",
        password.as_str(),
    ] {
        assert!(arrived.iter().any(|one| one == expected), "{expected} is not in {arrived:#?}");
    }
    assert!(!arrived.iter().any(|one| one.starts_with("OTHER=")), "{arrived:#?}");
    let application = &platform.state()["applications"][0]["applicationId"];
    let path = format!("/api/application.one?applicationId={}", application.as_str().unwrap());
    let row = platform.call("GET", &path, &Value::Null);
    assert_eq!(row["memoryLimit"], "1073741824");
    assert_eq!(row["cpuLimit"], "2000000000");

    // Nothing that is stored or shown contains a secret in plain text.
    let paths = [format!("/api/deployment/{id}"), format!("/deployments/{id}")];
    let paths = paths.iter().map(String::as_str);
    let paths = paths.chain(["/health", "/api/stacks", "/api/stacks/alice", "/new/notes"]);
    let shown: Vec<_> = paths.map(|path| portal_dir.get(path)).collect();
    assert!(shown[0].starts_with("HTTP/1.1 200") && shown[0].contains(&id), "{shown:?}");
    let events = portal_dir.events(&id) + &shown.concat();
    let said = portal.end_with_output().1.join("\n");
    let stored = ["portal.db", "portal.db-wal"]
        .map(|file| std::fs::read(portal_dir.path().join(file)).unwrap_or_default());
    for secret in ["canary-7f3a", generated.as_str()] {
        assert!(!events.contains(secret), "{secret} is shown: {events}");
        assert!(!said.contains(secret), "{secret} is in the log");
        let has = |bytes: &Vec<u8>| bytes.windows(secret.len()).any(|it| it == secret.as_bytes());
        assert!(!stored.iter().any(has), "{secret} is in the database");
    }
    assert!(stored[0].len() > 4_096, "the database is where it was looked for");
}

#[test]
fn wrong_answers_are_refused_at_their_fields_and_nothing_is_started() {
    let portal_dir = PortalDir::new();
    let folder = portal_dir.path().join("catalogue");
    put(&folder, "notes", NOTES);
    put(&folder, "other", &NOTES.replace("\"notes\"", "\"other\""));
    let _portal = portal_dir.start(&[("CATALOGUE", folder.to_str().unwrap())]);
    let deploy = |more: Value| {
        let mut body = json!({ "name": "alice" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, answer) = post(portal_dir.port, "/api/deploy", &body);
        (status, json_of(&answer))
    };
    let (status, answer) = deploy(json!({}));
    assert_eq!((status, &answer["code"]), (422, &json!("TEMPLATE_REQUIRED")));
    assert_eq!(answer["templates"], json!(["notes", "other"]));
    for no_template in [json!("missing"), json!(5), json!({})] {
        let (status, answer) = deploy(json!({ "template": no_template }));
        assert_eq!((status, &answer["code"]), (404, &json!("NO_SUCH_TEMPLATE")), "{answer}");
    }
    for (more, key, code) in [
        (json!({ "parameters": { "pages": 0 } }), "pages", "BELOW_MINIMUM"),
        (json!({ "parameters": { "pages": "x" } }), "pages", "WRONG_TYPE"),
        (json!({ "parameters": { "what": "x" } }), "what", "UNKNOWN"),
        (json!({ "parameters": { "api_key": "x" } }), "api_key", "IS_SECRET"),
        (json!({ "parameters": { "title": "${{project.X}}" } }), "title", "REFERENCE"),
        (json!({ "secrets": { "api_key": "a\u{0}b" } }), "api_key", "CONTROL_CHARACTER"),
        (json!({ "size": "huge" }), "size", "UNKNOWN_SIZE"),
        (json!({ "parameters": [] }), "parameters", "WRONG_TYPE"),
    ] {
        let mut more = more;
        more["template"] = json!("notes");
        let (status, answer) = deploy(more.clone());
        assert_eq!((status, &answer["code"]), (422, &json!("INVALID_PARAMETERS")), "{answer}");
        assert_eq!(answer["fields"][key]["code"], code, "{more}: {answer}");
        assert!(answer["fields"][key]["message"].as_str().unwrap().ends_with('.'), "{answer}");
    }
    let stacks = portal_dir.get("/api/check/alice");
    assert!(stacks.contains("\"available\":true"), "{stacks}");
}

#[test]
fn the_templates_and_their_questions_can_be_read() {
    let portal_dir = PortalDir::new();
    let folder = portal_dir.path().join("catalogue");
    put(&folder, "notes", NOTES);
    put(
        &folder,
        "staff",
        &NOTES
            .replace("\"notes\"", "\"staff\"")
            .replace("inherit_env", "groups = [\"staff\"]\ninherit_env"),
    );
    std::fs::write(folder.join("notes/icon.svg"), "<svg onload='x()'/>").unwrap();
    let _portal = portal_dir.start(&[("CATALOGUE", folder.to_str().unwrap())]);
    let read = |path: &str| status_and_body(&portal_dir.get(path));
    let (_, templates) = read("/api/templates");
    assert_eq!(
        json_of(&templates),
        json!({ "templates": [{
            "id": "notes", "name": "Notes", "summary": "Write things down.", "version": "1.0.0",
            "default": true, "icon": "/templates/notes/icon.svg",
        }] }),
        "a template with groups does not exist in an open portal"
    );
    let (status, schema) = read("/api/templates/notes/schema?name=alice");
    assert_eq!(status, 200, "{schema}");
    let schema = json_of(&schema);
    assert_eq!(schema["properties"]["parameters"]["properties"]["title"]["default"], "alice");
    assert_eq!(read("/api/templates/staff/schema").0, 404);
    assert_eq!(read("/api/templates/missing/schema").0, 404);
    assert_eq!(read("/api/templates/notes/schema?name=A").0, 400);
    let icon = portal_dir.get("/templates/notes/icon.svg");
    assert!(icon.contains("content-type: image/svg+xml"), "{icon}");
    assert!(icon.contains("default-src 'none'; style-src 'unsafe-inline'; sandbox"), "{icon}");
    assert_eq!(icon.matches("content-security-policy").count(), 1, "{icon}");
}

#[test]
fn a_deployment_that_is_tried_again_has_the_same_answers_and_secrets() {
    let portal_dir = PortalDir::new();
    let folder = portal_dir.path().join("catalogue");
    put(&folder, "notes", &NOTES.replace("sandbox/hello", "sandbox/crashloop"));
    let platform = Platform::answering_after(&portal_dir, "1");
    let portal = platform.portal(&portal_dir, &[("CATALOGUE", folder.to_str().unwrap())]);
    let body = json!({
        "name": "alice",
        "size": "large",
        "parameters": { "title": "My notes", "pages": 3 },
        "secrets": { "api_key": "canary-7f3a", "password": "given-password" },
    });
    let (_, answer) = post(portal_dir.port, "/api/deploy", &body);
    let id = id_in(&answer, "dep_");
    portal_dir.wait_for_event(&id, "event: error");
    drop(portal);
    let text = NOTES.replace("1.0.0", "1.0.1");
    put(&folder, "notes", &text);
    let _portal = platform.portal(&portal_dir, &[("CATALOGUE", folder.to_str().unwrap())]);
    let again = format!("/api/deployment/{id}/retry");
    let (status, answer) = post(portal_dir.port, &again, &Value::Null);
    assert_eq!(status, 201, "{answer}");
    assert!(json_of(&answer)["generated"].is_null(), "{answer}");
    portal_dir.wait_for_event(&id_in(&answer, "dep_"), "event: complete");
    let arrived = variables(&platform);
    for expected in [
        "NOTES_TITLE=My notes",
        "NOTES_PAGES=3",
        "NOTES_API_KEY=canary-7f3a",
        "NOTES_PASSWORD=given-password",
    ] {
        assert!(arrived.iter().any(|one| one == expected), "{expected} is not in {arrived:#?}");
    }
}
