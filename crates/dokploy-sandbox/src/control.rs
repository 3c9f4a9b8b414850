//! The sandbox's own calls, which a real platform does not have: faults, restart, and the inventory
//! of what exists.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::core::Core;
use super::faults::Fault;
use super::refusal::{Refusal, unauthorized};
use super::request::{Answer, Body, Request};
use super::{rows, volume_control};

impl Core {
    /// Answers a call under `/sandbox/`.
    pub(super) fn control(&mut self, now: Timestamp, request: &Request) -> Answer {
        if !self.admits(request) {
            return unauthorized();
        }
        match (request.method.as_str(), request.path()) {
            ("POST", "/sandbox/faults") => return self.add_faults(request),
            ("DELETE", "/sandbox/faults") => self.clear_faults(),
            ("POST", "/sandbox/restart") => self.restart(now),
            ("POST", "/sandbox/services") => {
                let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                if !self.change_service(now, &body) {
                    return refused(
                        "give {\"remove\": service}, or {\"scale\": service, \"to\": number}",
                    );
                }
            }
            ("POST", "/sandbox/logs") => {
                let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                if !self.write_log(now, &body) {
                    return refused("give {\"service\": name, \"lines\": [text]}");
                }
            }
            ("POST", "/sandbox/volumes") => {
                let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                if !self.change_volume(now, &body) {
                    return refused(volume_control::USAGE);
                }
            }
            ("GET", "/sandbox/state") => return Answer::json(self.inventory(now)),
            _ => return Refusal::no_such_path().into_answer(),
        }
        Answer::new(200, Body::Empty)
    }

    /// Adds all faults in the body, or none if one does not parse.
    fn add_faults(&mut self, request: &Request) -> Answer {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let texts = body.get("faults").and_then(Value::as_array).cloned().unwrap_or_default();
        let faults: Result<Vec<Fault>, _> =
            texts.iter().map(|text| text.as_str().unwrap_or_default().parse()).collect();
        match faults {
            Ok(faults) if !faults.is_empty() => {
                for fault in faults {
                    self.inject(fault);
                }
                Answer::new(200, Body::Empty)
            }
            Ok(_) => refused("give {\"faults\": [\"call:kind\"]}"),
            Err(error) => refused(&error.to_string()),
        }
    }

    /// Lists what exists at `now`, including orphans.
    pub fn inventory(&self, now: Timestamp) -> Value {
        let state = &self.state;
        let services = state.services.iter().map(|service| {
            json!({
                "appName": service.app_name,
                "image": service.present.image,
                "replicas": service.replicas,
                "answers": service.answers(now, &self.timing),
            })
        });
        let containers = self
            .containers(now)
            .into_iter()
            .map(|one| json!({ "name": one.name, "isRunning": one.is_running() }));
        let routes = state
            .loaded_routes()
            .iter()
            .map(|route| json!({ "host": route.host, "appName": route.app_name }));
        let applications = state.applications.iter().map(|one| {
            let more = json!({
                "environmentId": one.environment_id,
                "dockerImage": one.text("dockerImage"),
            });
            rows::merged(rows::application_with_app_name(one), more)
        });
        json!({
            "projects": state.projects.iter().map(|one| rows::project(state, one)).collect::<Vec<_>>(),
            "applications": applications.collect::<Vec<_>>(),
            "domains": state.domains.iter().map(rows::domain).collect::<Vec<_>>(),
            "deployments": state.deployments.iter().map(rows::deployment).collect::<Vec<_>>(),
            "services": services.collect::<Vec<_>>(),
            "containers": containers.collect::<Vec<_>>(),
            "routes": routes.collect::<Vec<_>>(),
            "mounts": state.mounts.iter().map(rows::mount).collect::<Vec<_>>(),
            "volumes": self.volume_inventory(now),
        })
    }
}

fn refused(message: &str) -> Answer {
    Answer::new(400, Body::Json(json!({ "message": message })))
}
