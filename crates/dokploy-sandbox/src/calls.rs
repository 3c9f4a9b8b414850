//! The dispatch of calls: applies the transport's rules, then finds the handler in a table.
//!
//! The table has the subset of Dokploy's calls that the sandbox supports. It must not know what a
//! handler does.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    applications, configuration, containers,
    core::{BODY_LIMIT, Core},
    deployments, docker, domains,
    input::Input,
    inspect, overview, projects,
    refusal::{Code, Outcome, Refusal},
    request::{Answer, Body, Request},
    swarm, traefik,
};

/// The handler of a call.
#[derive(Clone, Copy)]
enum Call {
    /// A query without input, which cannot fail.
    Show(fn(&Core, Timestamp) -> Body),
    /// A call that reads its input, may change the core, and may refuse.
    Handle(fn(&mut Core, Timestamp, &mut Input) -> Outcome),
}

/// Answers a request that has the right API key.
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
        Some(Call::Show(show)) => Answer::new(200, show(core, now)),
        Some(Call::Handle(act)) => act(core, now, &mut input).into(),
        None => Refusal::no_such_path().into_answer(),
    }
}

impl Core {
    /// Answers the two calls that need no key: `/api/health`, which checks nothing, and
    /// `settings.health`, which queries the database (recordings 01, 02, 227, 228). Returns `None`
    /// for all other calls.
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
        "settings.getDokployVersion" => Call::Show(|_, _| Body::Json(json!("v0.30.2"))),
        "settings.health" => Call::Show(|_, _| Body::Json(json!({ "status": "ok" }))),
        "project.all" => Call::Show(projects::all),
        "project.one" => Call::Handle(projects::one),
        "project.search" => Call::Handle(projects::search),
        "environment.byProjectId" => Call::Handle(projects::environments),
        "environment.one" => Call::Handle(projects::environment),
        "application.one" => Call::Handle(applications::one),
        "domain.one" => Call::Handle(domains::one),
        "domain.byApplicationId" => Call::Handle(domains::of_application),
        "overview.domains" => Call::Show(overview::domains),
        "overview.services" => Call::Show(overview::services),
        "deployment.all" => Call::Handle(deployments::all),
        "deployment.readLogs" => Call::Handle(deployments::read_logs),
        "deployment.queueList" => Call::Show(deployments::queue),
        "docker.getServiceContainersByAppName" => Call::Handle(docker::service_containers),
        "settings.readTraefikFile" => Call::Handle(traefik::read),
        "docker.getContainersByAppLabel" => Call::Handle(containers::by_app_label),
        "docker.getContainersByAppNameMatch" => Call::Handle(containers::by_app_name_match),
        "docker.getConfig" => Call::Handle(inspect::config),
        "swarm.getNodes" => Call::Show(docker::nodes),
        "swarm.getNodeApps" => Call::Show(docker::node_apps),
        _ => return None,
    })
}

fn find_mutation(call: &str) -> Option<Call> {
    Some(match call {
        "project.create" => Call::Handle(projects::create),
        "project.remove" => Call::Handle(projects::remove),
        "application.create" => Call::Handle(applications::create),
        "application.delete" => Call::Handle(applications::delete),
        "application.move" => Call::Handle(applications::move_to),
        "application.stop" => Call::Handle(swarm::stop),
        "application.start" => Call::Handle(swarm::start),
        "application.reload" => Call::Handle(swarm::reload),
        "application.update" => Call::Handle(configuration::update),
        "application.saveDockerProvider" => Call::Handle(configuration::save_docker_provider),
        "application.saveEnvironment" => Call::Handle(configuration::save_environment),
        "application.deploy" => Call::Handle(deployments::deploy),
        "application.redeploy" => Call::Handle(deployments::redeploy),
        "application.cleanQueues" => Call::Handle(deployments::clean_queues),
        "settings.updateTraefikFile" => Call::Handle(traefik::update),
        "domain.create" => Call::Handle(domains::create),
        "domain.delete" => Call::Handle(domains::delete),
        _ => return None,
    })
}

/// Parses a JSON body. Checks its size and its content type first (recordings 97, 98).
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
