//! Why a command could not be carried out, for the person who gave it.

use std::{io, net::SocketAddr};

use leptos::config::errors::LeptosConfigError;

use crate::server::{
    config::ConfigError, ports::store::StoreError, reconciler::SurveyError, run::StartError,
    store::sqlite::CopyError,
};
use dokploy_sandbox::StartSandboxError;

/// A command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The portal did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The sandbox did not start alone.
    #[error(transparent)]
    Sandbox(#[from] StartSandboxError),
    /// It is not known where the built site lies.
    #[error("Leptos.toml cannot be read: start the portal in the folder that holds it")]
    Site(#[from] LeptosConfigError),
    /// The portal on this machine does not listen.
    #[error("the portal at {addr} cannot be reached")]
    Unreachable {
        /// Where it should listen.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The portal on this machine takes too long.
    #[error("the portal at {0} does not answer in time")]
    Silent(SocketAddr),
    /// The portal on this machine answers that it cannot serve requests.
    #[error("the portal at {0} is not ready")]
    NotReady(SocketAddr),
    /// There is no platform that could be asked.
    #[error(
        "no DOKPLOY_URL is set: the embedded sandbox runs inside the portal's process, so this \
         command has no platform to compare the database with"
    )]
    NoPlatform,
    /// Records and platform could not be compared.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// The records cannot be read or changed.
    #[error("the portal's database cannot be used")]
    Records(#[from] StoreError),
    /// The records were not copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// PostgreSQL has its own programs.
    #[error("the records are in PostgreSQL: {0}")]
    Postgres(&'static str),
    /// Nothing but a portal begins afresh.
    #[error("--new starts a new portal: use it without a subcommand")]
    NewCommand,
    /// Nothing that is stuck goes by the name that was given.
    #[error("no stuck operation is called {0:?}: see `stuck list`")]
    NotStuck(String),
    /// A part of the portal ended while it ran: whoever started it is to start it again.
    #[error("the portal's {0} ended unexpectedly, see the log")]
    Broken(&'static str),
    /// The system refused something that every command needs.
    #[error("{doing} failed")]
    System {
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl CommandError {
    /// Says what was being done when the system refused it.
    pub(super) fn system(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { doing, source }
    }
}
