//! The file `portal.key` beside a SQLite database: the portal's key, where no setting names one.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};

use super::{Keyring, KeyringError};

/// The longest that the file may be, in bytes: no text of keys is longer.
const LONGEST: u64 = 16 * 1024;
/// Whoever else may read, write or run a file, in its mode.
const OTHERS: u32 = 0o077;

/// The file does not hold a key that can be used.
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
    /// Others may read or change it.
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
    /// It holds something else.
    #[error("the portal's key {} {problem}, or put the file back from a copy", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The problem and the remedy, as the rest of a sentence.
        problem: KeyringError,
    },
    /// It cannot be made.
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

/// Returns where the key of the database at `database` is: where a link leads to, if it is one.
pub fn beside(database: &Path) -> PathBuf {
    let database = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
    database.with_file_name("portal.key")
}

/// Reads the key at `path`; `None` where there is no such file.
///
/// # Errors
///
/// Returns why the file cannot be used, and what to do.
pub fn read(path: &Path) -> Result<Option<Keyring>, KeyFileError> {
    let unreadable = |source| KeyFileError::Unreadable { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(unreadable)?;
    let text = SecretString::from(text);
    let invalid = |problem| KeyFileError::Invalid { path: path.to_owned(), problem };
    Keyring::parse(text.expose_secret().trim()).map(Some).map_err(invalid)
}

/// Makes a random key at `path`, where no file is yet, readable for its owner alone. The file is
/// whole as soon as it is there.
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
    // What a crash left is nobody's key yet, and may have another mode.
    fs::remove_file(&unfinished).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    // Unlike a rename, this never replaces a key that is there.
    fs::hard_link(&unfinished, path)?;
    fs::remove_file(&unfinished)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
