//! The state file, in which the platform's state survives the process.
//!
//! As with a real database, an answer is sent only after its effect is on disk, so that it survives
//! even if the process is killed right afterwards. It must not know what the state means.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::state::State;

/// Writes the state after changes, one write at a time.
#[derive(Debug)]
pub(super) struct Keeper {
    /// The file; `None` if nothing is stored.
    path: Option<PathBuf>,
    asked: AtomicU64,
    wake: Notify,
    written: watch::Sender<u64>,
}

impl Keeper {
    /// Creates a keeper of the file at `path`, or one that stores nothing.
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        let asked = AtomicU64::new(0);
        Self { path, asked, wake: Notify::new(), written: watch::Sender::new(0) }
    }

    /// Waits until all changes so far are on disk, or could not be written.
    pub(super) async fn commit(&self) {
        if self.path.is_none() {
            return;
        }
        let mine = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.wake.notify_one();
        let mut written = self.written.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _written = written.wait_for(|count| *count >= mine).await;
    }

    /// Writes the state after changes until `served` is cancelled, then writes once more. `state`
    /// serializes it.
    pub(super) async fn run(&self, state: impl Fn() -> Vec<u8>, served: CancellationToken) {
        let Some(path) = &self.path else { return };
        let mut last = Vec::new();
        loop {
            let ending = tokio::select! {
                () = self.wake.notified() => false,
                () = served.cancelled() => true,
            };
            let asked = self.asked.load(Ordering::SeqCst);
            let bytes = state();
            if bytes != last && write(path, bytes.clone()).await {
                last = bytes;
            }
            self.written.send_replace(asked);
            if ending {
                return;
            }
        }
    }
}

/// Writes `bytes`, and returns whether that succeeded.
async fn write(path: &Path, bytes: Vec<u8>) -> bool {
    let path = path.to_owned();
    let saved = spawn_blocking(move || save(&path, &bytes)).await;
    let saved = saved.unwrap_or_else(|error| Err(io::Error::other(error)));
    if let Err(error) = &saved {
        tracing::error!(%error, "The sandbox state was not written");
    }
    saved.is_ok()
}

/// Reads the state at `path`; `None` if there is no file.
///
/// # Errors
///
/// Returns an error if the file cannot be read or does not contain a state.
pub(super) fn load(path: &Path) -> io::Result<Option<State>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces the file atomically with `bytes`. Only its owner can read it, since rows contain
/// secrets. Creates its folder if missing.
fn save(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let beside = path.with_added_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)
}
