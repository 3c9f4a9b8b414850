//! The two calls that list everything.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::core::Core;
use super::request::Body;
use super::rows::{merged, time};
use super::state::{Application, Domain, State};

/// `overview.domains`: all hosts. A domain without an application is not listed (recording 237).
pub(super) fn domains(core: &Core, _: Timestamp) -> Body {
    let state = &core.state;
    let row = |domain: &Domain| {
        let owner = state.application(domain.application_id.as_deref()?)?;
        let own = json!({
            "domainId": domain.id,
            "host": domain.host,
            "path": domain.path,
            "port": domain.port,
            "customEntrypoint": null,
            "https": domain.https,
            "certificateType": domain.certificate_type,
            "createdAt": time(domain.created_at),
            "enabled": true,
            "domainType": domain.kind,
            "serviceOwnerId": owner.id,
            "serviceOwnerType": "application",
            "serviceName": owner.text("name"),
        });
        Some(merged(own, place(state, owner)?))
    };
    Body::Json(state.domains.iter().filter_map(row).collect())
}

/// `overview.services`: all applications, with their environments and projects (recording 214).
pub(super) fn services(core: &Core, _: Timestamp) -> Body {
    let state = &core.state;
    let row = |application: &Application| {
        let last = state.deployments_of(&application.id).next_back();
        let own = json!({
            "id": application.id,
            "name": application.text("name"),
            "appName": application.app_name,
            "status": application.status,
            "createdAt": time(application.created_at),
            "serverId": null,
            "serverName": null,
            "icon": null,
            "type": "application",
            "lastDeployAt": last.map(|deployment| time(deployment.created_at)),
        });
        Some(merged(own, place(state, application)?))
    };
    Body::Json(state.applications.iter().filter_map(row).collect())
}

fn place(state: &State, application: &Application) -> Option<Value> {
    let environment = state.environment(&application.environment_id)?;
    let project = state.project(&environment.project_id)?;
    Some(json!({
        "projectId": project.id,
        "projectName": project.name,
        "environmentId": environment.id,
        "environmentName": "production",
    }))
}
