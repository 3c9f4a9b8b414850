//! Inspects the bytes of a database and of the write-ahead log beside it, without SQLite. SQLite
//! would apply a log that belongs to another database, and delete one that is beside an empty file.
//!
//! Both carry a mark in the database header's `user_version`
//! (<https://www.sqlite.org/fileformat2.html>): a number that changes at each checkpoint, and a bit
//! that says that the file is incomplete without its log.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::files;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The offset of `user_version` in a database's first page.
const MARK: u64 = 60;
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// The mark that shows whether a database file and a log belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileMark(u32);

impl FileMark {
    /// Returns a new random mark, for a file that is complete without a log.
    pub(super) fn new() -> Self {
        Self(rand::random_range(1..=u32::MAX >> 2) << 1)
    }

    /// Returns the mark in `user_version`.
    pub(super) fn of(user_version: i32) -> Self {
        Self(user_version.cast_unsigned())
    }

    /// Returns the same mark for a file that is incomplete without its log.
    pub(super) fn needs_log(self) -> Self {
        Self(self.0 | 1)
    }

    /// Returns the value for `user_version`.
    pub(super) fn user_version(self) -> i32 {
        self.0.cast_signed()
    }

    fn token(self) -> u32 {
        self.0 >> 1
    }
}

/// The state of a database file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Main {
    /// The file does not exist.
    Missing,
    /// The file is empty.
    Empty,
    /// The file is not an SQLite database.
    Other,
    /// An SQLite database with this mark.
    Database(FileMark),
}

/// The state of a database file and its log.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) main: Main,
    /// True if the log contains frames.
    pub(super) has_log: bool,
    /// The numbers of the marks in the log.
    tokens: BTreeSet<u32>,
}

impl Look {
    /// Inspects the database at `path`. No other process may write to it.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let main = match File::open(path) {
            Ok(file) => main(&file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Main::Missing,
            Err(error) => return Err(error),
        };
        let (has_log, tokens) = match File::open(files::log(path)) {
            Ok(file) => (file.metadata()?.len() > LOG_HEADER, tokens(&file)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (false, BTreeSet::new()),
            Err(error) => return Err(error),
        };
        Ok(Self { main, has_log, tokens })
    }

    /// Returns whether a file with this `mark` is incomplete because its log is missing.
    pub(super) fn lacks_log(&self, mark: FileMark) -> bool {
        mark.needs_log() == mark && !self.has_log
    }

    /// Returns whether the log belongs to another database than one with this `mark`.
    pub(super) fn is_mixed(&self, mark: FileMark) -> bool {
        !self.tokens.is_empty() && !self.tokens.contains(&mark.token())
    }
}

fn main(file: &File) -> io::Result<Main> {
    if file.metadata()?.len() == 0 {
        return Ok(Main::Empty);
    }
    let mut magic = [0; MAGIC.len()];
    let is_database = filled(file, &mut magic, 0)? && &magic == MAGIC;
    Ok(match number(file, MARK)? {
        Some(mark) if is_database => Main::Database(FileMark(mark)),
        Some(_) | None => Main::Other,
    })
}

/// Collects the numbers of the marks in all copies of the first page in the log. Frames with
/// another salt are left over from before the last checkpoint.
fn tokens(log: &File) -> io::Result<BTreeSet<u32>> {
    let mut found = BTreeSet::new();
    let (Some(page), Some(salt)) = (number(log, 8)?, number(log, 16)?) else { return Ok(found) };
    let frame = FRAME_HEADER + u64::from(page);
    let mut at = LOG_HEADER;
    while let (Some(number_of_page), Some(own)) = (number(log, at)?, number(log, at + 8)?) {
        if own != salt {
            break;
        }
        if let (1, Some(mark)) = (number_of_page, number(log, at + FRAME_HEADER + MARK)?) {
            found.insert(FileMark(mark).token());
        }
        at += frame;
    }
    Ok(found)
}

fn number(file: &File, at: u64) -> io::Result<Option<u32>> {
    let mut bytes = [0; 4];
    Ok(filled(file, &mut bytes, at)?.then(|| u32::from_be_bytes(bytes)))
}

/// Fills `bytes` from the file at offset `at`; returns false if the file is too short.
fn filled(file: &File, bytes: &mut [u8], at: u64) -> io::Result<bool> {
    match file.read_exact_at(bytes, at) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
