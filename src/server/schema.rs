//! The schema of the database: its migrations, and its generation.
//!
//! The generation is a number that a migration raises only if older versions would misinterpret or
//! damage the data. A program writes only if the number is the one that it was built for. So
//! replicas of versions with different generations never write at the same time.

use sqlx::migrate::{Migrate, MigrateError, Migrator};

/// The generation that this program was built for.
pub(super) const BUILT_FOR: i64 = 9;

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

/// Checks, without changing anything, that the migrations that were applied to a database are those
/// of `known`, or the first of them.
///
/// # Errors
///
/// Returns what a run of the migrations would reject. [`MigrateError::VersionMismatch`] with the
/// number of the first one means that they are those of another program.
pub(super) async fn check_applied(
    known: &Migrator,
    connection: &mut impl Migrate,
) -> Result<(), MigrateError> {
    if let Some(number) = connection.dirty_version(&known.table_name).await? {
        return Err(MigrateError::Dirty(number));
    }
    let applied = connection.list_applied_migrations(&known.table_name).await?;
    let first = known.iter().next().filter(|_| !applied.is_empty());
    if let Some(first) = first
        && !applied
            .iter()
            .any(|one| (one.version, &one.checksum) == (first.version, &first.checksum))
    {
        return Err(MigrateError::VersionMismatch(first.version));
    }
    for one in applied {
        match known.iter().find(|known| known.version == one.version) {
            Some(known) if known.checksum == one.checksum => {}
            Some(known) => return Err(MigrateError::VersionMismatch(known.version)),
            None => return Err(MigrateError::VersionMissing(one.version)),
        }
    }
    Ok(())
}

/// Returns whether `error` of [`check_applied`] means that another program made the tables.
pub(super) fn is_of_other_program(known: &Migrator, error: &MigrateError) -> bool {
    let first = known.iter().next().map(|first| first.version);
    matches!(error, MigrateError::VersionMismatch(number) if Some(*number) == first)
}
