//! The server's own log: where it goes and how a line looks.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use super::settings::{LogFormat, LogSettings};

/// Starts logging to standard error. A second start changes nothing.
pub fn init(settings: &LogSettings) {
    let format = settings.format.unwrap_or_else(|| {
        if io::stderr().is_terminal() { LogFormat::Pretty } else { LogFormat::Json }
    });
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&settings.filter))
        .with_writer(io::stderr);
    let started = match format {
        LogFormat::Pretty => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "The log had been started before");
    }
}
