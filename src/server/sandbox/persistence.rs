//! The state file: what exists survives the process.
//!
//! It must not know what the state means.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::state::State;

/// Reads the state at `path`, or `None` when there is no file yet.
///
/// # Errors
///
/// Returns what kept the file from being read, also when it is no state.
pub(super) fn load(path: &Path) -> io::Result<Option<State>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes `bytes` so that the file is always the old one or the new one, whole. Makes its
/// folder when missing.
///
/// # Errors
///
/// Returns what kept the file from being written.
pub(super) fn save(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let beside = beside(path);
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(beside, path)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}
