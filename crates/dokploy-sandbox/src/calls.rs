//! The dispatch of calls: applies the transport's rules, then finds the handler in a table.
//!
//! The table has the subset of Dokploy's calls that the sandbox supports. It must not know what a
//! handler does.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::core::{BODY_LIMIT, Core};
use super::input::Input;
use super::refusal::{Code, Outcome, Refusal};
use super::request::{Answer, Body, Request};
use super::{
    applications, configuration, containers, deployments, docker, domains, inspect, mounts,
    overview, projects, rows, stats, swarm, traefik, volumes,
};

/// The handler of a call.
#[derive(Clone, Copy)]
enum Call {
    /// A query without input, which cannot fail.
    Show(fn(&Core, Timestamp) -> Body),
    /// A call that reads its input, may change the core, and may refuse.
    Handle(fn(&mut Core, Timestamp, &mut Input) -> Outcome),
}

use Call::{Handle, Show};

/// Answers a request that has the right API key.
pub(super) fn dispatch(core: &mut Core, now: Timestamp, request: &Request) -> Answer {
    let name = request.call();
    let mut input = match request.method.as_str() {
        "GET" => Input::new(name, request.query()),
        "POST" => match read_body(request) {
            Ok(body) => Input::new(name, rows::into_fields(body)),
            Err(answer) => return answer,
        },
        _ => return Refusal::no_such_path().into_answer(),
    };
    match find(&request.method, request.path()) {
        Some(Show(show)) => Answer::new(200, show(core, now)),
        Some(Handle(act)) => act(core, now, &mut input).into(),
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
            ("GET", "/api/trpc/settings.health") if self.outages.database.lasts(now) => {
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

/// Finds the handler of a call, which is a query (`GET`) or a mutation (`POST`).
fn find(method: &str, path: &str) -> Option<Call> {
    Some(match (method, path.strip_prefix("/api/")?) {
        ("GET", "settings.getDokployVersion") => Show(|_, _| Body::Json(json!("v0.30.2"))),
        ("GET", "settings.health") => Show(|_, _| Body::Json(json!({ "status": "ok" }))),
        ("GET", "project.all") => Show(projects::all),
        ("GET", "project.one") => Handle(projects::one),
        ("GET", "project.search") => Handle(projects::search),
        ("GET", "environment.byProjectId") => Handle(projects::environments),
        ("GET", "environment.one") => Handle(projects::environment),
        ("GET", "application.one") => Handle(applications::one),
        ("GET", "domain.one") => Handle(domains::one),
        ("GET", "domain.byApplicationId") => Handle(domains::of_application),
        ("GET", "overview.domains") => Show(overview::domains),
        ("GET", "overview.services") => Show(overview::services),
        ("GET", "deployment.all") => Handle(deployments::all),
        ("GET", "deployment.readLogs") => Handle(deployments::read_logs),
        ("GET", "deployment.queueList") => Show(deployments::queue),
        ("GET", "docker.getServiceContainersByAppName") => Handle(docker::service_containers),
        ("GET", "settings.readTraefikFile") => Handle(traefik::read),
        ("GET", "docker.getContainersByAppLabel") => Handle(containers::by_app_label),
        ("GET", "docker.getContainersByAppNameMatch") => Handle(containers::by_app_name_match),
        ("GET", "docker.getContainers") => Show(containers::all),
        ("GET", "docker.getConfig") => Handle(inspect::config),
        ("GET", "mounts.listByServiceId") => Handle(mounts::of_service),
        ("GET", "dockerVolume.getVolumes") => Show(volumes::all),
        ("GET", "dockerVolume.getVolumeConfig") => Handle(volumes::config),
        ("GET", "swarm.getNodes") => Show(docker::nodes),
        ("GET", "swarm.getContainerStats") => Show(stats::of_containers),
        ("GET", "swarm.getNodeApps") => Show(docker::node_apps),
        ("POST", "project.create") => Handle(projects::create),
        ("POST", "project.remove") => Handle(projects::remove),
        ("POST", "application.create") => Handle(applications::create),
        ("POST", "application.delete") => Handle(applications::delete),
        ("POST", "application.move") => Handle(applications::move_to),
        ("POST", "application.stop") => Handle(swarm::stop),
        ("POST", "application.start") => Handle(swarm::start),
        ("POST", "application.reload") => Handle(swarm::reload),
        ("POST", "application.update") => Handle(configuration::update),
        ("POST", "application.saveDockerProvider") => Handle(configuration::save_docker_provider),
        ("POST", "application.saveEnvironment") => Handle(configuration::save_environment),
        ("POST", "application.deploy") => Handle(deployments::deploy),
        ("POST", "application.redeploy") => Handle(deployments::redeploy),
        ("POST", "application.cleanQueues") => Handle(deployments::clean_queues),
        ("POST", "settings.updateTraefikFile") => Handle(traefik::update),
        ("POST", "mounts.create") => Handle(mounts::create),
        ("POST", "mounts.remove") => Handle(mounts::remove),
        ("POST", "dockerVolume.removeVolume") => Handle(volumes::remove),
        ("POST", "domain.create") => Handle(domains::create),
        ("POST", "domain.update") => Handle(domains::update),
        ("POST", "domain.delete") => Handle(domains::delete),
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
