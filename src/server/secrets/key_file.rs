//! The file `portal.key` beside a SQLite database, which contains the portal's key if
//! `PORTAL_SECRET_KEY` is not set.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretSlice};

use super::{Keyring, KeyringError};

/// The maximum size of the file in bytes.
const LONGEST: u64 = 16 * 1024;
/// The part of an unfinished file's name between the key's name and eight hexadecimal digits.
const UNFINISHED: &str = ".part-";
/// The mode bits that give access to anybody but the owner.
const OTHERS_BITS: u32 = 0o077;

/// The file cannot be used as the portal's key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read.
    #[error(
        "the portal's key {} cannot be read: make it readable for the portal's user alone, or set \
         PORTAL_SECRET_KEY and move the file away", path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Other users may read or change it.
    #[error(
        "the portal's key {} can be used by other users of this machine, since its mode is \
         {mode:04o}: run `chmod 600 {}`, and if somebody may have read it, set a new key first in \
         PORTAL_SECRET_KEY, run `ai-stack-deployer secrets rotate`, and change the secrets \
         themselves (STACK_ENV_*, the registry password)", path.display(),
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It does not contain valid keys.
    #[error("the portal's key {} {problem}, or put the file back from a copy", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The problem and the remedy, as the rest of a sentence.
        problem: KeyringError,
    },
    /// It cannot be created.
    #[error(
        "the portal's key {} cannot be written: make its folder writable, or set \
         PORTAL_SECRET_KEY", path.display()
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// Returns the path of the key of the database at `database`. If `database` is a symbolic link, the
/// key is beside its target.
pub fn beside(database: &Path) -> PathBuf {
    let database = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
    database.with_file_name("portal.key")
}

/// Reads the keys at `path`; `None` if there is no such file.
///
/// # Errors
///
/// Returns why the file cannot be used, and the remedy.
pub fn read(path: &Path) -> Result<Option<Keyring>, KeyFileError> {
    let unreadable = |source| KeyFileError::Unreadable { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
    if mode & OTHERS_BITS != 0 {
        return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).map_err(unreadable)?;
    let bytes = SecretSlice::from(bytes);
    let invalid = |problem| KeyFileError::Invalid { path: path.to_owned(), problem };
    let text =
        str::from_utf8(bytes.expose_secret()).map_err(|_| invalid(KeyringError::NotBase64(1)))?;
    Keyring::parse(text.trim()).map(Some).map_err(invalid)
}

/// Creates a file with a random key at `path`, with mode 0600, and returns the key. If another portal
/// creates the file at the same time, returns that key.
///
/// # Errors
///
/// Returns why the file cannot be written or read.
pub fn create(path: &Path) -> Result<Keyring, KeyFileError> {
    let unwritable = |source| KeyFileError::Unwritable { path: path.to_owned(), source };
    match write(path, Keyring::random_text().expose_secret()) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(unwritable(error)),
        _ => read(path)?.ok_or_else(|| unwritable(io::ErrorKind::NotFound.into())),
    }
}

/// Removes unfinished files beside the key at `path`, which crashes left. They may contain keys
/// that were never used.
pub fn remove_unfinished(path: &Path) {
    let Some(name) = path.file_name().filter(|_| path.exists()) else { return };
    for entry in fs::read_dir(folder(path)).into_iter().flatten().flatten() {
        let is_unfinished = |file: &[u8]| {
            file.strip_prefix(name.as_encoded_bytes())
                .and_then(|rest| rest.strip_prefix(UNFINISHED.as_bytes()))
                .is_some_and(|rest| rest.len() == 8 && rest.iter().all(u8::is_ascii_hexdigit))
        };
        if is_unfinished(entry.file_name().as_encoded_bytes()) {
            fs::remove_file(entry.path()).ok();
        }
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension(format!("key{UNFINISHED}{:08x}", rand::random::<u32>()));
    let written = fill(&unfinished, text).and_then(|()| publish(&unfinished, path, text));
    fs::remove_file(&unfinished).ok();
    written?;
    File::open(folder(path))?.sync_all()
}

/// Gives the finished file its name. Unlike a rename, this never replaces a key that is there.
pub(super) fn publish(unfinished: &Path, path: &Path, text: &str) -> io::Result<()> {
    match fs::hard_link(unfinished, path) {
        // Not every file system supports hard links.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fill(path, text),
        linked => linked,
    }
}

/// Writes a new file, and leaves none behind if it cannot be written whole.
fn fill(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    let written = writeln!(file, "{text}").and_then(|()| file.sync_all());
    written.inspect_err(|_| fs::remove_file(path).unwrap_or_default())
}
