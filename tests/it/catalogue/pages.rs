//! The pages of a new stack: cards, the form without scripts, and what the scripts ask.

use serde_json::Value;

use super::{NOTES, put, variables};
use crate::support::platform::Platform;
use crate::support::process::{PortalDir, Running, exchange, request};

/// A template that asks nothing.
const PLAIN: &str = r#"
[template]
id = "plain"
name = "Plain"
summary = "Nothing to answer."
version = "1.0.0"
image = "sandbox/hello:1.0.0"
port = 8080
first_access = "none-needed"

[[health]]
path = "/health"
"#;

/// A question that depends on another, one that is folded away, a list and a choice.
const MORE: &str = r#"
[[parameter]]
key = "shared"
type = "boolean"
label = "Share it"
env = "NOTES_SHARED"

[[parameter]]
key = "people"
type = "list"
label = "With whom"
env = "NOTES_PEOPLE"
when = { key = "shared", equals = true }

[[parameter]]
key = "colour"
type = "choice"
label = "Colour"
env = "NOTES_COLOUR"
advanced = true
choices = [{ value = "r", label = "Red" }, { value = "g", label = "Green" }]
other = { pattern = "[a-z]+" }
"#;

/// A portal with these templates.
fn portal(templates: &[(&str, String)]) -> (PortalDir, Platform, Running) {
    let portal_dir = PortalDir::new();
    let folder = portal_dir.path().join("catalogue");
    for (id, text) in templates {
        put(&folder, id, text);
    }
    let platform = Platform::answering_after(&portal_dir, "1");
    let portal = platform.portal(&portal_dir, &[("CATALOGUE", folder.to_str().unwrap())]);
    (portal_dir, platform, portal)
}

/// Asks as a browser does, with these cookies. Returns the head and the body of the answer.
pub(super) fn browse(port: u16, line: &str, cookies: &str, form: &str) -> (String, String) {
    let headers = format!(
        "Accept: text/html\r\nCookie: {cookies}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n"
    );
    let answer = exchange(port, &request(line, &headers, form));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// Returns what stands between two texts.
pub(super) fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let begin = text.find(before).unwrap_or_else(|| panic!("no {before} in {text}")) + before.len();
    let rest = &text[begin..];
    &rest[..rest.find(after).unwrap()]
}

/// Returns the cookies that an answer sets, as a browser sends them.
pub(super) fn cookies(head: &str) -> String {
    let lines = head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    lines.map(|line| line.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_form_without_scripts_loses_nothing_and_shows_what_was_generated_once() {
    let (portal_dir, platform, _portal) = portal(&[("notes", format!("{NOTES}{MORE}"))]);
    let port = portal_dir.port;
    let (head, page) = browse(port, "GET /new/notes", "", "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let browser = cookies(&head);
    for expected in [
        r#"<form action="/new/notes" method="post" class="questions">"#,
        r#"name="s.password" type="password""#,
        r#"name="p.pages" type="number""#,
        "0.5 CPUs, 256 MiB of memory",
        "Only if “Share it” is ticked.",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }

    let form = "name=alice&p.title=My+notes&p.pages=501&s.api_key=canary-51c9&size=large\
                &p.shared=false&p.people=&s.password=&p.colour=";
    let (head, page) = browse(port, "POST /new/notes", &browser, form);
    assert!(head.starts_with("HTTP/1.1 422"), "{head}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    assert!(page.contains("One answer cannot be used"), "{page}");
    assert!(page.contains(r##"<a href="#field-pages">Pages</a>"##), "{page}");
    assert!(page.contains(r#"value="My notes""#) && page.contains(r#"value="501""#), "{page}");
    assert!(page.contains(r#"value="large" checked"#), "{page}");
    assert!(!page.contains("canary-51c9"), "a secret came back");
    let sealed = |page: &str| between(page, r#"name="k.api_key" value=""#, "\"").to_owned();
    // It is kept on when the form is refused once more.
    let once_more = format!("name=alice&p.pages=502&s.api_key=&k.api_key={}", sealed(&page));
    let (head, page) = browse(port, "POST /new/notes", &browser, &once_more);
    assert!(head.starts_with("HTTP/1.1 422"), "{head}");
    let sealed = sealed(&page);

    // Another browser cannot use what was sealed for this one.
    let again = format!("name=alice&p.title=My+notes&p.pages=50&s.api_key=&k.api_key={sealed}");
    let (head, page) = browse(port, "POST /new/notes", "browser=0123", &again);
    assert!(head.starts_with("HTTP/1.1 422"), "{head}");
    assert!(page.contains("is not kept any more: give it again"), "{page}");

    let (head, _) = browse(port, "POST /new/notes", &browser, &again);
    assert!(head.starts_with("HTTP/1.1 303"), "{head}");
    let path = between(&head, "location: ", "\r\n").to_owned();
    let id = path.strip_prefix("/deployments/").unwrap().to_owned();
    portal_dir.wait_for_event(&id, "event: complete");

    let line = format!("GET {path}");
    let (head, page) = browse(port, &line, &format!("{browser}; {}", cookies(&head)), "");
    let password = between(&page, r#"class="fresh-token__secret">"#, "<").to_owned();
    assert_eq!(password.len(), 24);
    assert!(head.contains("generated=; Path=/; Max-Age=0"), "{head}");
    assert!(head.contains("no-store") && !head.contains("content-encoding"), "{head}");
    let (_, page) = browse(port, &line, &browser, "");
    assert!(!page.contains(&password), "shown again");

    let arrived = variables(&platform);
    for expected in ["NOTES_TITLE=My notes", "NOTES_PAGES=50", "NOTES_API_KEY=canary-51c9"] {
        assert!(arrived.iter().any(|one| one == expected), "{expected} in {arrived:?}");
    }
    assert!(arrived.contains(&format!("NOTES_PASSWORD={password}")), "{arrived:?}");
}

#[test]
fn a_link_fills_the_form_but_for_secrets_and_starts_nothing() {
    let (portal_dir, _platform, _portal) = portal(&[("notes", format!("{NOTES}{MORE}"))]);
    let link = "GET /new/notes?name=alice&p.title=From+afar&p.colour=r&s.api_key=planted&size=large&p.nothing=x";
    let (head, page) = browse(portal_dir.port, link, "", "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(page.contains("Some answers come from the link"), "{page}");
    assert!(page.contains(r#"value="alice""#) && page.contains(r#"value="From afar""#), "{page}");
    assert!(page.contains(r#"value="r" checked"#), "{page}");
    assert!(!page.contains("planted"), "{page}");
    // So is a value of one's own, and the size, as the page says.
    let own = "GET /new/notes?p.colour.other=teal&size=large";
    let (_, own) = browse(portal_dir.port, own, "", "");
    assert_eq!(own.matches("This answer comes from the link").count(), 2, "{own}");
    assert!(!own.contains("More settings"), "{own}");
    // The colour is an advanced question, which a link does not fold away.
    assert!(!page.contains("More settings"), "{page}");
    let (_, page) = browse(portal_dir.port, "GET /new/notes", "", "");
    assert!(page.contains("More settings") && !page.contains("come from the link"), "{page}");
}

#[test]
fn several_templates_are_cards_and_one_is_a_form() {
    let (portal_dir, _platform, _portal) =
        portal(&[("notes", NOTES.to_owned()), ("plain", PLAIN.to_owned())]);
    let port = portal_dir.port;
    for line in ["GET /new?name=alice", "GET /?name=alice"] {
        let (_, page) = browse(port, line, "", "");
        for (id, name) in [("notes", "Notes"), ("plain", "Plain")] {
            let link = format!(r#"<a href="/new/{id}?name=alice">{name}</a>"#);
            assert!(page.contains(&link), "{line}: {link} in {page}");
        }
        assert!(!page.contains("Pick a name"), "{line} has no field for one: {page}");
    }
    let (head, _) = browse(port, "GET /new/other", "", "");
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    let (head, _) = browse(port, "POST /new/other", "", "name=alice");
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");

    let (portal_dir, _platform, _portal) = portal(&[("notes", NOTES.to_owned())]);
    for line in ["GET /new", "GET /"] {
        let (_, page) = browse(portal_dir.port, line, "", "");
        assert!(page.contains(r#"action="/new/notes""#), "{line}: {page}");
    }
    let (portal_dir, _platform, _portal) = portal(&[("plain", PLAIN.to_owned())]);
    let (_, page) = browse(portal_dir.port, "GET /", "", "");
    assert!(page.contains(r#"class="name-form""#) && !page.contains("/new/plain"), "{page}");
}

#[test]
fn scripts_ask_what_is_wrong_so_far() {
    let (portal_dir, _platform, _portal) = portal(&[("notes", NOTES.to_owned())]);
    let check = |form: &str| {
        let (head, body) = browse(portal_dir.port, "POST /new/notes/check", "", form);
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        serde_json::from_str::<Value>(&body).unwrap()
    };
    let verdict = check("name=alice&p.pages=10");
    assert_eq!(verdict["fields"], serde_json::json!({}), "{verdict}");
    assert!(verdict["url"].as_str().unwrap().contains("alice"), "{verdict}");
    let many = vec!["d.a&p.b"; 200].join("&");
    let headers = "Accept: application/json\r\nContent-Type: text/plain\r\n";
    let line = "POST /new/notes/check";
    let answer = exchange(portal_dir.port, &request(line, headers, &many));
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let verdict = check("name=-&p.pages=x&s.password=short");
    let fields = verdict["fields"].as_object().unwrap();
    let keys: Vec<_> = fields.keys().map(String::as_str).collect();
    assert_eq!(keys, ["name", "pages", "password"], "{verdict}");
    assert!(verdict.get("url").is_none(), "{verdict}");
}

#[test]
fn what_is_wrong_is_summed_up_in_the_order_of_the_form_and_each_link_leads_somewhere() {
    let more = MORE.replace("advanced = true", "advanced = true\nrequired = true");
    let text = format!("{NOTES}{more}").replace("max = 500\n", "max = 500\nunit = \"sheets\"\n");
    let (portal_dir, _platform, _portal) = portal(&[("notes", text)]);
    let form = "name=-&p.colour=no+colour&p.title=x%0Ay&p.pages=501&s.password=short&size=huge\
                &p.nothing=x";
    let (head, page) = browse(portal_dir.port, "POST /new/notes", "", form);
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
    let page = page.replace("<!>", "");
    let summary = between(&page, r#"class="refused problems""#, "</div>");
    let links = summary.split("<a href=\"#").skip(1).map(|rest| {
        let (id, rest) = rest.split_once("\">").unwrap();
        (id.to_owned(), rest.split('<').next().unwrap().to_owned())
    });
    let links: Vec<_> = links.collect();
    let expected = [
        ("field-name", "nothing"),
        ("field-name", "Name"),
        ("field-password", "Password"),
        ("field-title", "Title"),
        ("field-pages", "Pages"),
        ("field-colour", "Colour"),
        ("field-size", "Size"),
    ];
    assert_eq!(links, expected.map(|(id, label)| (id.to_owned(), label.to_owned())));
    for (id, _) in &links {
        assert!(page.contains(&format!("id=\"{id}\"")), "{id} is not in {page}");
    }
    let number = between(&page, "<input id=\"field-pages\"", ">");
    let described = between(number, "aria-describedby=\"", "\"");
    assert!(described.split(' ').any(|id| id == "unit-pages"), "{described}");
    assert!(page.contains(r#"<span id="unit-pages">sheets</span>"#), "{page}");
}

#[tokio::test]
async fn a_name_that_is_taken_has_free_ones_beside_it_with_and_without_scripts() {
    let (app, _dir) = super::secrets::app(NOTES);
    let place = r#"<p id="offers-name" role="status" hidden class="hint__offers">"#;
    let empty = app.get("/new/notes").await.body;
    assert!(empty.contains(place), "{empty}");
    app.live("alice").await;
    let fields = "name=alice&p.title=My+notes&p.pages=501&s.api_key=canary-51c9";
    let checked = app.post_form("/new/notes/check", fields).await.json();
    assert_eq!(checked["fields"]["name"]["code"], "NAME_TAKEN", "{checked}");
    assert_eq!(checked["offers"], serde_json::json!(["alice-2", "alice-3"]), "{checked}");
    let refused = app.post_form("/new/notes", fields).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    let page = refused.body.replace("<!>", "");
    let offers = between(&page, r#"<p id="offers-name""#, "</p>");
    let names: Vec<_> = offers.split("<a ").skip(1).map(|rest| between(rest, ">", "<")).collect();
    assert_eq!(names, ["alice-2", "alice-3"], "{offers}");
    assert!(!offers.contains("hidden") && offers.contains("Free: "), "{offers}");
    assert!(page.contains(r#"value="My notes""#) && page.contains("k.api_key"), "{page}");

    let free = app.post_form("/new/notes/check", "name=alice-2").await.json();
    assert_eq!(free.get("offers"), None, "{free}");
}
