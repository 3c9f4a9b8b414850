//! The errors of commands, with messages for the person at the terminal.

use std::error::Error;
use std::net::SocketAddr;
use std::{io, iter};

use leptos::config::errors::LeptosConfigError;

use crate::run::StartError;
use crate::server::config::ConfigError;
use crate::server::reconciler::SurveyError;
use crate::server::sqlite_file::CopyError;
use crate::server::store::StoreError;
use dokploy_sandbox::StartSandboxError;

/// A command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The portal did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The sandbox did not start as a process of its own.
    #[error(transparent)]
    Sandbox(#[from] StartSandboxError),
    /// The folder of the built site is unknown.
    #[error("Leptos.toml cannot be read: start the portal in the folder that holds it")]
    Site(#[from] LeptosConfigError),
    /// Nothing accepts connections at the portal's address on this machine.
    #[error("the portal at {addr} cannot be reached")]
    Unreachable {
        /// The address at which the portal should listen.
        addr: SocketAddr,
        /// The reason.
        source: io::Error,
    },
    /// The portal on this machine did not answer within the time limit.
    #[error("the portal at {0} does not answer in time")]
    Silent(SocketAddr),
    /// The portal on this machine answers that it cannot serve requests.
    #[error("the portal at {0} is not ready")]
    NotReady(SocketAddr),
    /// No platform is configured that the command could query.
    #[error(
        "no DOKPLOY_URL is set: the embedded sandbox runs inside the portal's process, so this \
         command has no platform to compare the database with"
    )]
    NoPlatform,
    /// The database and the platform could not be compared.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// The database cannot be read or changed.
    #[error("the portal's database cannot be used")]
    Store(#[from] StoreError),
    /// A backup, a restore or a new start failed.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The command supports only SQLite: PostgreSQL has its own backup programs.
    #[error("the database is in PostgreSQL: {0}")]
    Postgres(&'static str),
    /// There is no key under which secrets could be sealed.
    #[error(
        "the portal has no key yet: set PORTAL_SECRET_KEY, to 32 random bytes as `openssl rand \
         -base64 32` prints them"
    )]
    NoKey,
    /// `--new` was combined with a subcommand, but only the portal itself can start anew.
    #[error("--new starts a new portal: use it without a subcommand")]
    NewCommand,
    /// No stuck operation has the given name.
    #[error("no stuck operation is called {0:?}: see `stuck list`")]
    NotStuck(String),
    /// A part of the portal ended unexpectedly, so the portal exits. Its service manager should
    /// restart it.
    #[error("the portal's {0} ended unexpectedly, see the log")]
    Broken(&'static str),
    /// The operating system refused something that every command needs.
    #[error("{doing} failed")]
    System {
        /// The action that failed.
        doing: &'static str,
        /// The reason.
        source: io::Error,
    },
}

impl CommandError {
    /// Returns a function that adds to an error of the operating system which action failed.
    pub(super) fn system(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { doing, source }
    }
}

/// Says what went wrong and why, without saying anything twice.
pub fn sentence<'a>(error: &'a (dyn Error + 'static)) -> String {
    let causes = iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        error.source()
    });
    causes.map(ToString::to_string).fold(String::new(), |said, cause| {
        match (said.is_empty(), said.contains(&cause)) {
            (true, _) => cause,
            (false, true) => said,
            (false, false) => format!("{said}: {cause}"),
        }
    })
}
