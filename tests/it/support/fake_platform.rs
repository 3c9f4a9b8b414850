//! A platform that has only hosts and projects, which the use cases query.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ai_stack_deployer::server::platform::{
    AppName, ApplicationId, ApplicationRow, Breaker, BreakerState, Container, ContainerLog,
    DomainId, Host, LogQuery, PlatformError, PlatformLogs, PlatformOverview, ProjectId,
    ProjectSummary, Version,
};
use async_trait::async_trait;

use super::fake_logs::FakeLogs;

/// Faults of a call that the saga recovers from: before the effect, after it, or in between.
pub(crate) const TRANSIENT: [&str; 11] = [
    "error-before", "error-after", "refused-after", "timeout-before", "timeout", "late=19s",
    "reset-before", "reset", "unauthorized", "unauthorized-within", "throttled=3s",
];

/// The platform's content and faults.
#[derive(Debug)]
pub(crate) struct FakePlatform {
    state: Mutex<State>,
    calls: AtomicUsize,
    /// The logs of its containers.
    pub(crate) logs: FakeLogs,
}

#[derive(Debug, Default)]
struct State {
    hosts: Vec<String>,
    projects: Vec<String>,
    rows: BTreeMap<String, ApplicationRow>,
    /// The number of rows that were shown.
    shown_rows: usize,
    failure: Option<PlatformError>,
    panics: bool,
    is_old: bool,
}

impl FakePlatform {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), calls: AtomicUsize::new(0), logs: FakeLogs::default() }
    }

    pub(crate) fn add_host(&self, host: &str) {
        self.state.lock().unwrap().hosts.push(host.to_owned());
    }

    pub(crate) fn add_project(&self, name: &str) {
        self.state.lock().unwrap().projects.push(name.to_owned());
    }

    /// Sets the row of the application with this id.
    pub(crate) fn set_row(&self, application: &str, row: ApplicationRow) {
        self.state.lock().unwrap().rows.insert(application.to_owned(), row);
    }

    pub(crate) fn remove_project(&self, name: &str) {
        self.state.lock().unwrap().projects.retain(|project| project != name);
    }

    /// Lets calls succeed again.
    pub(crate) fn recover(&self) {
        self.state.lock().unwrap().failure = None;
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

    /// Counts the calls so far that showed a row.
    pub(crate) fn calls_of_rows(&self) -> usize {
        self.state.lock().unwrap().shown_rows
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

#[async_trait]
impl PlatformOverview for FakePlatform {
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

    async fn application_row(
        &self,
        id: &ApplicationId,
    ) -> Result<Option<ApplicationRow>, PlatformError> {
        tokio::task::yield_now().await;
        let row = self.ask(|state| state.rows.get(&id.0).cloned())?;
        self.state.lock().unwrap().shown_rows += 1;
        Ok(row)
    }
}

#[async_trait]
impl PlatformLogs for FakePlatform {
    async fn containers_to_read(&self, name: &AppName) -> Result<Vec<Container>, PlatformError> {
        self.logs.containers_to_read(name).await
    }

    async fn open_log(&self, query: &LogQuery<'_>) -> Result<Box<dyn ContainerLog>, PlatformError> {
        self.logs.open_log(query).await
    }
}
