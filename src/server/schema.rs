//! The schema of the database: its migrations, and its generation.
//!
//! The generation is a number that a migration raises only if older versions would misinterpret or
//! damage the data. A program writes only if the number is the one that it was built for. So
//! replicas of versions with different generations never write at the same time.

use sqlx::migrate::{MigrateError, Migrator};

/// The generation that this program was built for.
pub(super) const BUILT_FOR: i64 = 4;

/// The migrations of a SQLite database.
pub(super) static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
/// The migrations of a PostgreSQL database.
pub(super) static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

/// The database belongs to another version of the portal.
#[derive(Debug, thiserror::Error)]
#[error(
    "the database belongs to another version of the portal, because {what}: start that version, or \
     restore a copy that was made before the update"
)]
pub struct OtherVersion {
    what: String,
}

impl OtherVersion {
    /// Returns an error if the generation `found` in a database is newer than this program's.
    pub(super) fn of(found: Option<i64>) -> Result<(), Self> {
        match found {
            // The migrations raise an older generation.
            Some(..=BUILT_FOR) | None => Ok(()),
            Some(found) => {
                let what = format!(
                    "its schema has generation {found} and this version was built for {BUILT_FOR}"
                );
                Err(Self { what })
            }
        }
    }

    /// Returns the error of this type if `error` means that a newer version has migrated the
    /// tables.
    pub(super) fn of_migration(error: &MigrateError) -> Option<Self> {
        match error {
            MigrateError::VersionMissing(number) => {
                Some(Self { what: format!("this version does not know its migration {number}") })
            }
            _ => None,
        }
    }
}
