//! The calls on projects and their environments.
//!
//! Names are not unique, and removing a project removes rows only (recordings 22, 138).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::core::Core;
use super::ids;
use super::input::Input;
use super::refusal::{Outcome, Refusal};
use super::request::Body;
use super::rows::{self, merged, with_no_databases};
use super::state::{Application, Environment, Project, State};

/// `project.create`: a project and its default environment.
pub(super) fn create(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let name = input.filled("name");
    let description = input.optional("description");
    let env = input.optional("env").unwrap_or_default();
    input.check()?;
    let id = ids::row_id(&mut core.rng);
    let project = Project { id: id.clone(), name, description, env, created_at: now };
    let environment =
        Environment { id: ids::row_id(&mut core.rng), project_id: id, created_at: now };
    let answer = json!({
        "project": rows::project(&core.state, &project),
        "environment": rows::environment(&environment),
    });
    core.state.projects.push(project);
    core.state.environments.push(environment);
    Ok(Body::Json(answer))
}

/// `project.all`: newest first.
pub(super) fn all(core: &Core, _: Timestamp) -> Body {
    let state = &core.state;
    let with_environments = |project: &Project| {
        let brief = |environment: &Environment| {
            let applications = applications(state, environment, rows::application_brief);
            with_no_databases(json!({
                "name": "production",
                "environmentId": environment.id,
                "isDefault": true,
                "applications": applications,
            }))
        };
        let environments: Vec<_> = state.environments_of(&project.id).map(brief).collect();
        let more = json!({ "environments": environments, "projectTags": [] });
        merged(rows::project(state, project), more)
    };
    Body::Json(state.projects.iter().rev().map(with_environments).collect())
}

/// `project.one`: with its environments and their applications.
pub(super) fn one(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let id = input.required("projectId")?;
    let state = &core.state;
    let project = state.project(&id).ok_or_else(|| Refusal::not_found(input.call(), "Project"))?;
    let whole = |environment: &Environment| {
        let applications = applications(state, environment, rows::application_with_app_name);
        let row = merged(rows::environment(environment), json!({ "applications": applications }));
        with_no_databases(row)
    };
    let environments: Vec<_> = state.environments_of(&id).map(whole).collect();
    let more = json!({ "environments": environments, "projectTags": [] });
    Ok(Body::Json(merged(rows::project(state, project), more)))
}

/// `project.search`: matches names and descriptions with the database's ILIKE; wildcards in the
/// text are not escaped (recording 226).
pub(super) fn search(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let name = input.optional("name");
    let anywhere = input.optional("q");
    let limit = usize::try_from(input.number("limit", 20)).unwrap_or(20).min(100);
    let offset = usize::try_from(input.number("offset", 0)).unwrap_or(0);
    input.check()?;
    let matches = |project: &&Project| {
        let description = project.description.as_deref().unwrap_or_default();
        name.as_ref().is_none_or(|name| contains(&project.name, name))
            && anywhere
                .as_ref()
                .is_none_or(|text| contains(&project.name, text) || contains(description, text))
    };
    let found: Vec<_> = core.state.projects.iter().rev().filter(matches).collect();
    let page = found.iter().skip(offset).take(limit);
    let items: Vec<_> = page.map(|project| rows::project(&core.state, project)).collect();
    Ok(Body::Json(json!({ "items": items, "total": found.len() })))
}

/// `project.remove`: removes rows only; services and routes of live applications remain.
pub(super) fn remove(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let id = input.required("projectId")?;
    let state = &mut core.state;
    let project = state.project(&id).ok_or_else(|| Refusal::not_found(input.call(), "Project"))?;
    let answer = rows::project(state, project);
    let environments: Vec<_> = state.environments_of(&id).map(|one| one.id.clone()).collect();
    let inside = |one: &&Application| environments.contains(&one.environment_id);
    let orphans: Vec<_> =
        state.applications.iter().filter(inside).map(|one| one.id.clone()).collect();
    for application in orphans {
        state.remove_application_rows(&application);
    }
    state.environments.retain(|environment| environment.project_id != id);
    state.projects.retain(|project| project.id != id);
    Ok(Body::Json(answer))
}

/// `environment.byProjectId`: an empty list for an unknown project (recording 30).
pub(super) fn environments(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let id = input.required("projectId")?;
    let state = &core.state;
    let whole = |environment: &Environment| {
        let applications = applications(state, environment, rows::application_with_app_name);
        with_no_databases(json!({
            "name": "production",
            "description": "Production environment",
            "environmentId": environment.id,
            "isDefault": true,
            "applications": applications,
            "project": state.project(&id).map(|project| rows::project(state, project)),
        }))
    };
    Ok(Body::Json(state.environments_of(&id).map(whole).collect()))
}

/// `environment.one`: its applications have no appName (recording 40).
pub(super) fn environment(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let id = input.required("environmentId")?;
    let state = &core.state;
    let environment =
        state.environment(&id).ok_or_else(|| Refusal::not_found(input.call(), "Environment"))?;
    let owner = state.project(&environment.project_id);
    Ok(Body::Json(with_no_databases(json!({
        "name": "production",
        "description": "Production environment",
        "environmentId": id,
        "isDefault": true,
        "projectId": environment.project_id,
        "env": "",
        "applications": applications(state, environment, rows::application_without_app_name),
        "project": owner.map(|project| rows::project(state, project)),
    }))))
}

fn applications(
    state: &State,
    environment: &Environment,
    row: fn(&Application) -> Value,
) -> Vec<Value> {
    let inside = state.applications.iter().filter(|one| one.environment_id == environment.id);
    inside.map(row).collect()
}

/// Returns whether `text ILIKE '%pattern%'`.
fn contains(text: &str, pattern: &str) -> bool {
    let pattern: Vec<_> = format!("%{pattern}%").to_lowercase().chars().collect();
    let text: Vec<_> = text.to_lowercase().chars().collect();
    is_like(&text, &pattern)
}

fn is_like(text: &[char], pattern: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, rest) => rest.is_none(),
        (Some(('%', rest)), None) => is_like(text, rest),
        (Some(('%', rest)), Some((_, tail))) => is_like(text, rest) || is_like(tail, pattern),
        (Some(('_', rest)), Some((_, tail))) => is_like(tail, rest),
        (Some((wanted, rest)), Some((found, tail))) => wanted == found && is_like(tail, rest),
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_knows_the_wildcards_of_the_database() {
        for (text, pattern, expected) in [
            ("one_call", "one%call", true),
            ("one_call", "ONE", true),
            ("one_call", "one_ca", true),
            ("oneXcall", "one_call", true),
            ("one", "one_", false),
            ("demo", "", true),
        ] {
            assert_eq!(contains(text, pattern), expected, "{text} ILIKE %{pattern}%");
        }
    }
}
