//! The steps of a deployment, one file each, run and undo beside each other.

mod address;
pub(super) mod advice;
mod application;
mod attachments;
mod change;
mod configuration;
mod deploy;
mod domain;
mod environment;
mod health;
mod last_log;
mod mounts;
mod named;
mod project;
pub(super) mod removal;
mod routes;
mod row;
mod running;
mod visitors;
mod volumes;

pub(super) use address::CheckAddressFree;
pub(super) use application::CreateApplication;
pub(super) use change::{Prepare, Release, Switch, Watch};
pub(super) use configuration::{Configure, OperationTag};
pub(super) use deploy::{Deploy, stop_jobs};
pub(super) use domain::CreateDomain;
pub(super) use environment::FindEnvironment;
pub(super) use health::{Former, VerifyHealth};
pub(super) use mounts::MountVolumes;
pub(super) use project::{CreateProject, ProjectOutput};
pub(super) use running::{ReplaceContainer, Service, StartService, StopService};
pub(super) use volumes::{AddVolumes, NameVolumes};
