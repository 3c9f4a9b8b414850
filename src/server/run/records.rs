//! The portal's records behind their ports, all in one database.

use std::sync::Arc;

use super::StartError;
use crate::server::{
    audit::AuditLog,
    auth::accounts::Accounts,
    notifier::Notifier,
    platform::call_slots::CallSlots,
    settings::StoreSettings,
    store::{SealedSecrets, Store, postgres::PostgresStore, sqlite::SqliteStore},
};

/// Opens the records for a command, beside a portal that may be running.
///
/// # Errors
///
/// Returns why they cannot be used.
pub async fn open_for_cli(settings: &StoreSettings) -> Result<Records, StartError> {
    Ok(match settings {
        StoreSettings::Sqlite { path } => {
            Records::of(Arc::new(SqliteStore::open_for_cli(path).await?))
        }
        StoreSettings::Postgres { url } => {
            Records::of(Arc::new(PostgresStore::open_for_cli(url).await?))
        }
    })
}

/// The portal's records.
pub struct Records {
    /// Deployments.
    pub store: Arc<dyn Store>,
    /// People, their sessions and tokens.
    pub accounts: Arc<dyn Accounts>,
    /// The audit log.
    pub audit: Arc<dyn AuditLog>,
    /// The sealed secrets of all stacks.
    pub secrets: Arc<dyn SealedSecrets>,
    /// The slots of calls, where portals share them.
    pub slots: Option<Arc<dyn CallSlots>>,
}

impl Records {
    /// Opens the database; what other portals do to it nudges `notifier`.
    pub(super) async fn open(
        settings: &StoreSettings,
        notifier: &Arc<Notifier>,
    ) -> Result<Self, StartError> {
        Ok(match settings {
            StoreSettings::Sqlite { path } => Self::of(Arc::new(SqliteStore::open(path).await?)),
            StoreSettings::Postgres { url } => {
                let store = Arc::new(PostgresStore::open(url, Arc::clone(notifier)).await?);
                Self { slots: Some(Arc::<PostgresStore>::clone(&store)), ..Self::of(store) }
            }
        })
    }

    fn of<T: Store + Accounts + AuditLog + SealedSecrets + 'static>(database: Arc<T>) -> Self {
        Self {
            store: Arc::<T>::clone(&database),
            accounts: Arc::<T>::clone(&database),
            audit: Arc::<T>::clone(&database),
            secrets: database,
            slots: None,
        }
    }
}
