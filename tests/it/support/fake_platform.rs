//! A platform that has only hosts and projects, which the use cases query.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use ai_stack_deployer::server::platform::{
    AppName, Application, ApplicationId, Breaker, BreakerState, Configuration, Container,
    ContainerId, CreatedProject, Domain, DomainId, Host, Inspected, Job, JobId, NewApplication,
    NewDomain, NewProject, Platform, PlatformError, Project, ProjectId, ProjectSummary, QueuedJob,
    Removal, RouteFile, Scale, Task, Version,
};
use async_trait::async_trait;

/// The platform's content and faults.
#[derive(Debug)]
pub(crate) struct FakePlatform {
    state: Mutex<State>,
    calls: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    hosts: Vec<String>,
    projects: Vec<String>,
    failure: Option<PlatformError>,
    panics: bool,
    is_old: bool,
}

impl FakePlatform {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), calls: AtomicUsize::new(0) }
    }

    pub(crate) fn add_host(&self, host: &str) {
        self.state.lock().unwrap().hosts.push(host.to_owned());
    }

    pub(crate) fn add_project(&self, name: &str) {
        self.state.lock().unwrap().projects.push(name.to_owned());
    }

    pub(crate) fn remove_project(&self, name: &str) {
        self.state.lock().unwrap().projects.retain(|project| project != name);
    }

    /// Lets every call fail from now on.
    pub(crate) fn fail(&self, failure: PlatformError) {
        self.state.lock().unwrap().failure = Some(failure);
    }

    /// Turns it into an old version, which cannot list hosts, or into a new one.
    pub(crate) fn set_old(&self, is_old: bool) {
        self.state.lock().unwrap().is_old = is_old;
    }

    /// Lets the query of the breaker panic, which simulates a bug of the portal.
    pub(crate) fn panic_from_now_on(&self) {
        self.state.lock().unwrap().panics = true;
    }

    /// Counts the calls so far.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn ask<T>(&self, answer: impl FnOnce(&State) -> T) -> Result<T, PlatformError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let state = self.state.lock().unwrap();
        match state.failure.clone() {
            Some(failure) => Err(failure),
            None => Ok(answer(&state)),
        }
    }
}

/// Panics: no use case may make this call.
fn never<T>() -> Result<T, PlatformError> {
    panic!("only the saga calls this");
}

#[async_trait]
impl Platform for FakePlatform {
    async fn check_health(&self) -> Result<(), PlatformError> {
        self.ask(|_| ())
    }

    async fn version(&self) -> Result<Version, PlatformError> {
        self.ask(|state| Version {
            text: String::from(if state.is_old { "v0.29.4" } else { "v0.30.2" }),
            is_supported: !state.is_old,
            oldest: "v0.30",
        })
    }

    fn breaker(&self) -> Breaker {
        let state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert!(!state.panics, "as told");
        let pause = match &state.failure {
            Some(PlatformError::Paused { retry_after }) => Some(*retry_after),
            Some(_) | None => None,
        };
        Breaker {
            state: if pause.is_some() { BreakerState::Open } else { BreakerState::Closed },
            consecutive_failures: if pause.is_some() { 5 } else { 0 },
            retry_after: pause,
        }
    }

    async fn projects(&self) -> Result<Vec<ProjectSummary>, PlatformError> {
        // Yields, so that other tasks run meanwhile, as during a real call.
        tokio::task::yield_now().await;
        self.ask(|state| {
            let summary = |name: &String| ProjectSummary {
                id: ProjectId(name.clone()),
                name: name.clone(),
                description: None,
                created_at: String::from("2026-11-23T09:55:24.515Z"),
            };
            state.projects.iter().map(summary).collect()
        })
    }

    async fn hosts(&self) -> Result<Vec<Host>, PlatformError> {
        let listed = |state: &State| {
            let host = |name: &String| Host {
                name: name.clone(),
                domain: DomainId(name.clone()),
                leads_to: Some(ApplicationId(String::from("theirs"))),
            };
            if state.is_old {
                return Err(PlatformError::NotFound { call: "overview.domains" });
            }
            Ok(state.hosts.iter().map(host).collect())
        };
        self.ask(listed)?
    }

    async fn create_project(&self, _: &NewProject) -> Result<CreatedProject, PlatformError> {
        never()
    }

    async fn project(&self, _: &ProjectId) -> Result<Option<Project>, PlatformError> {
        never()
    }

    async fn remove_project(&self, _: &ProjectId) -> Result<Removal, PlatformError> {
        never()
    }

    async fn create_application(&self, _: &NewApplication) -> Result<Application, PlatformError> {
        never()
    }

    async fn configure_application(
        &self,
        _: &ApplicationId,
        _: &Configuration,
    ) -> Result<(), PlatformError> {
        never()
    }

    async fn delete_application(&self, _: &ApplicationId) -> Result<Removal, PlatformError> {
        never()
    }

    async fn create_domain(&self, _: &NewDomain) -> Result<DomainId, PlatformError> {
        never()
    }

    async fn domains_of(&self, _: &ApplicationId) -> Result<Vec<Domain>, PlatformError> {
        never()
    }

    async fn delete_domain(&self, _: &DomainId) -> Result<Removal, PlatformError> {
        never()
    }

    async fn enqueue_deploy(&self, _: &ApplicationId, _: &str) -> Result<(), PlatformError> {
        never()
    }

    async fn jobs(&self, _: &ApplicationId) -> Result<Vec<Job>, PlatformError> {
        never()
    }

    async fn queue(&self) -> Result<Vec<QueuedJob>, PlatformError> {
        never()
    }

    async fn job_log(&self, _: &JobId) -> Result<String, PlatformError> {
        never()
    }

    async fn clear_queue(&self, _: &ApplicationId) -> Result<Removal, PlatformError> {
        never()
    }

    async fn tasks(&self, _: &AppName) -> Result<Vec<Task>, PlatformError> {
        never()
    }

    async fn running_containers(&self, _: &AppName) -> Result<Vec<Container>, PlatformError> {
        never()
    }

    async fn containers(&self, _: &AppName) -> Result<Vec<Container>, PlatformError> {
        never()
    }

    async fn inspect_container(&self, _: &ContainerId) -> Result<Option<Inspected>, PlatformError> {
        never()
    }

    async fn services(&self) -> Result<Vec<AppName>, PlatformError> {
        never()
    }

    async fn route_file(&self, _: &RouteFile) -> Result<Option<String>, PlatformError> {
        never()
    }

    async fn clear_route_file(&self, _: &RouteFile) -> Result<(), PlatformError> {
        never()
    }

    async fn scales(&self) -> Result<Vec<(AppName, Option<Scale>)>, PlatformError> {
        never()
    }

    async fn node_count(&self) -> Result<usize, PlatformError> {
        never()
    }
}
