//! Findings: differences between the database and the platform, described for operators.

use std::fmt;

use super::drift::Drift;
use super::row::RowDrift;
use crate::server::platform::{AppName, ApplicationId, DomainId};
use crate::server::reconciler::report::Standstill;
use crate::server::visible;
use domain::deployment::DeploymentId;
use domain::receipt::ResourceKind;
use domain::stack_name::StackName;

/// A difference between the database and the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A resource with the marker of a deployment that ended with nothing left.
    Leftover {
        /// The deployment.
        id: DeploymentId,
        /// The resource.
        resource: Resource,
    },
    /// A resource with the marker of a live stack's deployment, which recorded another resource of
    /// this kind.
    Duplicate {
        /// The deployment.
        id: DeploymentId,
        /// The resource.
        resource: Resource,
    },
    /// A resource with a marker of this portal that is not in the database.
    Unknown {
        /// The marker.
        marker: String,
        /// The resource.
        resource: Resource,
    },
    /// A resource with the marker of a deployment, but a name that the portal never gives: somebody
    /// may have copied a resource of the portal.
    Copy {
        /// The deployment.
        id: DeploymentId,
        /// The resource.
        resource: Resource,
    },
    /// A service of ours whose application is gone, so that no call of Dokploy can remove it.
    Service {
        /// The service.
        name: AppName,
        /// The deployment that created it.
        id: DeploymentId,
    },
    /// A resource of a live stack is missing on the platform.
    Lost {
        /// The stack.
        name: StackName,
        /// Its deployment.
        id: DeploymentId,
        /// The kind of the resource.
        part: ResourceKind,
    },
    /// A volume of this portal that no stack and no kept data has.
    StrayVolume {
        /// Its name.
        volume: String,
    },
    /// A volume of kept data is missing on the platform.
    LostData {
        /// The id of the data.
        id: String,
        /// The name of the stack whose data it was.
        name: StackName,
        /// The name of the volume.
        volume: String,
        /// True if no volume of the data is left.
        is_all: bool,
    },
    /// No container of a live stack runs.
    NotRunning {
        /// The stack.
        name: StackName,
        /// Its deployment.
        id: DeploymentId,
        /// Its application, which exists.
        application: ApplicationId,
        /// Its service, which may not exist.
        service: AppName,
        /// The cause, as far as the platform shows it.
        why: Standstill,
    },
    /// A live stack runs something else than its revision.
    Drift {
        /// The stack.
        name: StackName,
        /// Its deployment.
        id: DeploymentId,
        /// Its application.
        application: ApplicationId,
        /// What differs.
        drift: Drift,
    },
    /// The platform's row of a live stack holds something else than its revision, which its next
    /// container will be made of.
    RowDrift {
        /// The stack.
        name: StackName,
        /// Its deployment.
        id: DeploymentId,
        /// Its application.
        application: ApplicationId,
        /// What differs.
        drift: RowDrift,
    },
    /// The platform does not route a live stack's host to it.
    Unrouted {
        /// The stack.
        name: StackName,
        /// Its host.
        host: String,
        /// The application to which the host should route.
        application: ApplicationId,
    },
    /// The portal's file of the reverse proxy was missing or different, and was written again.
    RetryLost {
        /// Its path.
        path: String,
    },
    /// The reverse proxy does not have the portal's middleware, or the portal may not look after it.
    NoRetry {
        /// The path of its file.
        path: String,
        /// The reason.
        why: String,
        /// The number of domains that named it, and no longer do.
        detached: usize,
    },
    /// The platform routes a live stack's host also to something else.
    Contested {
        /// The stack.
        name: StackName,
        /// Its host.
        host: String,
        /// The domain that the portal did not create.
        domain: DomainId,
    },
}

/// A resource on the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The resource.
    pub kind: ResourceKind,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl Finding {
    /// Returns the resource to remove and the deployment whose marker it has; `None` for findings
    /// that are only reported.
    pub fn removable(&self) -> Option<(&DeploymentId, &Resource)> {
        match self {
            Self::Leftover { id, resource } | Self::Duplicate { id, resource } => {
                Some((id, resource))
            }
            Self::Unknown { .. }
            | Self::Copy { .. }
            | Self::Service { .. }
            | Self::Lost { .. }
            | Self::StrayVolume { .. }
            | Self::LostData { .. }
            | Self::NotRunning { .. }
            | Self::Drift { .. }
            | Self::RowDrift { .. }
            | Self::Unrouted { .. }
            | Self::RetryLost { .. }
            | Self::NoRetry { .. }
            | Self::Contested { .. } => None,
        }
    }

    /// Returns the deployment of the live stack that does not run, if the finding is about one.
    pub fn not_running(&self) -> Option<&DeploymentId> {
        match self {
            Self::NotRunning { id, .. } => Some(id),
            Self::Leftover { .. }
            | Self::Duplicate { .. }
            | Self::Unknown { .. }
            | Self::Copy { .. }
            | Self::Service { .. }
            | Self::Lost { .. }
            | Self::StrayVolume { .. }
            | Self::LostData { .. }
            | Self::Drift { .. }
            | Self::RowDrift { .. }
            | Self::Unrouted { .. }
            | Self::RetryLost { .. }
            | Self::NoRetry { .. }
            | Self::Contested { .. } => None,
        }
    }

    /// Returns whether `other`, from another look, is the same finding. The cause why a stack does
    /// not run may differ.
    pub(super) fn is_found_again(&self, other: &Self) -> bool {
        let (own, others) = (self.not_running(), other.not_running());
        self == other || (own.is_some() && own == others)
    }
}

impl Resource {
    /// Returns how to delete it manually without leaving a part of it behind.
    fn deletion(&self) -> &'static str {
        match self.kind {
            ResourceKind::Project => {
                "delete what is in it in Dokploy while no deployment of it is running or queued \
                 there, and then the project: in the other order containers are left behind"
            }
            ResourceKind::Application | ResourceKind::Service => {
                "delete it in Dokploy while no deployment of it is running or queued there"
            }
            ResourceKind::Domain => "delete it in Dokploy",
            ResourceKind::Volume => "remove it in Docker, once nobody needs its data",
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} {} ({})", self.kind.noun(), visible::name(&self.name), self.id)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leftover { id, resource } => {
                write!(f, "{resource} appeared after {id} had ended without it")
            }
            Self::Duplicate { id, resource } => {
                write!(f, "{resource} is a duplicate: {id} is live with another one")
            }
            Self::Unknown { marker, resource } => write!(
                f,
                "{resource} has the marker {marker}, which is not in the database. The database \
                 may have been lost or restored from an older copy: if nobody needs this, {}",
                resource.deletion()
            ),
            Self::Copy { id, resource } => write!(
                f,
                "{resource} has the marker of {id} but another name. It may be a copy: if it is \
                 yours, change its description; if not, {}",
                resource.deletion()
            ),
            Self::Service { name, id } => write!(
                f,
                "the container {name} of {id} runs without an application, so Dokploy cannot \
                 remove it: docker service rm {name}"
            ),
            Self::Lost { name, id, part } => write!(
                f,
                "the {} of {name} ({id}) is gone from the platform, although the stack should be \
                 live: remove the stack in the portal, which frees the name",
                part.noun()
            ),
            Self::StrayVolume { volume } => write!(
                f,
                "the volume {volume} belongs to no stack and to no kept data: if nobody needs what \
                 is in it, docker volume rm {volume}"
            ),
            Self::LostData { id, name, volume, is_all } => {
                let so = if *is_all {
                    "the data cannot be brought back"
                } else {
                    "a stack that brings the data back begins with an empty volume in its place"
                };
                write!(
                    f,
                    "the volume {volume} of the kept data {id} of {name} is gone from the platform, \
                     so {so}: restore it under this name, or delete the data in the portal"
                )
            }
            Self::NotRunning { name, id, application, service, why } => {
                write!(f, "the stack {name} ({id}) is not running: ")?;
                why.explain(f, application, service)
            }
            Self::Drift { name, id, application, drift } => write!(
                f,
                "the stack {name} ({id}) runs {drift}: somebody may have changed the application \
                 {application} in Dokploy, or Docker went back to what ran before. To bring back \
                 what the portal recorded, change the application back in Dokploy and reload it \
                 there, or change the stack in the portal"
            ),
            Self::RowDrift { name, id, application, drift } => write!(
                f,
                "the application {application} of the stack {name} ({id}) has {drift} in Dokploy, \
                 which its next reload or deployment there applies: somebody may have changed it. \
                 Change it back in Dokploy, or change the stack in the portal, which writes it anew"
            ),
            Self::Unrouted { name, host, application } => write!(
                f,
                "the host {host} of {name} does not route to it: add the domain to the application \
                 {application} in Dokploy, or remove the stack in the portal"
            ),
            Self::RetryLost { path } => write!(
                f,
                "the file {path} of the reverse proxy was missing or different, and the portal \
                 wrote it again: until then the stacks whose domains name its middleware answered \
                 404, so find out who changes it"
            ),
            Self::NoRetry { path, why, detached } => {
                write!(
                    f,
                    "the portal has no retry middleware of the reverse proxy to rely on, so visitors \
                     may get an error for some seconds while a container is replaced: {why}. Its \
                     file is {path}: check that the key may write it, that the proxy can read every file of \
                     the folder, and that requests to its port 80 are not redirected"
                )?;
                if *detached > 0 {
                    write!(
                        f,
                        ". It was taken out of the domains that named it, and so answered 404: \
                         {detached}"
                    )?;
                }
                Ok(())
            }
            Self::Contested { name, host, domain } => write!(
                f,
                "the host {host} of {name} also routes to something that the portal did not \
                 create: find its owner, and if nobody needs it there, delete the domain {domain} \
                 in Dokploy"
            ),
        }
    }
}

impl Standstill {
    /// Writes the cause and the remedy. Reloading recreates the service from the application's row;
    /// starting fails if the service is gone (recordings day-two 360 to 362).
    fn explain(
        self,
        f: &mut fmt::Formatter<'_>,
        application: &ApplicationId,
        service: &AppName,
    ) -> fmt::Result {
        let reload = format!(
            "to start it again, set the application {application} in Dokploy to 1 replica, and \
             reload it there; nothing has to be deleted"
        );
        match self {
            Self::NoService => write!(f, "its service {service} is gone from Docker; {reload}"),
            Self::ScaledToNothing => {
                write!(f, "its service {service} is scaled to 0 replicas; {reload}")
            }
            Self::KeepsEnding => write!(
                f,
                "its container stops repeatedly, or cannot be started, and Docker keeps trying; \
                 why: docker service ps --no-trunc {service}, and the log of the application \
                 {application} in Dokploy"
            ),
            Self::NotStarted => write!(
                f,
                "Docker has not started its container, and keeps trying; to see why: docker \
                 service ps --no-trunc {service}"
            ),
        }
    }
}
