//! The schema's generation: what the tables mean, as a number that only later versions raise.
//!
//! A program writes only where it is the one that it was built for.

use sqlx::migrate::MigrateError;

use crate::server::store::StoreError;

/// The generation that this program was built for.
pub(super) const BUILT_FOR: i64 = 2;
/// Checks the generation that was found in the database.
///
/// # Errors
///
/// Returns the other one.
pub(super) fn check(found: Option<i64>) -> Result<(), StoreError> {
    match found {
        Some(BUILT_FOR) => Ok(()),
        Some(found) => Err(StoreError::OtherGeneration { found, built_for: BUILT_FOR }),
        None => Err(StoreError::Corrupt { what: "schema generation" }),
    }
}

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
    /// Returns whether a database of this generation, if it has one yet, is a newer version's.
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
