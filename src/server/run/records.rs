//! The store ports of the portal, all implemented by one database.

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

/// Opens the database for a command. A portal may be running.
///
/// # Errors
///
/// Returns why the database cannot be used.
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

/// The store ports of one database.
pub struct Records {
    /// Deployments.
    pub store: Arc<dyn Store>,
    /// People, their sessions and tokens.
    pub accounts: Arc<dyn Accounts>,
    /// The audit log.
    pub audit: Arc<dyn AuditLog>,
    /// The sealed secrets of all stacks.
    pub secrets: Arc<dyn SealedSecrets>,
    /// The call slots that portals share; `None` if this portal shares its database with no other.
    pub slots: Option<Arc<dyn CallSlots>>,
}

impl Records {
    /// Opens the database. Changes by other portals are passed to `notifier`.
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
