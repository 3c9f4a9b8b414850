//! Hostile answers through the portal to the container: each arrives byte for byte, or is refused at
//! its field, and then nothing is begun.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use form_urlencoded::Serializer;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use serde_json::{Map, Value, json};

use super::pages::{between, browse};
use super::{json_of, post, put, summary, variables_of};
use crate::support::platform::Platform;
use crate::support::process::{PortalDir, Running, id_in};

/// The number of questions of each template.
const QUESTIONS: usize = 63;
/// More bytes than an answer may have: 64 KiB.
const TOO_LARGE: usize = 65_537;
/// The number of characters of the longest text.
const LONGEST: usize = 16_000;
/// The number of bytes that all variables may have together, with their names.
const TOGETHER: usize = 131_072;

/// What a template asks for: the type, and the property and the prefix of a form's fields.
const KINDS: [(&str, &str, &str); 3] =
    [("string", "parameters", "p"), ("text", "parameters", "p"), ("secret", "secrets", "s")];

/// Answers that arrive at a question of any type.
const ARRIVES: [&str; 35] = [
    " leading",
    "trailing ",
    "  ",
    "\"double\"",
    "'single'",
    "`back`",
    "it's \"both\"",
    "a\\nb",
    "\\",
    "C:\\dir\\",
    "\\\"",
    "$HOME",
    "${HOME}",
    "$(id)",
    "`id`",
    "%s%n%x",
    "%0A",
    "{{.Node.Hostname}}",
    "{{ env \"PATH\" }}",
    "{{",
    "}}",
    "#comment",
    "a #b",
    "a=b",
    "=",
    "export A=b",
    "-- a",
    "null",
    "true",
    "\u{feff}bom",
    "<script>alert(1)</script>",
    "</textarea><b>",
    "&amp;+%2B",
    "'; drop table stacks; --",
    "a\u{200d}\u{202e}b",
];

/// Answers that arrive at a question of several lines.
const LINES: [&str; 7] =
    ["a\nb", "\n", "\n\n a\n", "-- a --\nA=b\n", "\ta", "a\u{2028}b\u{2029}", "'\n\"\n"];

/// Answers that are refused at a question of any type.
const REFUSED: [(&str, &str); 10] = [
    ("${{project.X}}", "REFERENCE"),
    ("a${{vault.x.y}}", "REFERENCE"),
    ("${{", "REFERENCE"),
    ("$${{a}}", "REFERENCE"),
    ("a\u{0}b", "CONTROL_CHARACTER"),
    ("a\u{1b}[31m", "CONTROL_CHARACTER"),
    ("a\u{7f}", "CONTROL_CHARACTER"),
    ("a\u{85}b", "CONTROL_CHARACTER"),
    ("'`\"", "NOT_REPRESENTABLE"),
    ("#\\", "NOT_REPRESENTABLE"),
];

/// Returns a template with questions of one type.
fn template(kind: &str) -> String {
    let mut text = format!(
        "[template]\nid = \"{kind}\"\nname = \"A\"\nsummary = \"A\"\nversion = \"1\"\n\
         image = \"sandbox/hello:1.0.0\"\nport = 8080\nfirst_access = \"none-needed\"\n\
         [[health]]\npath = \"/health\"\n"
    );
    for n in 0..QUESTIONS {
        let question = format!(
            "[[parameter]]\nkey = \"k{n}\"\nlabel = \"K\"\ntype = \"{kind}\"\nenv = \"K{n}\"\n"
        );
        text.write_str(&question).unwrap();
    }
    text
}

/// A portal that uses a platform, with a template of each type.
struct World {
    dir: PortalDir,
    platform: Platform,
    _portal: Running,
}

/// A question's type with the answers to its questions.
struct Sent<'a> {
    kind: (&'a str, &'a str, &'a str),
    name: String,
    answers: Vec<String>,
}

impl World {
    fn new() -> Self {
        let dir = PortalDir::new();
        let folder = dir.path().join("catalogue");
        for (kind, ..) in KINDS {
            put(&folder, kind, &template(kind));
        }
        let platform = Platform::answering_after(&dir, "1");
        let settings = [("CATALOGUE", folder.to_str().unwrap()), ("DEPLOY_RATE_LIMIT", "100000")];
        let portal = platform.portal(&dir, &settings);
        Self { dir, platform, _portal: portal }
    }

    /// Sends answers to the API. Returns the id of the deployment, or the codes of the fields.
    fn by_rest(&self, sent: &Sent<'_>) -> Result<String, BTreeMap<String, String>> {
        let (template, property, _) = sent.kind;
        let mut body = json!({ "name": sent.name, "template": template });
        let keyed = sent.answers.iter().enumerate().map(|(n, one)| (format!("k{n}"), json!(one)));
        body[property] = Value::Object(keyed.collect::<Map<_, _>>());
        let (status, answer) = post(self.dir.port, "/api/deploy", &body);
        if status == 201 {
            return Ok(id_in(&answer, "dep_"));
        }
        assert_eq!(status, 422, "{answer}");
        assert!(answer.len() < 20_000, "an answer is repeated");
        let fields = json_of(&answer)["fields"].as_object().unwrap().clone();
        let code = |problem: &Value| problem["code"].as_str().unwrap().to_owned();
        Err(fields.iter().map(|(key, problem)| (key.clone(), code(problem))).collect())
    }

    /// Sends answers like a browser without scripts. Returns the id of the deployment, or the
    /// sentences at the fields.
    fn by_form(&self, sent: &Sent<'_>) -> Result<String, BTreeMap<String, String>> {
        let (template, _, prefix) = sent.kind;
        let mut form = Serializer::new(String::new());
        form.append_pair("name", &sent.name);
        for (n, answer) in sent.answers.iter().enumerate() {
            form.append_pair(&format!("{prefix}.k{n}"), &answer.replace('\n', "\r\n"));
        }
        let (head, page) =
            browse(self.dir.port, &format!("POST /new/{template}"), "", &form.finish());
        if head.starts_with("HTTP/1.1 303") {
            return Ok(between(&head, "location: /deployments/", "\r\n").to_owned());
        }
        assert!(head.starts_with("HTTP/1.1 422"), "{head}");
        Err(summary(&page))
    }

    /// Checks that nothing is begun.
    fn assert_nothing_begun(&self) {
        assert_eq!(self.platform.state()["projects"], json!([]));
        let stacks = self.dir.get("/api/stacks");
        assert!(!stacks.contains("dep_"), "{stacks}");
    }

    /// Checks that the container of a stack has its answers.
    fn assert_arrived(&self, id: &str, sent: &Sent<'_>) {
        self.dir.wait_for_event(id, "event: complete");
        let arrived = variables_of(&self.platform, &format!("stack-{}", sent.name));
        for (n, answer) in sent.answers.iter().enumerate() {
            let name = format!("K{n}=");
            let found = arrived.iter().find_map(|one| one.strip_prefix(&name));
            let shown: String = answer.chars().take(100).collect();
            assert!(found == Some(answer), "{}: {shown:?} arrived as {found:?}", sent.name);
        }
    }
}

/// Returns the first and the last character of each general category, after those of ASCII if
/// possible.
fn of_every_category() -> BTreeMap<u8, (char, char)> {
    let categories = CodePointMapData::<GeneralCategory>::new();
    let mut found = BTreeMap::new();
    for c in ('\u{80}'..=char::MAX).chain('\u{0}'..'\u{80}') {
        let (_, last) = found.entry(categories.get(c) as u8).or_insert((c, c));
        *last = if c.is_ascii() { *last } else { c };
    }
    // All but the halves of pairs in UTF-16, which are no characters.
    assert_eq!(found.len(), 29);
    found
}

/// Returns answers that are as large as they may be, each and together.
fn as_large_as_possible() -> Vec<String> {
    let longest = "😀".repeat(LONGEST);
    let rest = TOGETHER - 2 * longest.len() - "K0K1K2".len();
    vec![longest.clone(), longest, "x".repeat(rest)]
}

/// Returns the answers to questions of a type that arrive.
fn arriving(kind: &str) -> Vec<Vec<String>> {
    let is_line = kind == "string";
    let is_refused = |c: char| c.is_control() || (is_line && matches!(c, '\u{2028}' | '\u{2029}'));
    let characters = of_every_category().into_values().flat_map(|(one, other)| [one, other]);
    let characters = characters.filter(|c| !is_refused(*c)).map(|c| format!("a{c}"));
    let lines = LINES.iter().filter(|_| !is_line);
    let texts = ARRIVES.iter().chain(lines).map(|text| (*text).to_owned());
    let all: Vec<_> = characters.chain(texts).collect();
    let mut sets: Vec<_> = all.chunks(QUESTIONS).map(<[String]>::to_vec).collect();
    if !is_line {
        sets.push(as_large_as_possible());
    }
    sets
}

#[test]
fn a_hostile_answer_arrives_byte_for_byte() {
    let world = World::new();
    let mut begun = Vec::new();
    for kind in KINDS {
        for (n, answers) in arriving(kind.0).into_iter().enumerate() {
            let name = |face: &str| format!("{}-{n}-{face}", kind.0);
            let sent = Sent { kind, name: name("rest"), answers: answers.clone() };
            begun.push((world.by_rest(&sent).unwrap(), sent));
            let sent = Sent { kind, name: name("form"), answers };
            begun.push((world.by_form(&sent).unwrap(), sent));
        }
    }
    for (id, sent) in &begun {
        world.assert_arrived(id, sent);
    }
}

#[test]
fn what_a_container_cannot_get_is_refused_at_its_field_and_nothing_is_begun() {
    let world = World::new();
    for kind in KINDS {
        let mut cases: Vec<_> = REFUSED.map(|(text, code)| (text.to_owned(), code)).into();
        let cr = if kind.0 == "string" { "LINE_BREAK" } else { "CONTROL_CHARACTER" };
        cases.push((String::from("a\rb"), cr));
        cases.push(("x".repeat(TOO_LARGE), "TOO_LARGE"));
        if kind.0 == "string" {
            cases.extend(["a\nb", "a\u{2028}b", "a\u{2029}b"].map(|one| (one.to_owned(), cr)));
        }
        let answers: Vec<_> = cases.iter().map(|(text, _)| text.clone()).collect();
        let expected =
            cases.iter().enumerate().map(|(n, (_, code))| (format!("k{n}"), (*code).to_owned()));
        let sent = Sent { kind, name: String::from("alice"), answers };
        assert_eq!(world.by_rest(&sent).unwrap_err(), expected.clone().collect(), "{kind:?}");
        let sentences = world.by_form(&sent).unwrap_err();
        assert!(sentences.keys().eq(expected.collect::<BTreeMap<_, _>>().keys()), "{sentences:?}");
        // A megabyte, which is all that a request may have.
        let sent = Sent { answers: vec!["x".repeat(1_000_000)], ..sent };
        let too_large = BTreeMap::from([(String::from("k0"), String::from("TOO_LARGE"))]);
        assert_eq!(world.by_rest(&sent).unwrap_err(), too_large);
        let sentence =
            BTreeMap::from([(String::from("k0"), String::from("This can have at most 64 KiB."))]);
        assert_eq!(world.by_form(&sent).unwrap_err(), sentence);
    }
    for kind in &KINDS[1..] {
        // One byte more than all may have together.
        let mut answers = as_large_as_possible();
        answers[2].push('x');
        let sent = Sent { kind: *kind, name: String::from("alice"), answers };
        let together = String::from("TOO_LARGE_TOGETHER");
        let expected = BTreeMap::from([(String::from("parameters"), together)]);
        assert_eq!(world.by_rest(&sent).unwrap_err(), expected);
        let sentences = world.by_form(&sent).unwrap_err();
        assert!(sentences["parameters"].contains("128 KiB"), "{sentences:?}");
    }
    world.assert_nothing_begun();
}

#[test]
fn a_request_that_is_larger_than_all_answers_is_refused_as_a_whole() {
    let world = World::new();
    let answer = "x".repeat(2_000_000);
    let body = json!({ "name": "alice", "template": "text", "parameters": { "k0": answer } });
    let (status, answered) = post(world.dir.port, "/api/deploy", &body);
    let told = json_of(&answered);
    assert_eq!((status, &told["code"]), (413, &json!("BODY_TOO_LARGE")));
    assert_eq!(told["error"], "The body is longer than 1024 KiB: shorten it.");
    let form = format!("name=alice&p.k0={answer}");
    let (head, _) = browse(world.dir.port, "POST /new/text", "", &form);
    assert!(head.starts_with("HTTP/1.1 413"), "{head}");
    world.assert_nothing_begun();
}
