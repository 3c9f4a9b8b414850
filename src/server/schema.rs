//! The schema of the database: the migrations that make it, and its generation.
//!
//! The generation is what the tables mean, as a number that only a migration raises, and only when
//! older programs would misread or spoil what is there. A program writes only where the number is
//! the one that it was built for, so replicas of two versions never write beside each other.

use sqlx::migrate::{MigrateError, Migrator};

/// The generation that this program was built for.
pub(super) const BUILT_FOR: i64 = 2;

/// What brings the tables of a SQLite database up to date.
pub(super) static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
/// What brings the tables of a PostgreSQL database up to date.
pub(super) static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// The database is another version's.
#[derive(Debug, thiserror::Error)]
#[error(
    "the database belongs to another version of the portal, because {what}: start that version, or \
     restore a copy that was made before the update"
)]
pub struct OtherVersion {
    what: String,
}

impl OtherVersion {
    /// Returns an error if a database of this generation, if it has one yet, is a newer version's.
    pub(super) fn of(found: Option<i64>) -> Result<(), Self> {
        match found {
            // The migrations raise an older one.
            Some(..=BUILT_FOR) | None => Ok(()),
            Some(found) => {
                let what = format!(
                    "its schema has generation {found} and this version was built for {BUILT_FOR}"
                );
                Err(Self { what })
            }
        }
    }

    /// Returns whether the tables cannot be brought up to date because a newer version did it.
    pub(super) fn of_migration(error: &MigrateError) -> Option<Self> {
        match error {
            MigrateError::VersionMissing(number) => {
                Some(Self { what: format!("this version does not know its migration {number}") })
            }
            _ => None,
        }
    }
}
