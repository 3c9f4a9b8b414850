//! The calls on domains.
//!
//! Hosts are not unique, the reverse proxy applies them immediately, and a domain may exist without
//! an application (recordings 62 to 66, 236). A host that passes through a middleware which does not
//! exist answers 404 (recording day-two 476).

use jiff::Timestamp;
use serde_json::json;

use super::core::Core;
use super::input::Input;
use super::refusal::{Code, Outcome, Refusal};
use super::request::Body;
use super::state::{Domain, Route};
use super::{ids, rows};

/// `domain.create`: the host answers 502 until the service runs.
pub(super) fn create(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let mut domain = Domain {
        id: ids::row_id(&mut core.rng),
        host: host(input),
        https: input.switch("https", false),
        port: input.number("port", 3000),
        path: input.optional("path").unwrap_or_else(|| "/".to_owned()),
        kind: input.choice("domainType", &["compose", "application", "preview"], "application"),
        certificate_type: input.choice(
            "certificateType",
            &["letsencrypt", "none", "custom"],
            "none",
        ),
        config_key: 0,
        application_id: input.optional("applicationId"),
        created_at: now,
        middlewares: input.strings("middlewares").unwrap_or_default(),
    };
    input.check()?;
    // The database's sequence advances even if the insert fails (recordings 62 to 64).
    core.state.last_config_key += 1;
    domain.config_key = core.state.last_config_key;
    if let Some(id) = &domain.application_id {
        let Some(owner) = core.state.application(id) else {
            return Err(Refusal::new(Code::BadRequest, input.call(), failed_insert(&domain)));
        };
        let app_name = owner.app_name.clone();
        core.state.routes.push(Route {
            host: domain.host.clone(),
            app_name: app_name.clone(),
            domain_id: domain.id.clone(),
            port: Some(domain.port),
            middlewares: domain.middlewares.clone(),
        });
        core.state.rewrite_file(&app_name);
    }
    let answer = rows::domain(&domain);
    core.state.domains.push(domain);
    Ok(Body::Json(answer))
}

/// `domain.update`: what is not given stays as it is (recording day-two 480). The reverse proxy
/// applies it immediately.
pub(super) fn update(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let host = host(input);
    let middlewares = input.strings("middlewares");
    let found = find(core, input)?;
    let https = input.switch("https", found.https);
    let port = input.number("port", found.port);
    input.check()?;
    let domain = Domain {
        host,
        https,
        port,
        middlewares: middlewares.unwrap_or_else(|| found.middlewares.clone()),
        ..found
    };
    for route in core.state.routes.iter_mut().filter(|route| route.domain_id == domain.id) {
        route.host.clone_from(&domain.host);
        route.port = Some(domain.port);
        route.middlewares.clone_from(&domain.middlewares);
    }
    let owner = domain.application_id.as_deref().and_then(|id| core.state.application(id));
    if let Some(app_name) = owner.map(|owner| owner.app_name.clone()) {
        core.state.rewrite_file(&app_name);
    }
    let answer = rows::domain(&domain);
    if let Some(row) = core.state.domains.iter_mut().find(|one| one.id == domain.id) {
        *row = domain;
    }
    Ok(Body::Json(answer))
}

fn host(input: &mut Input) -> String {
    let host = input.string("host");
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if !host.chars().all(allowed) {
        let message = "Invalid domain name. Use only letters, numbers, hyphens and dots (e.g. \
                       example.com). Underscores are not allowed.";
        input.issue("host", message, json!({ "code": "custom" }));
    }
    host
}

/// Returns the message for a failed insert: the platform passes on the database's error with all
/// parameters (recording 63).
fn failed_insert(domain: &Domain) -> String {
    let columns = "\"domainId\", \"host\", \"https\", \"port\", \"customEntrypoint\", \"path\", \
                   \"serviceName\", \"domainType\", \"uniqueConfigKey\", \"createdAt\", \
                   \"composeId\", \"customCertResolver\", \"applicationId\", \
                   \"previewDeploymentId\", \"certificateType\", \"internalPath\", \
                   \"stripPath\", \"middlewares\", \"forwardAuthEnabled\", \"enabled\"";
    let parameters = [
        domain.id.clone(),
        domain.host.clone(),
        domain.https.to_string(),
        domain.port.to_string(),
        domain.path.clone(),
        domain.kind.clone(),
        rows::time(domain.created_at),
        domain.application_id.clone().unwrap_or_default(),
        domain.certificate_type.clone(),
    ];
    format!(
        "Failed query: insert into \"domain\" ({columns}) values ($1, $2, $3, $4, default, $5, \
         default, $6, default, $7, default, default, $8, default, $9, default, default, \
         default, default, default) returning {columns}\nparams: {}",
        parameters.join(",")
    )
}

/// `domain.one`: with its application.
pub(super) fn one(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let domain = find(core, input)?;
    Ok(Body::Json(rows::domain_with_application(&core.state, &domain)))
}

/// `domain.byApplicationId`: an empty list for an unknown application (recording 68).
pub(super) fn of_application(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let id = input.required("applicationId")?;
    let state = &core.state;
    let whole = |domain: &Domain| rows::domain_with_application(state, domain);
    Ok(Body::Json(state.domains_of(&id).map(whole).collect()))
}

/// `domain.delete`: answers with the deleted row.
pub(super) fn delete(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let domain = find(core, input)?;
    core.state.domains.retain(|other| other.id != domain.id);
    core.state.routes.retain(|route| route.domain_id != domain.id);
    let owner = domain.application_id.as_deref().and_then(|id| core.state.application(id));
    if let Some(app_name) = owner.map(|owner| owner.app_name.clone()) {
        core.state.rewrite_file(&app_name);
    }
    Ok(Body::Json(rows::domain(&domain)))
}

fn find(core: &Core, input: &mut Input) -> Result<Domain, Refusal> {
    let id = input.required("domainId")?;
    let found = core.state.domain(&id).cloned();
    found.ok_or_else(|| Refusal::not_found(input.call(), "Domain"))
}
