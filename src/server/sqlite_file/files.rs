//! The files of a database: the database itself, its log, and the files beside them.
//!
//! It deletes only files that this program did not finish.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

/// The maximum number of symbolic links that are followed.
const LINKS: usize = 40;
/// The number of attempts to read files that another program may be changing, and the pause between
/// them.
pub(super) const LOOKS: u32 = 3;
pub(super) const MOMENT: Duration = Duration::from_millis(50);

/// Returns `path` with `ending` appended to its name.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

/// Returns the write-ahead log of the database at `path`.
pub(super) fn log(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

/// Returns the identity file beside the database at `path`.
pub(super) fn identity(path: &Path) -> PathBuf {
    beside(path, ".identity")
}

/// Returns the folder of `path`.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns the target of `path`, which need not exist: the log is beside the target, not beside a
/// symbolic link.
pub(in crate::server) fn resolve(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        path = folder(&path).join(target);
    }
    path
}

/// Replaces the file atomically with `text`.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let beside = beside(path, ".new");
    let mut options = File::options();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    give_to_owner_of(folder(path), &beside);
    fs::rename(beside, path)?;
    sync(folder(path))
}

/// Gives `path` the owner of `model`, if that is permitted: otherwise a command that root runs
/// would leave files that the portal cannot open.
pub(super) fn give_to_owner_of(model: &Path, path: &Path) {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(model), Ok(own)) = (fs::metadata(model), fs::metadata(path)) else { return };
    if (model.uid(), model.gid()) != (own.uid(), own.gid()) {
        // This fails without root's rights, but then the file has the right owner anyway.
        let _given = chown(path, Some(model.uid()), Some(model.gid()));
    }
}

/// Waits until a file, or the entries of a folder, are on disk.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Removes a file that this program did not finish.
pub(super) fn remove_unfinished(unfinished: &Path) {
    for ending in ["", "-journal", "-wal", "-shm"] {
        fs::remove_file(beside(unfinished, ending)).ok();
    }
}

/// Returns the ending to append to the names of the old database at `path`, so that they are names
/// that no file has yet.
pub(super) fn aside(path: &Path, now: Timestamp) -> String {
    let ending = now.strftime(".aside-%Y%m%dT%H%M%SZ").to_string();
    let is_free = |ending: &String| {
        let aside = beside(path, ending);
        ["", "-wal", "-shm", ".identity"].iter().all(|end| !beside(&aside, end).exists())
    };
    let numbered = (2..100).map(|number| format!("{ending}-{number}"));
    std::iter::once(ending.clone()).chain(numbered).find(is_free).unwrap_or(ending)
}

/// Renames the database at `path` and its log to `aside`, in an order in which no start, after a
/// crash in between, mistakes the rest for a new portal, as long as the identity file exists.
/// Returns whether there was a database.
pub(super) fn set_aside(path: &Path, aside: &Path) -> io::Result<bool> {
    let mut moved = false;
    for ending in ["", "-wal", "-shm"] {
        match fs::rename(beside(path, ending), beside(aside, ending)) {
            Ok(()) => moved = true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    sync(folder(path))?;
    Ok(moved)
}
