//! A portal in process with the template of the table, and what its faces say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ai_stack_deployer::server::auth::access::Role;
use ai_stack_deployer::server::spec::OperationSpec;
use ai_stack_deployer::server::store::Specs as _;
use domain::deployment::DeploymentId;
use domain::stack_id::RevisionId;
use domain::stack_spec::VariableValue;
use domain::template::situation::Values;
use form_urlencoded::Serializer;
use jsonschema::{PatternOptions, Validator};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use crate::catalogue::people::sign_in;
use crate::catalogue::{plain, put, summary};
use crate::support::app::TestApp;
use crate::support::reply::Reply;
use crate::support::settings::keyring;

/// The template with every kind of question, which its id is `all`.
const ALL: &str = include_str!("../../../crates/catalogue/tests/it/all.toml");

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) message: String,
}

/// What a stack is begun with: the spec that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Begun {
    /// The variables as lines, a generated secret by its length.
    pub(super) variables: BTreeSet<String>,
    values: Values,
    size: Option<String>,
}

/// What comes of a set of answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A stack is begun.
    Begun(Begun),
    /// Nothing is begun, for what is wrong with these fields.
    Refused(BTreeMap<String, Problem>),
}

/// A portal in process with the template.
pub(super) struct Portal {
    app: TestApp,
    schema: Validator,
    /// The number of names that were used.
    names: u32,
    _folder: TempDir,
}

impl Portal {
    /// Starts one in which Alice is signed in, with this e-mail address.
    pub(super) async fn of_alice(email: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "all", ALL);
        let variables = [
            ("CATALOGUE", folder.path().to_str().unwrap()),
            ("DEPLOY_RATE_LIMIT", "100000"),
            ("CHECK_RATE_LIMIT", "none"),
            ("AUTH", "oidc"),
            ("OIDC_ISSUER", "http://127.0.0.1:9"),
            ("OIDC_CLIENT_ID", "portal"),
            ("STACKS_PER_PERSON", "none"),
            ("DEPLOYMENTS_PER_PERSON", "none"),
            ("DEPLOYMENTS_PER_HOUR", "none"),
        ];
        let app = TestApp::with(&variables).with_cookie("__Host-session=alice");
        sign_in(&app, "alice", Role::Member, &[], email).await;
        let schema = app.get("/api/templates/all/schema").await.json();
        assert!(jsonschema::draft202012::meta::is_valid(&schema), "{schema:#}");
        let options =
            jsonschema::draft202012::options().with_pattern_options(PatternOptions::regex());
        Self { app, schema: options.build(&schema).unwrap(), names: 0, _folder: folder }
    }

    /// Starts one in which Alice is signed in, with the address that the table expects.
    pub(super) async fn new() -> Self {
        Self::of_alice(Some("alice@example.com")).await
    }

    /// Lets the deployment that was begun fail, with nothing left.
    pub(super) async fn fail(&self) {
        let lease = self.app.claim().await;
        self.app.record(&lease, vec![self.app.failure()]).await;
    }

    /// Tries a deployment again.
    pub(super) async fn try_again(&self, id: &str) -> Reply {
        self.app.ask("POST", &format!("/api/deployment/{id}/retry"), &[], "").await
    }

    /// Starts a stack by the REST API, and returns its deployment.
    pub(super) async fn deploy(&mut self, body: &Value) -> String {
        let mut body = body.clone();
        body["name"] = Value::from(self.name());
        body["template"] = Value::from("all");
        let reply = self.app.deploy(body.to_string()).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()["deploymentId"].as_str().unwrap().to_owned()
    }

    /// Lets an hour pass.
    pub(super) async fn let_an_hour_pass(&self) {
        self.app.clock.advance(Duration::from_secs(3_601));
        sign_in(&self.app, "alice", Role::Member, &[], Some("alice@example.com")).await;
    }

    /// Returns whether the schema that the portal shows accepts a body.
    pub(super) fn schema_accepts(&self, body: &Value) -> bool {
        self.schema.is_valid(body)
    }

    /// Sends a body to the REST API.
    pub(super) async fn rest(&mut self, body: &Value) -> Verdict {
        let mut body = body.clone();
        body["name"] = Value::from(self.name());
        body["template"] = Value::from("all");
        let before = self.app.store.records().len();
        let reply = self.app.deploy(body.to_string()).await;
        let json = reply.json();
        if reply.status == 201 {
            return Verdict::Begun(self.begun(json["deploymentId"].as_str().unwrap()).await);
        }
        assert_eq!((reply.status.as_u16(), &json["code"]), (422, &"INVALID_PARAMETERS".into()));
        assert_eq!(self.app.store.records().len(), before, "{body}");
        Verdict::Refused(serde_json::from_value(json["fields"].clone()).unwrap())
    }

    /// Asks what is wrong with the fields of the form, like the form's scripts.
    pub(super) async fn check(&mut self, fields: &[(String, String)]) -> BTreeMap<String, Problem> {
        let reply = self.post("/new/all/check", fields).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        serde_json::from_value(reply.json()["fields"].clone()).unwrap()
    }

    /// Posts the form without scripts. Returns the sentences at its fields if it comes back.
    pub(super) async fn form(
        &mut self,
        fields: &[(String, String)],
    ) -> Result<Verdict, BTreeMap<String, String>> {
        let before = self.app.store.records().len();
        let reply = self.post("/new/all", fields).await;
        if reply.status == 303 {
            let id = reply.header("location").unwrap().strip_prefix("/deployments/").unwrap();
            return Ok(Verdict::Begun(self.begun(id).await));
        }
        assert_eq!(reply.status, 422, "{reply:?}");
        assert_eq!(self.app.store.records().len(), before, "{fields:?}");
        Err(sentences(&reply.body))
    }

    async fn post(&mut self, path: &str, fields: &[(String, String)]) -> Reply {
        let name = self.name();
        let mut form = Serializer::new(String::new());
        form.append_pair("name", &name).extend_pairs(fields);
        self.app.post_form(path, form.finish()).await
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("stack-{}", self.names)
    }

    /// Returns what the stack of a deployment is begun with.
    pub(super) async fn begun(&self, id: &str) -> Begun {
        let revision = RevisionId::first_of(&DeploymentId::parse(id).unwrap());
        let sealed = self.app.store.spec(revision).await.unwrap().unwrap();
        let spec = OperationSpec::stored(sealed, revision, Some(keyring()));
        let texts = spec.environment().unwrap();
        let lines = spec.stack.environment.iter().zip(&texts);
        let line = |(variable, (name, text)): (&domain::stack_spec::Variable, &(String, _))| {
            let text: &secrecy::SecretString = text;
            let text = text.expose_secret();
            match &variable.value {
                VariableValue::Plain(_) => format!("{name}={text}"),
                VariableValue::Secret(_) if is_generated(text) => {
                    format!("{name}=generated {}", text.len())
                }
                VariableValue::Secret(_) => format!("{name}=secret {text}"),
            }
        };
        let variables = lines.map(line).collect();
        Begun { variables, values: spec.stack.values, size: spec.stack.size_id }
    }
}

/// Returns whether a secret is one that was generated. Those of the table are shorter.
fn is_generated(text: &str) -> bool {
    text.len() == 20 && text.chars().all(|one| one.is_ascii_alphanumeric())
}

/// Returns what the page says of fields, by their keys: in the summary, and at each field.
fn sentences(page: &str) -> BTreeMap<String, String> {
    let all = summary(page);
    let mut at_fields = BTreeMap::new();
    for field in page.replace("<!>", "").split("<p id=\"problem-").skip(1) {
        let (key, rest) = field.split_once('"').unwrap();
        let (_, rest) = rest.split_once('>').unwrap();
        let sentence = plain(rest.split_once("</p>").unwrap().0);
        assert_eq!(sentence, all.get(key).cloned().unwrap_or_default(), "at {key}");
        at_fields.insert(key.to_owned(), sentence);
    }
    for key in all.keys().filter(|key| ALL.contains(&format!("key = \"{key}\""))) {
        assert!(at_fields.contains_key(key), "{key} is not in {at_fields:?}");
    }
    all
}
