//! Changes to a service, made in Docker directly or with the platform's calls: remove, scale,
//! restart (recordings day-two 340 to 362).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::core::Core;
use super::input::Input;
use super::placement;
use super::programs::Files;
use super::refusal::{Code, Outcome, Refusal};
use super::request::Body;
use super::service::{Generation, Service};
use super::state::{Application, ApplicationStatus};
use super::{applications, ids, job, rows};

impl Core {
    /// Removes a service without the platform, as `docker service rm` does; `false` if there is
    /// none of that name.
    pub fn remove_service(&mut self, now: Timestamp, app_name: &str) -> bool {
        self.tick(now);
        self.remove_swarm_service(now, app_name)
    }

    /// Scales a service without the platform, as `docker service scale` does: the application's row
    /// does not change. `false` if there is none of that name.
    pub fn scale_service(&mut self, now: Timestamp, app_name: &str, replicas: u64) -> bool {
        self.tick(now);
        let timing = self.timing;
        let Some(service) = self.state.service_mut(app_name) else { return false };
        service.scale(now, replicas, &timing);
        if replicas > 0 && service.standing.has_container() {
            let mounts = service.present.spec.mounts.clone();
            self.make_volumes(now, &mounts);
        }
        true
    }

    /// Changes a service as the body of a control call says; `false` if it does not exist.
    pub(super) fn change_service(&mut self, now: Timestamp, body: &Value) -> bool {
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        match (text("remove"), text("scale"), body.get("to").and_then(Value::as_u64)) {
            (Some(name), _, _) => self.remove_service(now, name),
            (None, Some(name), Some(replicas)) => self.scale_service(now, name, replicas),
            (None, _, _) => false,
        }
    }
}

/// Returns the number of replicas in an application's row.
pub(super) fn replicas(application: &Application) -> u64 {
    application.columns.get("replicas").and_then(Value::as_u64).unwrap_or(1)
}

/// `application.stop`: scales the service to 0, without a change to the row's replicas. Answers
/// with the previous row. Succeeds even if the application was never deployed, or its service is
/// gone (recordings 82, 126, day-two 2, 4, 359). The next reload or deployment therefore starts it
/// again (recording day-two 358).
pub(super) fn stop(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let application = applications::find(core, input)?;
    let before = rows::application_with_relations(&core.state, &application);
    if !core.outages.docker.lasts(now) {
        core.scale_service(now, &application.app_name, 0);
    }
    core.state.set_status(&application.id, ApplicationStatus::Idle);
    Ok(Body::Json(before))
}

/// `application.start`: scales the service to one container, regardless of the row. Fails without a
/// service (recordings 84, day-two 347, 360).
pub(super) fn start(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    let application = applications::find(core, input)?;
    let before = rows::application_with_relations(&core.state, &application);
    let name = &application.app_name;
    if core.outages.docker.lasts(now) || !core.scale_service(now, name, 1) {
        let message = format!(
            "Command execution failed: Command failed: docker service scale {name}=1 \n{name}: \
             Error response from daemon: service {name} not found\n"
        );
        return Err(Refusal::new(Code::InternalServerError, input.call(), message));
    }
    core.state.set_status(&application.id, ApplicationStatus::Done);
    Ok(Body::Json(before))
}

/// `application.reload`: starts a new container from the application's row, without a job or a
/// pull. Recreates the service if it is gone (recordings 85, day-two 342, 351, 361). What the swarm
/// refuses is an error without a reason (recording day-two 391). That it is the same while Docker is
/// down is assumed.
pub(super) fn reload(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    input.nonoptional("appName");
    let application = applications::find(core, input)?;
    let is_down = core.outages.docker.lasts(now);
    match job::service_of(&core.state, &application) {
        Ok((behaviour, spec)) if !is_down => {
            let image = application.text("dockerImage").to_owned();
            let next = Generation {
                image,
                behaviour,
                spec,
                since: now,
                files: Files::new(),
                force_update: 0,
            };
            core.run_service(&application.app_name, next, replicas(&application));
            core.state.set_status(&application.id, ApplicationStatus::Done);
            Ok(Body::Json(json!(true)))
        }
        Ok(_) | Err(_) => {
            core.state.set_status(&application.id, ApplicationStatus::Error);
            let message = "Error reloading application";
            Err(Refusal::new(Code::InternalServerError, input.call(), message))
        }
    }
}

impl Core {
    /// Runs `next` as the service `app_name`, which it creates or updates.
    pub(super) fn run_service(&mut self, app_name: &str, next: Generation, replicas: u64) {
        if replicas > 0 && placement::fits(&next.spec.constraints) {
            self.make_volumes(next.since, &next.spec.mounts);
        }
        let timing = self.timing;
        if let Some(service) = self.state.service_mut(app_name) {
            service.change(next, replicas, &timing);
        } else {
            let id = ids::service_id(&mut self.rng);
            let service = Service::new(id, app_name.to_owned(), next, replicas);
            self.state.services.push(service);
        }
    }
}
