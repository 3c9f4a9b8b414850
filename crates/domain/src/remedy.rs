//! Remedies: what can be done about a resource that is left, as a code with its arguments.
//!
//! Receipts keep the code. The sentence is made from it where it leaves the portal. It must not
//! know any language, except for what older versions recorded.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::platform_problem::{CallFailure, PlatformProblem};

/// What can be done about a resource that is left. On the wire it is `code` and `args`, beside the
/// sentence `remedy`.
///
/// Its codes and arguments are persisted: never rename.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "code", content = "args", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Remedy {
    /// Remove the service on the Dokploy server.
    RemoveService {
        /// Its name.
        service: String,
    },
    /// Remove the volume on the Dokploy server.
    RemoveVolume {
        /// Its name.
        volume: String,
    },
    /// Delete the domain.
    DeleteDomain(Named),
    /// Delete the application, while that leaves no service behind.
    DeleteApplication(Named),
    /// Delete the project.
    DeleteProject(Named),
    /// Delete what is in the project, and then the project.
    EmptyProject(Named),
    /// Find the owner of what is in the project and is not the portal's.
    FindOwner(Named),
    /// Mark the application as the portal's again.
    MarkApplication {
        /// Which.
        #[serde(flatten)]
        named: Named,
        /// The portal's marker.
        marker: String,
    },
    /// Mark the project as the portal's again.
    MarkProject {
        /// Which.
        #[serde(flatten)]
        named: Named,
        /// The portal's marker.
        marker: String,
    },
    /// Move the application back into its project, or delete it where it is.
    MoveBack {
        /// Its id.
        application: String,
        /// The name of the project.
        project: String,
    },
    /// Do this about the application of the service.
    WithApplication {
        /// What to do.
        remedy: Box<Self>,
    },
    /// Delete the reverse proxy's file, or replace its content.
    ReplaceRouteFile {
        /// Its path.
        path: String,
        /// The host that it routes.
        host: String,
        /// The content that routes nothing.
        content: String,
    },
    /// Find out why the reverse proxy applies no change.
    CheckProxy {
        /// The host that it routes.
        host: String,
    },
    /// Nothing: it is gone.
    AlreadyGone,
    /// Wait until the platform's problem is solved.
    AwaitPlatform {
        /// The problem.
        problem: PlatformProblem,
    },
    /// Wait until the platform answers.
    AwaitAnswer {
        /// How the last call failed.
        failure: CallFailure,
    },
    /// Wait until the platform's Docker answers.
    AwaitDocker,
    /// Wait until the platform's deploy job has ended.
    AwaitJob,
    /// Wait until Docker has removed the container.
    AwaitContainer {
        /// Its name.
        container: String,
    },
    /// Wait for the portal's next clean-up.
    AwaitCleanUp {
        /// The marker of what it searches for, if it knows nothing more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        marker: Option<String>,
    },
    /// The sentence of an older version, or of a newer one whose code is unknown.
    #[serde(skip)]
    Sentence(String),
}

/// A resource of the platform.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Named {
    /// Its name; a domain's is its host.
    pub name: String,
    /// Its id.
    pub id: String,
}

/// Who has to do something about a remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemedyKind {
    /// An operator types it into a shell.
    Command,
    /// An operator does it.
    Instruction,
    /// Nobody: it is enough to wait, or there is nothing to do.
    Wait,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.id)
    }
}

impl Remedy {
    /// Returns who has to do something.
    pub fn kind(&self) -> RemedyKind {
        match self {
            Self::RemoveService { .. } | Self::RemoveVolume { .. } => RemedyKind::Command,
            Self::DeleteDomain(_)
            | Self::DeleteApplication(_)
            | Self::DeleteProject(_)
            | Self::EmptyProject(_)
            | Self::FindOwner(_)
            | Self::MarkApplication { .. }
            | Self::MarkProject { .. }
            | Self::MoveBack { .. }
            | Self::WithApplication { .. }
            | Self::ReplaceRouteFile { .. }
            | Self::CheckProxy { .. } => RemedyKind::Instruction,
            Self::AlreadyGone
            | Self::AwaitPlatform { .. }
            | Self::AwaitAnswer { .. }
            | Self::AwaitDocker
            | Self::AwaitJob
            | Self::AwaitContainer { .. }
            | Self::AwaitCleanUp { .. } => RemedyKind::Wait,
            Self::Sentence(older) => match older.split(' ').next() {
                Some("docker") => RemedyKind::Command,
                Some("Waiting" | "Nothing") => RemedyKind::Wait,
                _ => RemedyKind::Instruction,
            },
        }
    }
}
