//! The file `portal.key` beside a SQLite database, which contains the portal's key if
//! `PORTAL_SECRET_KEY` is not set.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};

use super::{Keyring, KeyringError};

/// The maximum size of the file in bytes.
const LONGEST: u64 = 16 * 1024;
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
         PORTAL_SECRET_KEY and run `ai-stack-deployer secrets rotate`", path.display(),
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
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(unreadable)?;
    let text = SecretString::from(text);
    let invalid = |problem| KeyFileError::Invalid { path: path.to_owned(), problem };
    Keyring::parse(text.expose_secret().trim()).map(Some).map_err(invalid)
}

/// Creates a file with a random key at `path`, which must not exist, with mode 0600. The file
/// appears with its complete content.
///
/// # Errors
///
/// Returns why the file cannot be written.
pub fn create(path: &Path) -> Result<Keyring, KeyFileError> {
    let text = Keyring::random_text();
    let unwritable = |source| KeyFileError::Unwritable { path: path.to_owned(), source };
    write(path, text.expose_secret()).map_err(unwritable)?;
    let invalid = |problem| KeyFileError::Invalid { path: path.to_owned(), problem };
    Keyring::parse(text.expose_secret()).map_err(invalid)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension("key.new");
    // A file left by a crash has never been used as a key, and may have another mode.
    fs::remove_file(&unfinished).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    // Unlike a rename, a link never replaces an existing key.
    fs::hard_link(&unfinished, path)?;
    fs::remove_file(&unfinished)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
