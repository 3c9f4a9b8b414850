//! `check --sign-in`: an operator sees what the provider says about them.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};

use axum::http::{StatusCode, Uri};
use clock::{Clock, SystemClock};
use serde_json::json;

use super::world::{World, arrival};
use crate::support::app::TestApp;
use crate::support::browser::Browser;
use crate::support::fake_provider::FakeProvider;
use crate::support::process::PortalDir;

/// A check that waits for the answer to its address.
struct Check {
    process: Child,
    output: BufReader<std::process::ChildStdout>,
    state: String,
    nonce: String,
}

impl Check {
    fn begin(folder: &PortalDir, fake: &FakeProvider) -> Self {
        let variables = fake.variables();
        let variables: Vec<_> = variables.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let mut command = folder.command(&variables);
        let command = command.args(["check", "--sign-in"]).stdin(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("http") {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "it prints no address");
        }
        let address: Uri = line.trim().parse().unwrap();
        let value = |name: &str| {
            let mut pairs = address.query().unwrap().split('&').filter_map(|p| p.split_once('='));
            pairs.find(|(own, _)| *own == name).unwrap().1.to_owned()
        };
        Self { state: value("state"), nonce: value("nonce"), process, output }
    }

    fn callback(&self, answer: &str) -> String {
        format!("/auth/callback?{answer}&state={}", self.state)
    }

    /// Pastes a line, and returns the rest of the output and whether people can sign in.
    fn end(mut self, pasted: &str) -> (String, bool) {
        let mut input = self.process.stdin.take().unwrap();
        // It may have taken the answer itself, and ended.
        drop(writeln!(input, "{pasted}"));
        drop(input);
        let mut said = String::new();
        self.output.read_to_string(&mut said).unwrap();
        (said, self.process.wait().unwrap().success())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_address_shows_names_and_forms_of_claims_groups_and_the_reason() {
    let fake = FakeProvider::start().await;
    let check = Check::begin(&PortalDir::new(), &fake);
    let mut claims = fake.claims(&check.nonce, SystemClock.now().as_second());
    claims["groups"] = json!(["/operators", "staff"]);
    claims["updated_at"] = "2024-03-07T09:14:55.000Z".into();
    claims["picture"] = "canary".into();
    fake.give(&fake.key.sign(&claims));
    let pasted = format!("nonsense\n  http://localhost:9{}#", check.callback("code=c"));
    let (said, passed) = check.end(&pasted);
    assert!(passed, "{said}");
    for told in [
        "This is not the address",
        "\"groups\" is a list",
        "\"updated_at\" is a text",
        "[\"/operators\", \"staff\"]",
        "They are an operator: the claim groups has the group \"operators\"",
    ] {
        assert!(said.contains(told), "no {told} in {said}");
    }
    assert!(!said.contains("canary"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_portal_the_command_takes_the_answer_itself() {
    let fake = FakeProvider::start().await;
    let folder = PortalDir::new();
    let check = Check::begin(&folder, &fake);
    let mut claims = fake.claims(&check.nonce, SystemClock.now().as_second());
    claims["groups"] = json!({ "_claim_names": 1 });
    fake.give(&fake.key.sign(&claims));
    let answer = folder.get(&check.callback("code=c"));
    assert!(answer.contains("The terminal"), "{answer}");
    let (said, passed) = check.end("");
    assert!(passed, "{said}");
    assert!(said.contains("They are not an operator: the claim groups is an object"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_fails_is_explained() {
    let fake = FakeProvider::start().await;
    let check = Check::begin(&PortalDir::new(), &fake);
    let mut claims = fake.claims(&check.nonce, SystemClock.now().as_second());
    claims["aud"] = json!(["portal", "project"]);
    fake.give(&fake.key.sign(&claims));
    let pasted = check.callback("code=c");
    let (said, passed) = check.end(&pasted);
    assert!(!passed && said.contains("OIDC_TRUSTED_AUDIENCES"), "{said}");
}

#[tokio::test]
async fn a_portal_that_runs_tells_the_person_what_to_do_with_the_answer() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    let tab = world.begin(&mut browser).await;
    let reply = world.redirect_back(&mut browser, "code=c&state=check.abc").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.body.contains("paste it there. Give it to nobody else"), "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    world.accept(&tab);
    let reply = world.redirect_back(&mut browser, &format!("code=c&state={}", tab.state)).await;
    assert_eq!(arrival(&reply).as_deref(), Some("/?name=alice"));
    let open = TestApp::new();
    assert_eq!(open.get("/auth/callback?state=check.a&code=c").await.status, StatusCode::NOT_FOUND);
}
