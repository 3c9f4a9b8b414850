//! The calls that create, show, move and delete applications.
//!
//! Deleting one removes its rows, its routes and its service if that exists. It neither cancels a
//! job nor reports errors of Docker (recordings 132, 178).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::core::Core;
use super::ids;
use super::input::Input;
use super::refusal::{Outcome, Refusal};
use super::request::Body;
use super::rows::{self, merged};
use super::state::{Application, ApplicationStatus};

/// The columns of a new application (recording 33), without those that differ for each.
const COLUMNS: &str = include_str!("application_columns.json");

/// The sources of an application.
pub(super) const SOURCES: [&str; 7] =
    ["git", "docker", "github", "gitlab", "bitbucket", "gitea", "drop"];

/// Returns the columns of a new application.
pub(super) fn fresh_columns() -> Map<String, Value> {
    serde_json::from_str(COLUMNS).unwrap_or_default()
}

/// `application.create`: always creates one, even if the name exists already (recording 34).
pub(super) fn create(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let name = input.filled("name");
    let environment_id = input.string("environmentId");
    let wanted = app_name(input);
    let description = input.optional("description");
    let source = input.choice("sourceType", &SOURCES, "github");
    input.check()?;
    if core.state.environment(&environment_id).is_none() {
        return Err(Refusal::not_found(input.call(), "Environment"));
    }
    let mut columns = fresh_columns();
    for (column, value) in [
        ("name", json!(name)),
        ("description", json!(description)),
        ("sourceType", json!(source)),
        ("refreshToken", json!(ids::row_id(&mut core.rng))),
    ] {
        columns.insert(column.to_owned(), value);
    }
    let application = Application {
        id: ids::row_id(&mut core.rng),
        app_name: ids::app_name(&mut core.rng, wanted.as_deref()),
        environment_id,
        status: ApplicationStatus::Idle,
        created_at: now,
        columns,
    };
    let answer = rows::application(&application);
    core.state.applications.push(application);
    Ok(Body::Json(answer))
}

fn app_name(input: &mut Input) -> Option<String> {
    let wanted = input.optional("appName")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !wanted.chars().all(allowed) {
        let message = "App name can only contain letters, numbers, dots, underscores and hyphens";
        let details = json!({
            "origin": "string", "code": "invalid_format", "format": "regex",
            "pattern": "/^[a-zA-Z0-9._-]+$/",
        });
        input.issue("appName", message, details);
    } else if wanted.len() > 63 {
        let message = "Too big: expected string to have <=63 characters";
        let details =
            json!({ "origin": "string", "code": "too_big", "maximum": 63, "inclusive": true });
        input.issue("appName", message, details);
    }
    Some(wanted)
}

/// `application.one`: the whole row, including secrets.
pub(super) fn one(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let application = find(core, input)?;
    let providers = json!({ "hasGitProviderAccess": true, "unauthorizedProvider": null });
    let row = rows::application_with_relations(&core.state, &application);
    Ok(Body::Json(merged(row, providers)))
}

/// `application.delete`: answers with the deleted row. Errors of Docker are not reported, and the
/// containers disappear some seconds later.
pub(super) fn delete(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let application = find(core, input)?;
    let answer = rows::application_with_relations(&core.state, &application);
    core.state.remove_application_rows(&application.id);
    core.state.routes.retain(|route| route.app_name != application.app_name);
    core.state.rewrite_file(&application.app_name);
    if !core.outages.docker.lasts(now) {
        core.remove_swarm_service(now, &application.app_name);
    }
    Ok(Body::Json(answer))
}

/// `application.move`: moves it to another environment, with everything that belongs to it.
pub(super) fn move_to(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let target = input.string("targetEnvironmentId");
    let mut application = find(core, input)?;
    if core.state.environment(&target).is_none() {
        return Err(Refusal::not_found(input.call(), "Environment"));
    }
    if let Some(row) = core.state.application_mut(&application.id) {
        row.environment_id.clone_from(&target);
    }
    application.environment_id = target;
    Ok(Body::Json(rows::application(&application)))
}

/// Finds the application that the call names.
///
/// # Errors
///
/// Returns a refusal if the call names no application, or one that does not exist.
pub(super) fn find(core: &Core, input: &mut Input) -> Result<Application, Refusal> {
    let id = input.required("applicationId")?;
    let found = core.state.application(&id).cloned();
    found.ok_or_else(|| Refusal::not_found(input.call(), "Application"))
}
