//! Which call does what: transport rules first, then the table of the subset.
//!
//! It must not know what a call does.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    applications, configuration,
    core::{BODY_LIMIT, Core},
    deployments, docker, domains,
    input::Input,
    overview, projects,
    refusal::{Code, Refusal, unauthorized},
    request::{Answer, Body, Request},
};

/// What a call does: it changes the core and answers, or says why not.
pub(super) type Call = fn(&mut Core, Timestamp, &mut Input) -> Result<Body, Refusal>;

/// Answers a request that carries the right key.
pub(super) fn dispatch(core: &mut Core, now: Timestamp, request: &Request) -> Answer {
    let name = request.call();
    let mut input = match request.method.as_str() {
        "GET" => Input::from_query(name, request.query()),
        "POST" => match read_body(request) {
            Ok(body) => Input::from_body(name, body),
            Err(answer) => return answer,
        },
        _ => return Refusal::no_such_path().into_answer(),
    };
    match find(&request.method, request.path()) {
        Some(call) => call(core, now, &mut input).into(),
        None => Refusal::no_such_path().into_answer(),
    }
}

impl Core {
    /// Answers the two calls that need no key: the one that checks nothing, and the one that
    /// asks the database (recordings 01, 02, 227, 228).
    pub(super) fn answer_to_anybody(&self, now: Timestamp, request: &Request) -> Option<Answer> {
        match (request.method.as_str(), request.path()) {
            ("GET", "/api/health") => Some(Answer::json(json!({ "ok": true }))),
            ("GET", "/api/trpc/settings.health") if self.outages.database_is_down(now) => {
                let body = json!({ "error": { "json": {
                    "message": "Failed query: SELECT 1\nparams: ",
                    "code": -32603,
                    "data": {
                        "code": "INTERNAL_SERVER_ERROR",
                        "httpStatus": 500,
                        "path": "settings.health",
                        "zodError": null,
                    },
                } } });
                Some(Answer::new(500, Body::Json(body)))
            }
            ("GET", "/api/trpc/settings.health") => {
                let body = json!({ "result": { "data": { "json": { "status": "ok" } } } });
                Some(Answer::json(body))
            }
            _ if self.outages.database_is_down(now) => Some(unauthorized()),
            _ => None,
        }
    }
}

fn find(method: &str, path: &str) -> Option<Call> {
    let call = path.strip_prefix("/api/")?;
    match method {
        "GET" => find_query(call),
        _ => find_mutation(call),
    }
}

fn find_query(call: &str) -> Option<Call> {
    Some(match call {
        "settings.getDokployVersion" => |_, _, _| Ok(Body::Json(json!("v0.30.2"))),
        "settings.health" => |_, _, _| Ok(Body::Json(json!({ "status": "ok" }))),
        "project.all" => projects::all,
        "project.one" => projects::one,
        "project.search" => projects::search,
        "environment.byProjectId" => projects::environments,
        "environment.one" => projects::environment,
        "application.one" => applications::one,
        "domain.one" => domains::one,
        "domain.byApplicationId" => domains::of_application,
        "overview.domains" => overview::domains,
        "overview.services" => overview::services,
        "deployment.all" => deployments::all,
        "deployment.readLogs" => deployments::read_logs,
        "deployment.queueList" => deployments::queue,
        "docker.getServiceContainersByAppName" => docker::service_containers,
        "swarm.getNodes" => docker::nodes,
        "swarm.getNodeApps" => docker::node_apps,
        _ => return None,
    })
}

fn find_mutation(call: &str) -> Option<Call> {
    Some(match call {
        "project.create" => projects::create,
        "project.remove" => projects::remove,
        "application.create" => applications::create,
        "application.delete" => applications::delete,
        "application.stop" => applications::stop,
        "application.update" => configuration::update,
        "application.saveDockerProvider" => configuration::save_docker_provider,
        "application.saveEnvironment" => configuration::save_environment,
        "application.deploy" => deployments::deploy,
        "application.redeploy" => deployments::redeploy,
        "application.cleanQueues" => deployments::clean_queues,
        "domain.create" => domains::create,
        "domain.delete" => domains::delete,
        _ => return None,
    })
}

/// Reads a body under the transport's rules (recordings 97, 98).
fn read_body(request: &Request) -> Result<Value, Answer> {
    if request.body.len() > BODY_LIMIT {
        return Err(Answer::too_large());
    }
    let content_type = request.content_type.as_deref().unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence != "application/json" {
        let message = match essence {
            "" => "Missing content-type header".to_owned(),
            other => format!("Unsupported content-type \"{other}"),
        };
        let refusal = Refusal::new(Code::UnsupportedMediaType, request.call(), message);
        return Err(refusal.into_answer());
    }
    serde_json::from_slice(&request.body).map_err(|_| Answer::new(400, Body::Text("Invalid JSON")))
}
