//! The portal's records behind their ports, all in one database.

use std::sync::Arc;

use super::StartError;
use crate::server::{
    audit::AuditLog,
    auth::accounts::Accounts,
    notifier::Notifier,
    platform::call_slots::CallSlots,
    settings::StoreSettings,
    store::{Store, postgres::PostgresStore, sqlite::SqliteStore},
};

/// The portal's records.
pub(super) struct Records {
    /// Deployments.
    pub store: Arc<dyn Store>,
    /// People, their sessions and tokens.
    pub accounts: Arc<dyn Accounts>,
    /// The audit log.
    pub audit: Arc<dyn AuditLog>,
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

    fn of<T: Store + Accounts + AuditLog + 'static>(database: Arc<T>) -> Self {
        Self {
            store: Arc::<T>::clone(&database),
            accounts: Arc::<T>::clone(&database),
            audit: database,
            slots: None,
        }
    }
}
