//! What the bytes of a database and of the write-ahead log beside it say, without SQLite: it would
//! take up a log that belongs to another database, and delete one that lies beside an empty file.
//!
//! Both carry a mark in the database header's `user_version`
//! (<https://www.sqlite.org/fileformat2.html>): a number that changes whenever the log begins
//! anew, and a bit that says whether there is more in the log.

use std::{collections::BTreeSet, fs::File, io, os::unix::fs::FileExt as _, path::Path};

use super::files;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Where `user_version` stands in a database's first page.
const MARK: u64 = 60;
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// What a database file and the log beside it belong together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OperationTag(u32);

impl OperationTag {
    /// Makes a mark that no database has yet, for one that has all its records in itself.
    pub(super) fn new() -> Self {
        Self(rand::random_range(1..=u32::MAX >> 2) << 1)
    }

    /// Makes one of the number in `user_version`.
    pub(super) fn of(user_version: i32) -> Self {
        Self(user_version.cast_unsigned())
    }

    /// Returns the same mark for a database that is nothing without its log.
    pub(super) fn needs_log(self) -> Self {
        Self(self.0 | 1)
    }

    /// Returns the number for `user_version`.
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
    /// There is none.
    Missing,
    /// It has no length.
    Empty,
    /// It is no database of SQLite's.
    Other,
    /// A database.
    Database(OperationTag),
}

/// What lies there.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) main: Main,
    /// True if the log holds anything.
    pub(super) has_log: bool,
    /// The marks in the log.
    tokens: BTreeSet<u32>,
}

impl Look {
    /// Looks at the database at `path`. Nobody may be writing to it.
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

    /// Returns whether `mark`'s database lacks its log.
    pub(super) fn lacks_log(&self, mark: OperationTag) -> bool {
        mark.needs_log() == mark && !self.has_log
    }

    /// Returns whether the log is another database's than `mark`'s.
    pub(super) fn is_mixed(&self, mark: OperationTag) -> bool {
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
        Some(mark) if is_database => Main::Database(OperationTag(mark)),
        Some(_) | None => Main::Other,
    })
}

/// Collects the marks of all first pages in the log, as far as its frames are of one go.
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
            found.insert(OperationTag(mark).token());
        }
        at += frame;
    }
    Ok(found)
}

fn number(file: &File, at: u64) -> io::Result<Option<u32>> {
    let mut bytes = [0; 4];
    Ok(filled(file, &mut bytes, at)?.then(|| u32::from_be_bytes(bytes)))
}

/// Fills `bytes` from the file, and tells whether it was long enough.
fn filled(file: &File, bytes: &mut [u8], at: u64) -> io::Result<bool> {
    match file.read_exact_at(bytes, at) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
