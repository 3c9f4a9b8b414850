//! What serde has written is read, for every code and every shape.

use std::collections::BTreeSet;
use std::fmt::Debug;

use serde::Serialize;
use serde_json::{Value, json};

use super::*;
use crate::deployment::{Deployment, DeploymentId, DeploymentMetadata, Links};
use crate::event::{
    Completion, Event, EventBody, Failure, FailureCode, Gone, Level, LogEntry, ProgressUpdate,
    Ready, RemovalCompletion, Resources,
};
use crate::kind::DEPLOY;
use crate::message::MessageCode;
use crate::phase::Phase;
use crate::platform_problem::{CallFailure, PlatformProblem};
use crate::progress::Progress;
use crate::receipt::{Line, Outcome, Receipt, ResourceKind};
use crate::remedy::{Named, Remedy};
use crate::stack_name::StackName;
use crate::words;

/// As a browser has it: a field that is `null` is missing.
impl Json for Value {
    fn get(&self, name: &str) -> Option<Self> {
        self.get(name).filter(|value| !value.is_null()).cloned()
    }

    fn text(&self) -> Option<String> {
        self.as_str().map(ToOwned::to_owned)
    }

    fn number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn flag(&self) -> Option<bool> {
        self.as_bool()
    }

    fn list(&self) -> Option<Vec<Self>> {
        self.as_array().cloned()
    }
}

fn at() -> Timestamp {
    "2026-11-23T09:55:24.515Z".parse().unwrap()
}

fn reads_back<T: Serialize + FromJson + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_value(value).unwrap();
    assert_eq!(T::from_json(&json).as_ref(), Some(value), "{json}");
}

/// Returns a message of each code.
fn messages() -> Vec<MessageCode> {
    let args = json!({
        "fault": "records", "before": 3, "message": "It failed.", "reason": {"code": "JOB_LOST"},
        "phase": "deploying", "host": "alice.example.com", "exitCode": "137", "seconds": 60,
        "status": 502,
    });
    // serde names all that it knows.
    let unknown = serde_json::from_value::<MessageCode>(json!({"code": "?"})).unwrap_err();
    let codes: Vec<_> =
        unknown.to_string().split('`').skip(3).step_by(2).map(str::to_owned).collect();
    assert!(codes.len() > 40, "{unknown}");
    let message = |code: &String| {
        let plain = json!({"code": code});
        let full = json!({"code": code, "args": args});
        serde_json::from_value(plain).or_else(|_| serde_json::from_value(full)).unwrap()
    };
    codes.iter().map(message).collect()
}

#[test]
fn every_message_is_read_as_serde_wrote_it() {
    for message in messages() {
        reads_back(&message);
    }
    reads_back(&MessageCode::CrashLoop { exit_code: Some(String::from("137")) });
    reads_back(&MessageCode::CrashLoop { exit_code: None });
    for code in ["NEW", "JOB_QUEUED", "CANCELLED_AFTER"] {
        assert_eq!(MessageCode::from_json(&json!({"code": code, "args": {}})), None);
    }
}

/// Returns a remedy of each code.
fn remedies() -> Vec<Remedy> {
    let named = || Named { name: String::from("alice"), id: String::from("x1") };
    let text = || String::from("docker-1");
    vec![
        Remedy::RemoveService { service: text() },
        Remedy::RemoveVolume { volume: text() },
        Remedy::DeleteDomain(named()),
        Remedy::DeleteApplication(named()),
        Remedy::DeleteProject(named()),
        Remedy::EmptyProject(named()),
        Remedy::FindOwner(named()),
        Remedy::MarkApplication { named: named(), marker: text() },
        Remedy::MarkProject { named: named(), marker: text() },
        Remedy::MoveBack { application: text(), project: text() },
        Remedy::WithApplication { remedy: Box::new(Remedy::DeleteApplication(named())) },
        Remedy::ReplaceRouteFile { path: text(), host: text(), content: text() },
        Remedy::CheckProxy { host: text() },
        Remedy::AlreadyGone,
        Remedy::AwaitPlatform { problem: PlatformProblem::Wedged },
        Remedy::AwaitAnswer { failure: CallFailure::Unreachable },
        Remedy::AwaitDocker,
        Remedy::AwaitJob,
        Remedy::AwaitContainer { container: text() },
        Remedy::AwaitCleanUp { marker: None },
        Remedy::Sentence(text()),
    ]
}

fn line(remedy: Option<Remedy>) -> Line {
    let outcome = if remedy.is_some() { Outcome::Left } else { Outcome::VerifiedGone };
    let (resource, name) = (ResourceKind::Service, String::from("stack-alice"));
    Line { resource, id: None, name, outcome, at: at(), remedy }
}

#[test]
fn every_resource_and_every_outcome_of_a_line_is_read() {
    // What serde knows, according to its own error.
    let known = |error: serde_json::Error| -> Vec<String> {
        error.to_string().split('`').skip(3).step_by(2).map(str::to_owned).collect()
    };
    let resources = known(serde_json::from_value::<ResourceKind>(json!("?")).unwrap_err());
    let outcomes = known(serde_json::from_value::<Outcome>(json!("?")).unwrap_err());
    assert!(resources.len() >= 5 && outcomes.len() >= 5, "{resources:?} {outcomes:?}");
    for resource in &resources {
        for outcome in &outcomes {
            let mut json = serde_json::to_value(line(None)).unwrap();
            json["resource"] = json!(resource);
            json["outcome"] = json!(outcome);
            let expected = serde_json::from_value::<Line>(json.clone()).unwrap();
            assert_eq!(Line::from_json(&json), Some(expected), "{json}");
        }
    }
}

#[test]
fn a_remedy_that_is_read_as_its_sentence_says_the_same_and_is_of_the_same_kind() {
    let unknown = serde_json::from_value::<Remedy>(json!({"code": "?"})).unwrap_err();
    let codes: BTreeSet<_> =
        unknown.to_string().split('`').skip(3).step_by(2).map(str::to_owned).collect();
    let mut covered = BTreeSet::new();
    for remedy in remedies() {
        let json = serde_json::to_value(line(Some(remedy.clone()))).unwrap();
        covered.extend(json["code"].as_str().map(ToOwned::to_owned));
        let read = Line::from_json(&json).unwrap().remedy.unwrap();
        assert_eq!(read.kind(), remedy.kind(), "{json}");
        assert_eq!(words::remedy::sentence(&read), words::remedy::sentence(&remedy));
    }
    assert_eq!(covered, codes);
}

fn failure(code: FailureCode, reason: Option<MessageCode>) -> Failure {
    Failure {
        phase: Phase::DEPLOYING,
        message: String::from("It did not start"),
        code,
        reason,
        receipt: Receipt::of(vec![line(None), line(Some(Remedy::Sentence(String::from("Wait"))))]),
        reference: String::from("7F3A-22C1"),
    }
}

fn events() -> Vec<Event> {
    let resources = Resources { project_id: Some(String::from("p1")), ..Resources::default() };
    let update = |phase| ProgressUpdate::new(&DEPLOY, phase, 0, resources.clone(), at());
    let entry = |attempt, level| LogEntry {
        timestamp: at(),
        level,
        phase: Phase::DEPLOYING,
        action: String::from("application.deploy"),
        message: String::from("Tried again"),
        duration_ms: 12,
        attempt,
    };
    let mut bodies: Vec<_> =
        DEPLOY.listed().map(|phase| EventBody::Progress(update(phase))).collect();
    let said = |code| EventBody::Progress(update(Phase::DEPLOYING).with_message(code));
    bodies.extend(messages().into_iter().map(said));
    bodies.extend([
        EventBody::Log(entry(Some(2), Level::Warn)),
        EventBody::Log(entry(None, Level::Info)),
        EventBody::Log(entry(None, Level::Error)),
    ]);
    (1..).zip(bodies).map(|(seq, body)| Event { seq, body }).collect()
}

fn ends() -> Vec<EventBody> {
    let duration = 3.25;
    let (url, resources) = (String::from("https://alice.example.com"), Resources::default());
    let removal = RemovalCompletion { status: Gone::Removed, receipt: Receipt::of(Vec::new()) };
    let failures = FailureCode::all().flat_map(|code| {
        [None, Some(MessageCode::Cancelled)].map(|reason| EventBody::Error(failure(code, reason)))
    });
    let mut ends = vec![
        EventBody::Complete(Completion { url, status: Ready::Ready, resources, duration }),
        EventBody::Removed(removal),
    ];
    ends.extend(failures);
    ends
}

#[test]
fn every_event_and_every_state_is_read_as_it_was_written() {
    for end in ends() {
        let mut progress = Progress::default();
        let (mut events, last) = (events(), events().len() as u64 + 1);
        events.push(Event { seq: last, body: end });
        for event in events {
            let data: Value = serde_json::from_str(&event.data()).unwrap();
            let read = Event::read(event.seq, event.name(), &data);
            assert_eq!(read.as_ref(), Some(&event), "{data}");
            assert_eq!(Event::decode(event.seq, event.name(), &event.data()).unwrap(), event);
            progress.apply(event);
            reads_back(&progress);
        }
    }
    assert_eq!(Event::read(1, "ping", &json!({})), None);
    assert_eq!(Event::read(1, "log", &json!({})), None);
}

#[test]
fn codes_of_newer_versions_are_read_as_by_serde() {
    let code: FailureCode = FromJson::from_json(&json!("SOMETHING_NEW")).unwrap();
    assert_eq!(code, FailureCode::DeploymentFailed);
    let failure = failure(FailureCode::CrashLoop, None);
    let mut json = serde_json::to_value(&failure).unwrap();
    json["args"] = json!({"code": "SOMETHING_NEW"});
    assert_eq!(Failure::from_json(&json), Some(failure));
}

#[test]
fn the_parts_of_an_operation_are_read_as_they_were_written() {
    let (id, other) = (DeploymentId::from_random(1), DeploymentId::from_random(2));
    let links = Links { retry_of: Some(other.clone()), retried_by: Some(other), removes: None };
    reads_back(&DeploymentMetadata {
        completed: Some(at()),
        receipt: Some(Receipt::of(vec![line(None)])),
        links,
    });
    reads_back(&DeploymentMetadata::default());
    reads_back(&Deployment {
        kind: DEPLOY.name,
        id,
        name: StackName::parse("alice").unwrap(),
        url: String::from("https://alice.example.com"),
        started: at(),
    });
}
