//! The lock beside a database, which tells whether a portal uses it.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

use tokio::time::sleep;

use super::{
    OpenStoreError,
    files::{LOOKS, MOMENT, folder},
};

/// Takes the exclusive lock beside the database, which the system releases when the process ends.
pub(super) async fn take(path: &Path) -> Result<File, OpenStoreError> {
    let beside = path.with_extension("lock");
    let file = |source| OpenStoreError::File { path: beside.clone(), source };
    fs::create_dir_all(folder(path)).map_err(file)?;
    let lock =
        File::options().create(true).truncate(false).write(true).open(&beside).map_err(file)?;
    // A command may hold the lock for a moment.
    let mut tries = 0..LOOKS;
    loop {
        match (lock.try_lock(), tries.next()) {
            (Ok(()), _) => return Ok(lock),
            (Err(TryLockError::WouldBlock), Some(_)) => sleep(MOMENT).await,
            (Err(TryLockError::WouldBlock), None) => {
                return Err(OpenStoreError::InUse { path: path.to_owned() });
            }
            (Err(TryLockError::Error(source)), _) => return Err(file(source)),
        }
    }
}

/// Returns whether a portal holds the lock of the database at `path`; if this cannot be determined,
/// it does not.
pub(super) fn is_held(path: &Path) -> bool {
    File::open(path.with_extension("lock"))
        .is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
