//! The calls that configure an application.
//!
//! `application.update` accepts any column, drops unknown ones and ignores a new appName. An
//! unknown id is a 400 here, and in no other call (recordings 53 to 58, 224, 225).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::applications::{self, SOURCES};
use super::core::Core;
use super::input::{Input, type_name};
use super::refusal::{Code, Outcome, Refusal};
use super::request::Body;
use super::state::ApplicationStatus;

const STATUSES: [&str; 4] = ["idle", "running", "done", "error"];

/// The keys of the strict objects among the columns.
const STRICT_OBJECTS: [(&str, &[&str]); 5] = [
    ("healthCheckSwarm", &["Test", "Interval", "Timeout", "StartPeriod", "Retries"]),
    ("placementSwarm", &["Constraints", "Preferences", "MaxReplicas", "Platforms"]),
    ("restartPolicySwarm", &["Condition", "Delay", "MaxAttempts", "Window"]),
    ("updateConfigSwarm", UPDATE_CONFIG),
    ("rollbackConfigSwarm", UPDATE_CONFIG),
];

const UPDATE_CONFIG: &[&str] =
    &["Parallelism", "Delay", "FailureAction", "Monitor", "MaxFailureRatio", "Order"];

/// `application.saveDockerProvider`: every field is required, and may be null (recordings 45 to
/// 48).
pub(super) fn save_docker_provider(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let mut columns = required(input, &["dockerImage", "username", "password", "registryUrl"]);
    columns.insert("sourceType".to_owned(), json!("docker"));
    save(core, input, columns)
}

/// `application.saveEnvironment`: every field is required, and all are replaced (recordings 49 to
/// 52).
pub(super) fn save_environment(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let columns = required(input, &["env", "buildArgs", "buildSecrets", "createEnvFile"]);
    save(core, input, columns)
}

fn required(input: &mut Input, names: &[&str]) -> Map<String, Value> {
    names.iter().map(|name| ((*name).to_owned(), input.nonoptional(name))).collect()
}

fn save(core: &mut Core, input: &mut Input, columns: Map<String, Value>) -> Outcome {
    let application = applications::find(core, input)?;
    if let Some(row) = core.state.application_mut(&application.id) {
        row.status = ApplicationStatus::Idle;
        row.columns.extend(columns);
    }
    Ok(Body::Json(json!(true)))
}

/// `application.update`: any columns in one call.
pub(super) fn update(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let id = input.string("applicationId");
    let columns = known_columns(input);
    let status = input.choice("applicationStatus", &STATUSES, "");
    input.choice("sourceType", &SOURCES, "");
    input.check()?;
    if columns.is_empty() && status.is_empty() {
        return Err(Refusal::new(Code::InternalServerError, input.call(), "No values to set"));
    }
    let Some(row) = core.state.application_mut(&id) else {
        return Err(Refusal::new(Code::BadRequest, input.call(), "Error updating application"));
    };
    row.columns.extend(columns);
    row.status = serde_json::from_value(status.into()).unwrap_or(row.status);
    Ok(Body::Json(json!(true)))
}

fn known_columns(input: &mut Input) -> Map<String, Value> {
    let template = applications::fresh_columns();
    let known = |(name, _): &(String, Value)| template.contains_key(name);
    let given: Map<_, _> = input.fields().clone().into_iter().filter(known).collect();
    for (name, value) in &given {
        check_type(input, name, template.get(name), value);
        check_keys(input, name, value);
    }
    given
}

/// Checks a column's type against that of a new row: numbers and booleans must remain so, the
/// swarm's columns are objects, and all others are strings.
fn check_type(input: &mut Input, name: &str, fresh: Option<&Value>, value: &Value) {
    let expected = match fresh {
        Some(Value::Number(_)) => "number",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Array(_)) => "array",
        _ if matches!(name, "enabled" | "isStaticSpa") => "boolean",
        _ if matches!(name, "stopGracePeriodSwarm") => "number",
        _ if matches!(name, "args" | "watchPaths" | "previewLabels") => "array",
        _ if matches!(name, "networkSwarm" | "ulimitsSwarm") => "array",
        _ if name.ends_with("Swarm") => "object",
        _ => "string",
    };
    let found = type_name(Some(value));
    if found != expected && found != "null" {
        input.wrong_type(name, expected, found);
    }
}

fn check_keys(input: &mut Input, name: &str, value: &Value) {
    let Some((_, allowed)) = STRICT_OBJECTS.iter().find(|(column, _)| *column == name) else {
        return;
    };
    let keys = value.as_object().into_iter().flat_map(Map::keys);
    let unknown: Vec<_> = keys.filter(|key| !allowed.contains(&key.as_str())).cloned().collect();
    if let Some(first) = unknown.first() {
        let message = format!("Unrecognized key: \"{first}\"");
        input.issue(name, &message, json!({ "code": "unrecognized_keys", "keys": unknown }));
    }
}
