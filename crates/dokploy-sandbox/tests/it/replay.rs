//! Replays every recording whose call the sandbox supports: the sandbox must answer with the same
//! status, the same JSON structure and, for an error, the same message.

use std::collections::BTreeMap;

use dokploy_sandbox::{Answer, Body, Request};
use serde_json::{Value, json};

use super::world::{KEY, Stack, World};

mod changes;
mod outside;
mod situations;

/// The sandbox's ids for a recording, by the name of the parameter.
type Ids = BTreeMap<&'static str, String>;

/// Puts a world into the state in which the recording was made.
type Situation = fn(&mut World) -> Ids;

#[derive(Debug, serde::Deserialize)]
struct Recording {
    request: RecordedRequest,
    response: RecordedResponse,
}

#[derive(Debug, serde::Deserialize)]
struct RecordedRequest {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: Value,
}

#[derive(Debug, serde::Deserialize)]
struct RecordedResponse {
    status: u16,
    body: Value,
}

fn recordings() -> BTreeMap<u32, (String, Recording)> {
    let read = |(number, (name, text)): (u32, (String, String))| {
        (number, (name, serde_json::from_str(&text).unwrap()))
    };
    test_support::recordings::all().into_iter().map(read).collect()
}

#[test]
fn every_recording_is_replayed_or_listed_with_a_reason() {
    for (number, (name, _)) in recordings() {
        let replayed = situations::ALL.iter().filter(|(numbers, _)| numbers.contains(&number));
        let listed = outside::ALL.iter().filter(|(numbers, _)| numbers.contains(&number));
        assert_eq!(replayed.count() + listed.count(), 1, "{name}");
    }
}

#[test]
fn the_sandbox_answers_as_the_real_platform_did() {
    let mut recordings = recordings();
    for (numbers, situation) in situations::ALL {
        for number in *numbers {
            let (name, recording) = recordings.remove(number).unwrap();
            let mut world = World::new();
            let ids = situation(&mut world);
            let request = recording.request.with(&ids);
            let answer = world.core.handle(world.now, &request);
            compare(&name, &recording.response, &answer);
        }
    }
}

fn compare(name: &str, recorded: &RecordedResponse, answer: &Answer) {
    assert_eq!(answer.status, recorded.status, "{name}: {}", answer.text());
    match (&recorded.body, &answer.body) {
        (Value::String(empty), Body::Empty) => assert_eq!(empty, "", "{name}"),
        (Value::String(text), Body::Text(answered)) => assert_eq!(text, answered, "{name}"),
        (recorded, Body::Json(answered)) => same_shape(name, recorded, answered),
        (recorded, answered) => panic!("{name}: {recorded} is not {answered:?}"),
    }
    // The message of recording 63 contains an id and a time.
    if recorded.status >= 400 && !name.starts_with("63-") {
        let same = without_holders(answer.value()) == without_holders(&recorded.body)
            || matches!(answer.body, Body::Text(_));
        assert!(same, "{name}: {} is not {}", answer.text(), recorded.body);
    }
}

/// Returns an error without the ids of the containers that hold a volume.
fn without_holders(body: &Value) -> Value {
    let mut body = body.clone();
    let message = body["message"].as_str().and_then(|message| message.split_once(" - ["));
    if let Some((message, _)) = message {
        body["message"] = json!(message);
    }
    body
}

/// Compares keys and types; null is compatible with everything.
fn same_shape(at: &str, recorded: &Value, answered: &Value) {
    match (recorded, answered) {
        (Value::Object(recorded), Value::Object(answered)) => {
            let keys: Vec<_> = recorded.keys().collect();
            assert_eq!(answered.keys().collect::<Vec<_>>(), keys, "{at}");
            for (key, value) in recorded {
                same_shape(&format!("{at}.{key}"), value, &answered[key]);
            }
        }
        (Value::Array(recorded), Value::Array(answered)) => {
            assert_eq!(answered.len(), recorded.len(), "{at}: {answered:?}");
            for (index, (recorded, answered)) in recorded.iter().zip(answered).enumerate() {
                same_shape(&format!("{at}[{index}]"), recorded, answered);
            }
        }
        (Value::Null, _)
        | (_, Value::Null)
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => {}
        _ => panic!("{at}: {answered} has another type than {recorded}"),
    }
}

impl RecordedRequest {
    /// Returns the request with the sandbox's ids and key.
    fn with(&self, ids: &Ids) -> Request {
        let key = self.headers.get("x-api-key").map(|key| match key.as_str() {
            "<redacted>" => KEY.to_owned(),
            other => other.to_owned(),
        });
        let content_type = match (&self.body, self.headers.get("content-type")) {
            (_, Some(given)) => Some(given.clone()),
            (Value::String(_), None) => Some("text/plain;charset=UTF-8".to_owned()),
            _ => None,
        };
        let body = match &self.body {
            Value::Null => Vec::new(),
            Value::String(raw) => raw.clone().into_bytes(),
            fields => substituted(fields, ids).to_string().into_bytes(),
        };
        let target = target(&self.url, ids);
        Request { method: self.method.clone(), target, api_key: key, content_type, body }
    }
}

fn substituted(body: &Value, ids: &Ids) -> Value {
    let mut fields = body.as_object().unwrap().clone();
    for (name, value) in &mut fields {
        let known = value.as_str() != Some("nope");
        if let (Some(id), true) = (ids.get(name.as_str()), known && name != "appName") {
            *value = json!(id);
        }
    }
    Value::Object(fields)
}

fn target(url: &str, ids: &Ids) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let parameters = query.split('&').map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap();
        let value = ids.get(name).filter(|_| value != "nope").map_or(value, String::as_str);
        format!("{name}={value}")
    });
    format!("{path}?{}", parameters.collect::<Vec<_>>().join("&"))
}

fn ids(stack: &Stack) -> Ids {
    BTreeMap::from([
        ("projectId", stack.project.clone()),
        ("environmentId", stack.environment.clone()),
        ("applicationId", stack.application.clone()),
        ("appName", stack.app_name.clone()),
    ])
}
