//! Containers that write a log, for which the test is the author.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use ai_stack_deployer::server::platform::{
    AppName, Container, ContainerId, ContainerLog, LogEnd, LogQuery, PlatformError, PlatformLogs,
};
use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;

/// The containers and their logs. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeLogs(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Newest first.
    containers: Vec<Container>,
    /// The chunks of each container.
    chunks: HashMap<String, Vec<String>>,
    /// How each log ends, once it does.
    ends: HashMap<String, LogEnd>,
    opened: usize,
    open: usize,
    /// The queries without what they are for: none of them has a word of a caller.
    asked: Vec<(String, u32)>,
}

impl FakeLogs {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// Starts a container of a service, in the place of those that run.
    pub(crate) fn start(&self, name: &str) {
        let mut state = self.state();
        state.containers.iter_mut().for_each(|container| container.is_running = false);
        let id = ContainerId(name.to_owned());
        state.containers.insert(0, Container { id, name: name.to_owned(), is_running: true });
    }

    /// Removes all containers.
    pub(crate) fn remove_all(&self) {
        self.state().containers.clear();
    }

    /// Writes text as Docker passes it on.
    pub(crate) fn write_raw(&self, name: &str, chunk: impl Into<String>) {
        self.state().chunks.entry(name.to_owned()).or_default().push(chunk.into());
        self.0.changed.send_replace(());
    }

    /// Writes a line at this time.
    pub(crate) fn write(&self, name: &str, at: Timestamp, text: &str) {
        self.write_raw(name, format!("{at:.9} {text}\r\n"));
    }

    /// Ends the logs of a container that are open, and those to come.
    pub(crate) fn end(&self, name: &str, end: LogEnd) {
        self.state().ends.insert(name.to_owned(), end);
        self.0.changed.send_replace(());
    }

    /// Returns how many logs were opened so far.
    pub(crate) fn opened(&self) -> usize {
        self.state().opened
    }

    /// Returns how many logs are open.
    pub(crate) fn open(&self) -> usize {
        self.state().open
    }

    /// Returns the containers whose logs were opened, each with the number of lines.
    pub(crate) fn asked(&self) -> Vec<(String, u32)> {
        self.state().asked.clone()
    }
}

#[async_trait]
impl PlatformLogs for FakeLogs {
    async fn containers_to_read(&self, name: &AppName) -> Result<Vec<Container>, PlatformError> {
        let state = self.state();
        let own = |container: &&Container| container.name.starts_with(&name.0);
        Ok(state.containers.iter().filter(own).cloned().collect())
    }

    async fn open_log(&self, query: &LogQuery<'_>) -> Result<Box<dyn ContainerLog>, PlatformError> {
        let name = query.container.0.clone();
        let mut state = self.state();
        state.opened += 1;
        state.open += 1;
        state.asked.push((name.clone(), query.tail));
        let (logs, changed) = (self.clone(), self.0.changed.subscribe());
        Ok(Box::new(FakeLog { logs, name, next: 0, changed }))
    }
}

struct FakeLog {
    logs: FakeLogs,
    name: String,
    next: usize,
    changed: watch::Receiver<()>,
}

#[async_trait]
impl ContainerLog for FakeLog {
    async fn next(&mut self) -> Result<String, LogEnd> {
        loop {
            self.changed.mark_unchanged();
            {
                let state = self.logs.state();
                let chunks = state.chunks.get(&self.name);
                if let Some(chunk) = chunks.and_then(|chunks| chunks.get(self.next)) {
                    self.next += 1;
                    return Ok(chunk.clone());
                }
                if let Some(end) = state.ends.get(&self.name) {
                    return Err(end.clone());
                }
            }
            self.changed.changed().await.unwrap();
        }
    }
}

impl Drop for FakeLog {
    fn drop(&mut self) {
        self.logs.state().open -= 1;
        self.logs.0.changed.send_replace(());
    }
}
