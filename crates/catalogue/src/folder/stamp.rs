//! Tells whether a file of the catalogue has changed, without reading the files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::files::{DEFINITION, ICON, README};

/// The sizes and times of the files of a catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp(Vec<(PathBuf, u64, Option<SystemTime>)>);

impl Stamp {
    /// Looks at the files of a folder. What cannot be looked at counts as not there.
    pub fn of(folder: &Path) -> Self {
        let folders = fs::read_dir(folder).into_iter().flatten().flatten();
        let files =
            folders.flat_map(|one| [DEFINITION, ICON, README].map(|file| one.path().join(file)));
        let stamp = |path: PathBuf| {
            let found = path.metadata().ok()?;
            Some((path, found.len(), found.modified().ok()))
        };
        let mut all: Vec<_> = files.filter_map(stamp).collect();
        all.sort();
        Self(all)
    }
}
