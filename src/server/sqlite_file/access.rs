//! Who can use the files of a database: the portal's user alone.
//!
//! New files and folders are private from their beginning, by the process's file mode mask. This
//! module is for those that exist: of older versions, of a copy, or of another user.

use std::ffi::OsStr;
use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::files;

/// The mode bits that give access to anybody but the owner.
const OTHERS_BITS: u32 = 0o077;

/// Takes the rights of other users from the files of the database at `path`, as far as possible.
pub(super) fn restrict(path: &Path) {
    for (file, mode) in open_files(path) {
        let private = Permissions::from_mode(mode & !OTHERS_BITS);
        // What fails here is reported when the database is open.
        fs::set_permissions(file, private).ok();
    }
}

/// Logs which files of the database at `path` other users can still use, and that they can enter its
/// folder. A folder that exists keeps its mode: others may need it.
pub(super) fn report(path: &Path) {
    for (file, mode) in open_files(path) {
        let file = file.display();
        tracing::warn!(
            "Other users of this machine can use {file}, since its mode is {mode:04o}: make the \
             portal's user its owner with `chown`, and run `chmod 600 {file}`"
        );
    }
    let folder = files::folder(path);
    if let Some(mode) = mode_for_others(folder) {
        let folder = folder.display();
        let advice = if holds_more(path) {
            String::from("give the database a folder of its own, since this one holds other files")
        } else {
            format!("run `chmod 700 {folder}`, or give the database a folder of its own")
        };
        tracing::warn!(
            "Other users of this machine can enter {folder}, the folder of the database, since its \
             mode is {mode:04o}: {advice}"
        );
    }
}

/// Returns whether the folder of the database at `path` holds files that are not the portal's.
fn holds_more(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let stem = path.file_stem().unwrap_or_default().as_encoded_bytes();
    let lock = [stem, b".lock"].concat();
    let own = [name, &lock, b"portal.key", b"sandbox.json"];
    let is_own = |file: &OsStr| own.iter().any(|own| file.as_encoded_bytes().starts_with(own));
    let entries = fs::read_dir(files::folder(path)).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| !is_own(&entry.file_name()))
}

/// Returns the files of the database at `path` that other users have rights to, with their modes.
fn open_files(path: &Path) -> impl Iterator<Item = (PathBuf, u32)> {
    let own = ["", "-wal", "-shm", "-journal", ".identity"].map(|end| files::beside(path, end));
    // A lock is empty. With content, it is another program's file of the same name.
    let lock = Some(path.with_extension("lock"));
    let lock = lock.filter(|lock| fs::metadata(lock).is_ok_and(|lock| lock.len() == 0));
    own.into_iter().chain(lock).filter_map(|file| mode_for_others(&file).map(|mode| (file, mode)))
}

/// Removes the lock of the database at `path` if it belongs to a user who has nothing to do with the
/// database: they could hold it for ever.
pub(super) fn remove_foreign_lock(path: &Path) -> io::Result<()> {
    let lock = path.with_extension("lock");
    let owner = |path: &Path| fs::symlink_metadata(path).ok().map(|file| file.uid());
    let Some(of_lock) = owner(&lock) else { return Ok(()) };
    // The owner of a process owns its entry there.
    let own = fs::metadata("/proc/self").ok().as_ref().map(Metadata::uid);
    let known = [own, owner(path), owner(files::folder(path)), Some(0)];
    if own.is_none() || known.contains(&Some(of_lock)) {
        return Ok(());
    }
    tracing::warn!("Removed {}, which belonged to user {of_lock}", lock.display());
    fs::remove_file(lock)
}

/// Returns the mode of a file that gives rights to other users; `None` if it does not, or the file
/// does not exist.
fn mode_for_others(path: &Path) -> Option<u32> {
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o7777;
    (mode & OTHERS_BITS != 0).then_some(mode)
}
