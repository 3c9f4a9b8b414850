//! Changes to a service, made in Docker directly or with the platform's calls: remove, scale,
//! restart (recordings day-two 340 to 362).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::core::Core;
use super::health_check::Verdict;
use super::input::Input;
use super::placement;
use super::programs::Files;
use super::refusal::{Code, Outcome, Refusal};
use super::request::Body;
use super::state::{Application, ApplicationStatus, Service, Standing};
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
        if replicas == 0 {
            self.let_containers_leave(now, app_name);
        }
        let Some(service) = self.state.service_mut(app_name) else { return false };
        if service.replicas == 0 || replicas == 0 {
            service.since = now;
            service.standing = service.standing.without_container();
            service.files.clear();
        }
        service.replicas = replicas;
        if replicas > 0 && service.standing.has_container() {
            let mounts = service.spec.mounts.clone();
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
/// gone (recordings 82, 126, day-two 359).
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
/// pull. Recreates the service if it is gone (recordings 85, day-two 342, 351, 361).
pub(super) fn reload(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    input.nonoptional("appName");
    let application = applications::find(core, input)?;
    if !core.outages.docker.lasts(now) {
        let plan = job::plan(&core.state, &application);
        let (name, image) = (&application.app_name, application.text("dockerImage"));
        let replicas = replicas(&application);
        if plan.behaviour.is_some() && core.standing_beside(now, name, replicas, &plan).is_none() {
            core.let_containers_leave(now, name);
        }
        core.run_service(now, name, image, replicas, &plan);
    }
    core.state.set_status(&application.id, ApplicationStatus::Done);
    Ok(Body::Json(json!(true)))
}

impl Core {
    /// Runs `plan` as the service `app_name`, which it creates or replaces, unless the former container
    /// goes on.
    pub(super) fn run_service(
        &mut self,
        since: Timestamp,
        app_name: &str,
        image: &str,
        replicas: u64,
        plan: &job::Plan,
    ) {
        let Some(behaviour) = plan.behaviour else { return };
        let beside = self.standing_beside(since, app_name, replicas, plan);
        let standing = match beside {
            Some(standing) => standing,
            None if placement::fits(&plan.spec.constraints) => Standing::Placed,
            None => Standing::Waiting(since),
        };
        if replicas > 0 && placement::fits(&plan.spec.constraints) {
            self.make_volumes(since, &plan.spec.mounts);
        }
        let id = match self.state.service_mut(app_name) {
            Some(former) if beside.is_some() => {
                former.standing = standing;
                return;
            }
            Some(former) => former.id.clone(),
            None => ids::service_id(&mut self.rng),
        };
        let (app_name, image, spec) = (app_name.to_owned(), image.to_owned(), plan.spec.clone());
        let files = Files::new();
        let service =
            Service { id, app_name, image, behaviour, spec, since, replicas, standing, files };
        self.state.services.retain(|one| one.app_name != service.app_name);
        self.state.services.push(service);
    }

    /// Returns the standing of a service whose former container goes on, since no node meets the
    /// constraints of `plan` (recording day-two 413), or since its container fails its health check
    /// and the swarm takes the update back (recordings 120 to 122, day-two 67 to 69). `None` if the
    /// plan takes its place.
    fn standing_beside(
        &self,
        since: Timestamp,
        app_name: &str,
        replicas: u64,
        plan: &job::Plan,
    ) -> Option<Standing> {
        self.state.service(app_name).filter(|former| former.goes_on(replicas))?;
        if !placement::fits(&plan.spec.constraints) {
            return Some(Standing::WaitingBeside(since));
        }
        let (check, behaviour) = (plan.spec.health_check.as_ref()?, plan.behaviour?);
        if !behaviour.stays_up() {
            return Some(Standing::TakenBack { since, failed_after: self.timing.crash });
        }
        match check.verdict(self.timing.of_start(behaviour)) {
            Verdict::HealthyAfter(_) => None,
            Verdict::KilledAfter(failed_after) => Some(Standing::TakenBack { since, failed_after }),
        }
    }
}

impl Service {
    /// Returns whether its container goes on while a new task cannot run.
    fn goes_on(&self, replicas: u64) -> bool {
        replicas > 0
            && self.replicas > 0
            && self.standing.has_container()
            && self.behaviour.stays_up()
    }
}
