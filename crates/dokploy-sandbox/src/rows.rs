//! The JSON formats of the platform's rows, from the recordings.
//!
//! It changes nothing; each call chooses the format of its answer.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::state::{Application, Deployment, Domain, Environment, Mount, Project, State};

/// Formats a time as the platform does: always with three digits of milliseconds.
pub(crate) fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Returns a project (recording 21).
pub(crate) fn project(state: &State, project: &Project) -> Value {
    json!({
        "projectId": project.id,
        "name": project.name,
        "description": project.description,
        "createdAt": time(project.created_at),
        "organizationId": state.organization_id,
        "env": project.env,
    })
}

/// Returns an environment (recording 21).
pub(crate) fn environment(environment: &Environment) -> Value {
    json!({
        "environmentId": environment.id,
        "name": "production",
        "description": "Production environment",
        "createdAt": time(environment.created_at),
        "env": "",
        "projectId": environment.project_id,
        "isDefault": true,
    })
}

/// Returns an application as `project.one` and `environment.byProjectId` list it (recordings 239,
/// 240).
pub(crate) fn application_with_app_name(application: &Application) -> Value {
    let app_name = json!({ "appName": application.app_name });
    merged(application_without_app_name(application), app_name)
}

/// Returns an application as `environment.one` lists it: without its appName (recording 40).
pub(crate) fn application_without_app_name(application: &Application) -> Value {
    json!({
        "name": application.text("name"),
        "description": application.columns.get("description"),
        "createdAt": time(application.created_at),
        "serverId": null,
        "applicationStatus": application.status,
        "applicationId": application.id,
        "icon": null,
        "server": null,
    })
}

/// Returns an application as `project.all` lists it (recording 241).
pub(crate) fn application_brief(application: &Application) -> Value {
    json!({
        "applicationId": application.id,
        "name": application.text("name"),
        "applicationStatus": application.status,
    })
}

/// Returns an application's row (recording 33).
pub(crate) fn application(application: &Application) -> Value {
    let own = json!({
        "applicationId": application.id,
        "appName": application.app_name,
        "applicationStatus": application.status,
        "createdAt": time(application.created_at),
        "environmentId": application.environment_id,
    });
    merged(Value::Object(application.columns.clone()), own)
}

/// Returns an application's row with all related rows (recording 217).
pub(crate) fn application_with_relations(state: &State, one: &Application) -> Value {
    let domains: Vec<_> = state.domains_of(&one.id).map(domain).collect();
    let deployments: Vec<_> = state.deployments_of(&one.id).map(deployment).collect();
    let mounts: Vec<_> = state.mounts_of(&one.id).map(mount).collect();
    let relations = json!({
        "environment": environment_with_project(state, &one.environment_id),
        "domains": domains,
        "deployments": deployments,
        "mounts": mounts, "redirects": [], "security": [], "ports": [], "previewDeployments": [],
        "gitlab": null, "github": null, "bitbucket": null, "gitea": null, "server": null,
        "registry": null, "buildRegistry": null, "rollbackRegistry": null,
    });
    merged(application(one), relations)
}

fn environment_with_project(state: &State, id: &str) -> Value {
    let Some(found) = state.environment(id) else { return Value::Null };
    let owner = state.project(&found.project_id).map(|owner| project(state, owner));
    merged(environment(found), json!({ "project": owner }))
}

/// Returns a mount (recording day-two 395).
pub(crate) fn mount(mount: &Mount) -> Value {
    json!({
        "mountId": mount.id,
        "type": mount.kind,
        "hostPath": mount.host_path,
        "volumeName": mount.volume_name,
        "filePath": mount.file_path,
        "content": mount.content,
        "serviceType": "application",
        "mountPath": mount.path,
        "applicationId": mount.application_id,
        "composeId": null,
        "libsqlId": null,
        "mariadbId": null,
        "mongoId": null,
        "mysqlId": null,
        "postgresId": null,
        "redisId": null,
    })
}

/// Returns a domain (recording 64).
pub(crate) fn domain(domain: &Domain) -> Value {
    json!({
        "domainId": domain.id,
        "host": domain.host,
        "https": domain.https,
        "port": domain.port,
        "customEntrypoint": null,
        "path": domain.path,
        "serviceName": null,
        "domainType": domain.kind,
        "uniqueConfigKey": domain.config_key,
        "createdAt": time(domain.created_at),
        "composeId": null,
        "customCertResolver": null,
        "applicationId": domain.application_id,
        "previewDeploymentId": null,
        "certificateType": domain.certificate_type,
        "internalPath": "/",
        "stripPath": false,
        "middlewares": domain.middlewares,
        "forwardAuthEnabled": false,
        "enabled": true,
    })
}

/// Returns a domain with its application (recordings 67, 69).
pub(crate) fn domain_with_application(state: &State, one: &Domain) -> Value {
    let owner = one.application_id.as_deref().and_then(|id| state.application(id)).map(|owner| {
        json!({
            "applicationId": owner.id,
            "appName": owner.app_name,
            "name": owner.text("name"),
        })
    });
    merged(domain(one), json!({ "application": owner }))
}

/// Returns a deployment (recording 76).
pub(crate) fn deployment(deployment: &Deployment) -> Value {
    json!({
        "deploymentId": deployment.id,
        "title": deployment.title,
        "description": deployment.description,
        "status": deployment.status,
        "logPath": deployment.log_path,
        "pid": null,
        "applicationId": deployment.application_id,
        "composeId": null,
        "serverId": null,
        "isPreviewDeployment": false,
        "previewDeploymentId": null,
        "createdAt": time(deployment.created_at),
        "startedAt": time(deployment.created_at),
        "finishedAt": deployment.finished_at.map(time),
        "errorMessage": null,
        "scheduleId": null,
        "backupId": null,
        "rollbackId": null,
        "volumeBackupId": null,
        "buildServerId": null,
    })
}

/// Adds to `row` the empty lists of databases and compose files, which the sandbox does not
/// support.
pub(crate) fn with_no_databases(row: Value) -> Value {
    let none = json!({
        "mariadb": [], "mongo": [], "mysql": [], "postgres": [], "redis": [],
        "compose": [], "libsql": [],
    });
    merged(row, none)
}

/// Merges the fields of two objects; those of `second` take precedence.
pub(crate) fn merged(first: Value, second: Value) -> Value {
    let (mut fields, more) = (into_fields(first), into_fields(second));
    fields.extend(more);
    Value::Object(fields)
}

/// Returns the fields of an object. Another value has none.
pub(crate) fn into_fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
