//! Chooses where call slots are stored: in the database that portals share, or in the memory of a
//! portal that shares none.

use std::sync::Arc;

use jiff::Timestamp;

use super::{StartError, owner};
use crate::server::{
    operations,
    platform::{
        call_slots::{CallBounds, CallSlots},
        local_slots::LocalCallSlots,
    },
    saga::{CallGate, calls_under_way},
    settings::StoreSettings,
    store::{Store, postgres::PostgresStore, sqlite::SqliteStore},
};

/// Creates the call gate of a portal. Without `shared` slots, the calls during which an earlier
/// process stopped still take slots.
pub(super) async fn of_portal(
    store: &dyn Store,
    shared: Option<Arc<dyn CallSlots>>,
    bounds: CallBounds,
    now: Timestamp,
) -> Arc<CallGate> {
    let slots = match shared {
        Some(shared) => shared,
        None => match calls_under_way(store, &operations::all(), bounds, now).await {
            Ok((calls, until)) => Arc::new(LocalCallSlots::after(&calls, until)),
            Err(error) => {
                tracing::warn!(%error, "Could not read the call slots in use");
                Arc::new(LocalCallSlots::default())
            }
        },
    };
    Arc::new(CallGate::new(slots, bounds, owner()))
}

/// Opens the database for a command that calls the platform. A portal may be running.
pub(super) async fn open_records_for_cli(
    settings: &StoreSettings,
    bounds: CallBounds,
) -> Result<(Arc<dyn Store>, Arc<CallGate>), StartError> {
    let (store, slots): (Arc<dyn Store>, Arc<dyn CallSlots>) = match settings {
        StoreSettings::Sqlite { path } => {
            (Arc::new(SqliteStore::open_for_cli(path).await?), Arc::<LocalCallSlots>::default())
        }
        StoreSettings::Postgres { url } => {
            let store = Arc::new(PostgresStore::open_for_cli(url).await?);
            (Arc::<PostgresStore>::clone(&store), store)
        }
    };
    Ok((store, Arc::new(CallGate::new(slots, bounds, owner()))))
}
