//! The secrets of templates: several lines, generated ones that are shown once, those that "Try again"
//! keeps, and those that are lost or expired.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use ai_stack_deployer::server::spec::OperationSpec;
use ai_stack_deployer::server::store::Specs as _;
use domain::deployment::DeploymentId;
use domain::stack_id::RevisionId;
use form_urlencoded::Serializer;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::pages::{between, browse, cookies};
use super::{NOTES, json_of, post, put, variables_of};
use crate::support::app::{Reply, TestApp};
use crate::support::platform::Platform;
use crate::support::process::{PortalDir, Running, id_in};
use crate::support::settings::keyring;

const FIRST: &str = "first:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const SECOND: &str = "second:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
/// What a private key looks like.
const LINES: &str = "-----BEGIN KEY-----\nabc+/=\n\n  def\n-----END KEY-----\n";

/// Returns the template with an API key that must be given.
pub(super) fn with_required_key() -> String {
    NOTES.replace("env = \"NOTES_API_KEY\"", "env = \"NOTES_API_KEY\"\nrequired = true")
}

/// Returns the template with an API key of several lines.
fn with_lines() -> String {
    NOTES.replace("env = \"NOTES_API_KEY\"", "env = \"NOTES_API_KEY\"\nmultiline = true")
}

/// A portal in process that offers one template.
pub(super) fn app(template: &str) -> (TestApp, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    put(&dir.path().join("catalogue"), "notes", template);
    let folder = dir.path().join("catalogue");
    (TestApp::with(&[("CATALOGUE", folder.to_str().unwrap())]).in_one_browser(), dir)
}

pub(super) fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Returns the pair of a cookie that an answer sets, as a browser sends it.
pub(super) fn cookie(reply: &Reply, name: &str) -> Option<String> {
    let all = reply.headers.get_all("set-cookie").iter();
    let mut pairs = all.map(|line| line.to_str().unwrap().split(';').next().unwrap().to_owned());
    pairs.find(|pair| pair.split('=').next().unwrap() == name)
}

/// Returns the id of the deployment to whose page an answer leads.
pub(super) fn id_of(reply: &Reply) -> DeploymentId {
    let location = reply.header("location").unwrap_or_else(|| panic!("{reply:?}"));
    DeploymentId::parse(location.strip_prefix("/deployments/").unwrap()).unwrap()
}

/// Returns the secrets that a stack was begun with, by their variables.
pub(super) async fn stored(app: &TestApp, id: &DeploymentId) -> BTreeMap<String, String> {
    let revision = RevisionId::first_of(id);
    let sealed = app.store.spec(revision).await.unwrap().unwrap();
    let spec = OperationSpec::stored(sealed, revision, Some(keyring()));
    let all = spec.environment().unwrap().into_iter();
    all.map(|(name, text)| (name, text.expose_secret().to_owned())).collect()
}

/// Lets the deployment that was begun fail, with nothing left.
async fn fail(app: &TestApp) {
    let lease = app.claim().await;
    app.record(&lease, vec![app.failure()]).await;
}

async fn try_again(app: &TestApp, id: &DeploymentId) -> Reply {
    app.post_form("/api/fn/retry_deployment", format!("id={id}")).await
}

/// Asks for a page as the browser of the app, with one more cookie.
async fn page_with(app: &TestApp, path: &str, cookie: &str) -> Reply {
    let cookies = format!("browser={}; {cookie}", "a".repeat(43));
    app.ask("GET", path, &[("cookie", &cookies), ("accept", "text/html")], "").await
}

/// Two templates, one of which never starts, and a portal with the first key.
struct World {
    dir: PortalDir,
    platform: Platform,
}

impl World {
    fn new() -> Self {
        let dir = PortalDir::new();
        let folder = dir.path().join("catalogue");
        let crash = |text: &str, id: &str| {
            let text = text.replace("sandbox/hello", "sandbox/crashloop");
            text.replace("\"notes\"", &format!("\"{id}\""))
        };
        put(&folder, "notes", NOTES);
        put(&folder, "crash", &crash(&with_required_key(), "crash"));
        put(&folder, "maybe", &crash(NOTES, "maybe"));
        let platform = Platform::answering_after(&dir, "1");
        Self { dir, platform }
    }

    fn portal(&self, key: &str) -> Running {
        let folder = self.dir.path().join("catalogue");
        let settings = [("CATALOGUE", folder.to_str().unwrap()), ("PORTAL_SECRET_KEY", key)];
        self.platform.portal(&self.dir, &settings)
    }

    /// Starts a stack, and returns its id after its end.
    fn deploy(&self, name: &str, template: &str, end: &str) -> String {
        let body = json!({
            "name": name,
            "template": template,
            "size": "large",
            "parameters": { "title": "My notes", "pages": 3 },
            "secrets": { "api_key": "canary-7f3a" },
        });
        let (status, answer) = post(self.dir.port, "/api/deploy", &body);
        assert_eq!(status, 201, "{answer}");
        let id = id_in(&answer, "dep_");
        self.dir.wait_for_event(&id, &format!("event: {end}"));
        id
    }
}

#[test]
fn a_lost_key_is_said_on_the_page_of_the_stack_and_trying_again_leads_to_the_form() {
    let world = World::new();
    let (dir, port) = (&world.dir, world.dir.port);
    let portal = world.portal(FIRST);
    let live = world.deploy("alice", "notes", "complete");
    let crashed = world.deploy("bobby", "crash", "error");
    let maybe = world.deploy("carol", "maybe", "error");
    let says = "key does not open the secrets of this stack";
    let page = |id: &str| browse(port, &format!("GET /deployments/{id}"), "", "").1;
    assert!(!page(&live).contains(says));
    drop(portal);

    let _portal = world.portal(SECOND);
    let shown = page(&live);
    assert!(shown.contains(says) && shown.contains("runs on"), "{shown}");
    assert!(shown.contains("/new/notes?again="), "{shown}");

    // A secret that must be given was given, and is lost: nothing is started without it.
    let (status, answer) = post(port, &format!("/api/deployment/{crashed}/retry"), &Value::Null);
    assert_eq!((status, &json_of(&answer)["code"]), (503, &json!("SECRETS_LOST")), "{answer}");
    for accept in ["text/html", "application/json"] {
        let headers = format!(
            "Accept: {accept}\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n"
        );
        let retry = crate::support::process::request(
            "POST /api/fn/retry_deployment",
            &headers,
            &format!("id={crashed}"),
        );
        let answer = crate::support::process::exchange(port, &retry);
        let location = format!("location: /deployments/{crashed}?refused=SECRETS_LOST\r\n");
        assert!(answer.contains(&location), "{accept}: {answer}");
    }
    let line = format!("GET /deployments/{crashed}?refused=SECRETS_LOST");
    let (_, shown) = browse(port, &line, "", "");
    let link = format!("/new/crash?again={crashed}");
    assert!(shown.contains(&link) && shown.contains("can neither be used nor shown"), "{shown}");

    // The form has everything else.
    let (head, shown) = browse(port, &format!("GET {link}"), "", "");
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("no-store"), "{head}");
    for filled in
        [r#"value="bobby""#, r#"value="My notes""#, r#"value="3""#, r#"value="large" checked"#]
    {
        assert!(shown.contains(filled), "{filled} in {shown}");
    }
    assert!(!shown.contains("canary-7f3a") && !shown.contains("from the link"), "{shown}");
    // Another template takes nothing of it.
    let (_, other) = browse(port, &format!("GET /new/notes?again={crashed}"), "", "");
    assert!(!other.contains("My notes"), "{other}");

    // One that need not be given is left out, and one that was generated is generated anew.
    let (status, answer) = post(port, &format!("/api/deployment/{maybe}/retry"), &Value::Null);
    assert_eq!(status, 201, "{answer}");
    assert_eq!(json_of(&answer)["generated"]["password"].as_str().unwrap().len(), 24, "{answer}");
    dir.wait_for_event(&id_in(&answer, "dep_"), "event: error");
}

#[test]
fn a_secret_of_several_lines_arrives_byte_for_byte_without_scripts() {
    let dir = PortalDir::new();
    let folder = dir.path().join("catalogue");
    put(&folder, "notes", &with_lines());
    let platform = Platform::answering_after(&dir, "1");
    let _portal = platform.portal(&dir, &[("CATALOGUE", folder.to_str().unwrap())]);
    let (head, page) = browse(dir.port, "GET /new/notes", "", "");
    let browser = cookies(&head);
    let field = between(&page, "<textarea", "</textarea>");
    for expected in
        [r#"name="s.api_key""#, r#"autocomplete="off""#, r#"spellcheck="false""#, "secret-lines"]
    {
        assert!(field.contains(expected), "{expected} in {field}");
    }
    // A browser sends CR LF, and a form that is refused once keeps the lines.
    let sent = LINES.replace('\n', "\r\n");
    let refused = form(&[("name", "alice"), ("p.pages", "501"), ("s.api_key", &sent)]);
    let (head, page) = browse(dir.port, "POST /new/notes", &browser, &refused);
    assert!(head.starts_with("HTTP/1.1 422"), "{head}");
    assert!(!page.contains("BEGIN KEY") && !page.contains("abc+/="), "{page}");
    let kept = between(&page, r#"name="k.api_key" value=""#, "\"");
    for (name, lines, kept) in [("alice", "", kept), ("bobby", sent.as_str(), "")] {
        let mut fields = vec![("name", name), ("s.api_key", lines)];
        fields.extend((!kept.is_empty()).then_some(("k.api_key", kept)));
        let (head, page) = browse(dir.port, "POST /new/notes", &browser, &form(&fields));
        assert!(head.starts_with("HTTP/1.1 303"), "{head} {page}");
        let id = between(&head, "location: /deployments/", "\r\n");
        dir.wait_for_event(id, "event: complete");
        let arrived = variables_of(&platform, &format!("stack-{name}"));
        assert!(arrived.contains(&format!("NOTES_API_KEY={LINES}")), "{arrived:?}");
    }
}

#[test]
fn all_generated_secrets_are_shown_once_however_many_there_are() {
    let dir = PortalDir::new();
    let folder = dir.path().join("catalogue");
    let mut text = NOTES.to_owned();
    for n in 0..60 {
        let question = format!(
            "[[parameter]]\nkey = \"g{n}\"\ntype = \"secret\"\nlabel = \"Generated {n}\"\n\
             env = \"G{n}\"\nfrom = \"generate:128\"\n"
        );
        text.write_str(&question).unwrap();
    }
    put(&folder, "notes", &text);
    let settings = [("CATALOGUE", folder.to_str().unwrap())];
    let portal = dir.start(&settings);
    let (head, _) = browse(dir.port, "GET /new/notes", "", "");
    let browser = cookies(&head);
    let (head, _) = browse(dir.port, "POST /new/notes", &browser, "name=alice");
    assert!(head.starts_with("HTTP/1.1 303"), "{head}");
    let path = between(&head, "location: ", "\r\n").to_owned();
    let cookie = cookies(&head);
    assert!(cookie.len() < 4_000, "{} bytes", cookie.len());
    // Another replica shows them: nothing is kept in the process.
    drop(portal);
    let _portal = dir.start(&settings);
    let line = format!("GET {path}");
    let (head, page) = browse(dir.port, &line, &format!("{browser}; {cookie}"), "");
    assert!(head.contains("generated=; Path=/; Max-Age=0") && head.contains("no-store"), "{head}");
    assert_eq!(page.matches(r#"class="fresh-token__secret">"#).count(), 61, "{page}");
    assert!(page.contains("<h3>Generated 59</h3>") && page.contains("<h3>Password</h3>"));
    let secret = between(&page, r#"class="fresh-token__secret">"#, "<");
    assert!(secret.len() >= 24 && !cookie.contains(secret) && !head.contains(secret));
    // The cookie of one person shows another nothing, and none shows nothing.
    for cookies in [browser.clone(), format!("browser={}; {cookie}", "b".repeat(43))] {
        let (_, page) = browse(dir.port, &line, &cookies, "");
        assert!(!page.contains("fresh-token__secret"), "{cookies}: {page}");
    }
}

#[tokio::test]
async fn trying_again_shows_what_it_had_to_generate_anew_and_nothing_else() {
    let (app, _dir) = app(NOTES);
    let first = app.post_form("/new/notes", "name=alice&s.api_key=given-key").await;
    let shown =
        page_with(&app, first.header("location").unwrap(), &cookie(&first, "generated").unwrap())
            .await;
    let password = &stored(&app, &id_of(&first)).await["NOTES_PASSWORD"];
    assert!(shown.body.contains(password), "{shown:?}");
    fail(&app).await;

    // Within the hour everything is kept, and was shown already.
    let second = try_again(&app, &id_of(&first)).await;
    assert_eq!(cookie(&second, "generated"), None);
    let begun = stored(&app, &id_of(&second)).await;
    assert_eq!(
        (&begun["NOTES_PASSWORD"], begun["NOTES_API_KEY"].as_str()),
        (password, "given-key")
    );
    fail(&app).await;

    app.clock.advance(Duration::from_secs(3_601));
    let third = try_again(&app, &id_of(&second)).await;
    let begun = stored(&app, &id_of(&third)).await;
    assert!(begun["NOTES_PASSWORD"] != *password && !begun.contains_key("NOTES_API_KEY"));
    let ticket = cookie(&third, "generated").unwrap();
    assert!(!ticket.contains(&begun["NOTES_PASSWORD"]), "{ticket}");
    let path = third.header("location").unwrap();
    let shown = page_with(&app, path, &ticket).await;
    assert!(shown.body.contains(&begun["NOTES_PASSWORD"]), "{shown:?}");
    assert!(shown.header("set-cookie").unwrap().contains("Max-Age=0"), "{shown:?}");
    assert!(!app.get(path).await.body.contains(&begun["NOTES_PASSWORD"]));
    // A minute later, a copy of the cookie shows nothing.
    app.clock.advance(Duration::from_secs(61));
    let shown = page_with(&app, path, &ticket).await;
    assert!(!shown.body.contains(&begun["NOTES_PASSWORD"]), "{shown:?}");
}

#[tokio::test]
async fn an_hour_after_a_failure_the_form_asks_for_the_secrets_again() {
    let (app, _dir) = app(&with_required_key());
    let fields = "name=alice&s.api_key=given-key&p.title=My+notes&p.pages=7&size=large";
    let first = id_of(&app.post_form("/new/notes", fields).await);
    fail(&app).await;
    app.clock.advance(Duration::from_secs(3_601));
    let refused = try_again(&app, &first).await;
    let page = format!("/deployments/{first}?refused=SECRETS_EXPIRED");
    assert_eq!(refused.header("location"), Some(page.as_str()));
    let shown = app.get(&page).await.body;
    let says = "which is over for those that were typed, so the deployment was not retried";
    assert!(shown.contains(says), "{shown}");
    let link = format!("/new/notes?again={first}");
    assert!(shown.contains(&link), "{shown}");
    let form = app.get(&link).await.body;
    for filled in
        [r#"value="alice""#, r#"value="My notes""#, r#"value="7""#, r#"value="large" checked"#]
    {
        assert!(form.contains(filled), "{filled} in {form}");
    }
    let reply = app.ask("POST", &format!("/api/deployment/{first}/retry"), &[], "").await;
    assert_eq!(reply.error(), "422 SECRETS_EXPIRED");
    // Somebody else gets an empty form.
    let other = format!("browser={}", "b".repeat(43));
    let form = app.ask("GET", &link, &[("cookie", &other), ("accept", "text/html")], "").await;
    assert!(!form.body.contains("My notes"), "{form:?}");
}

#[tokio::test]
async fn the_form_with_earlier_answers_has_the_default_of_what_was_not_asked() {
    let asked = r#"
[[parameter]]
key = "own"
type = "boolean"
label = "Own mode"
env = "NOTES_OWN"

[[parameter]]
key = "mode"
type = "string"
label = "Mode"
env = "NOTES_MODE"
default = "careful"
when = { key = "own", equals = true }
"#;
    let (app, _dir) = app(&format!("{NOTES}{asked}"));
    let first = id_of(&app.post_form("/new/notes", "name=alice&p.mode=").await);
    fail(&app).await;
    let form = app.get(&format!("/new/notes?again={first}")).await.body;
    assert!(form.contains(r#"value="careful""#), "{form}");
    // What was asked and left out stays so.
    let left_out = "name=bobby&p.own=on&p.mode=";
    let second = id_of(&app.post_form("/new/notes", left_out).await);
    fail(&app).await;
    let form = app.get(&format!("/new/notes?again={second}")).await.body;
    assert!(!form.contains(r#"value="careful""#), "{form}");
}
