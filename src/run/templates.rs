//! Reads the templates at the start, and again when their files change or on `SIGUSR1`.

use std::sync::Arc;
use std::time::Duration;

use catalogue::{Fault, Severity};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::server::catalogue::Offers;
use crate::server::settings::Settings;
use crate::server::store::Templates;
use clock::Clock;

/// The interval between two looks at the files.
const INTERVAL: Duration = Duration::from_secs(5);

/// Reads the templates, and logs what is wrong with them.
pub(super) async fn of_portal(settings: &Settings, store: &dyn Templates) -> Arc<Offers> {
    let used = store.used_templates().await.unwrap_or_else(|error| {
        tracing::warn!(%error, "Could not read which versions of templates are used");
        Vec::new()
    });
    let (source, stack) = (settings.catalogue.clone(), settings.stack.clone());
    let reading = spawn_blocking(move || Offers::read(source, &stack, used));
    let (offers, faults) = match reading.await {
        Ok(read) => read,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    };
    log(&faults);
    if offers.current().iter().next().is_none() {
        tracing::error!(
            "There is no template, so no stack can be started: add one to the folder of CATALOGUE"
        );
    }
    Arc::new(offers)
}

/// Listens for `SIGUSR1`, which would end the portal otherwise.
pub(super) fn listen() -> Option<Signal> {
    signal(SignalKind::user_defined1())
        .inspect_err(|error| tracing::warn!(%error, "Cannot listen for SIGUSR1"))
        .ok()
}

/// Reads the templates again whenever their files change or they are `asked` for, until `shutdown`.
pub(super) async fn reread(
    offers: Arc<Offers>,
    mut asked: Option<Signal>,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) {
    loop {
        let is_asked = tokio::select! {
            () = shutdown.cancelled() => return,
            () = clock.sleep(INTERVAL) => false,
            () = next(asked.as_mut()) => true,
        };
        let read = Arc::clone(&offers);
        let reread = spawn_blocking(move || read.reread(is_asked)).await;
        if let Ok(Some(faults)) = reread {
            tracing::info!("Read the catalogue again");
            log(&faults);
        }
    }
}

/// Waits for the next signal. Never returns if none can be received.
async fn next(signal: Option<&mut Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending::<()>().await;
}

fn log(faults: &[Fault]) {
    for fault in faults {
        match fault.severity {
            Severity::Error => tracing::error!("{fault}"),
            Severity::Warning => tracing::warn!("{fault}"),
        }
    }
}
