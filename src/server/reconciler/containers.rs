//! Finds the services of ours that run no container, and the cause, as far as the platform shows
//! it.
//!
//! While Docker is down, the platform shows no services and no containers at all, and a call may
//! fail: then nothing is concluded. It must not know the database.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use crate::server::platform::{AppName, Platform, PlatformError, Scale, TaskState};
use crate::server::reconciler::report::Standstill;

/// The number of projects or services that the platform is asked about concurrently.
pub(super) const AT_ONCE: usize = 4;

/// The state of a service of ours that does not run according to the platform's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idle {
    /// It runs no container.
    Known(Standstill),
    /// Its last container is about to stop, since no replica is wanted any more.
    Ending(Standstill),
    /// Unknown: the platform or its Docker does not answer.
    Unknown,
}

/// The scale of every service in the platform's list.
pub(super) type Scales = BTreeMap<AppName, Option<Scale>>;

/// Finds those of `ours` that run no container. `listed` are the platform's services: a service
/// that runs according to the list needs no call of its own.
pub(super) async fn idle(
    platform: &dyn Platform,
    ours: BTreeSet<AppName>,
    listed: &Scales,
) -> BTreeMap<AppName, Idle> {
    let runs = |name: &AppName| listed.get(name).copied().flatten().is_some_and(Scale::runs);
    let suspects: Vec<_> = ours.into_iter().filter(|name| !runs(name)).collect();
    if suspects.is_empty() {
        return BTreeMap::new();
    }
    match look(platform, &suspects).await {
        Ok(Some(found)) => found,
        Ok(None) | Err(_) => suspects.into_iter().map(|name| (name, Idle::Unknown)).collect(),
    }
}

/// Looks up the services between two checks that Docker shows a node; `None` if one of the checks
/// fails.
async fn look(
    platform: &dyn Platform,
    names: &[AppName],
) -> Result<Option<BTreeMap<AppName, Idle>>, PlatformError> {
    if platform.node_count().await? == 0 {
        return Ok(None);
    }
    let scales: Scales = platform.scales().await?.into_iter().collect();
    let mut found = BTreeMap::new();
    for some in names.chunks(AT_ONCE) {
        let looks = some.iter().map(|name| async {
            let idle = standstill(platform, name, &scales).await;
            // A failed look-up affects this service only.
            let idle = idle.unwrap_or(Some(Idle::Unknown));
            Ok::<_, PlatformError>(idle.map(|idle| (name.clone(), idle)))
        });
        found.extend(try_join_all(looks).await?.into_iter().flatten());
    }
    let has_node = platform.node_count().await? > 0;
    Ok(has_node.then_some(found))
}

/// Returns why the service runs no container; `None` if it runs one.
async fn standstill(
    platform: &dyn Platform,
    name: &AppName,
    scales: &Scales,
) -> Result<Option<Idle>, PlatformError> {
    let unwanted = match scales.get(name) {
        None => Some(Standstill::NoService),
        Some(Some(scale)) if scale.wanted == 0 => Some(Standstill::ScaledToNothing),
        Some(_) => None,
    };
    let containers = platform.running_containers(name).await?;
    let runs = containers.iter().any(|one| one.is_running && name.owns_container(&one.name));
    Ok(match unwanted {
        Some(why) if runs => Some(Idle::Ending(why)),
        Some(why) => Some(Idle::Known(why)),
        None if runs || scales.get(name).copied().flatten().is_some_and(Scale::runs) => None,
        None => {
            let tasks = platform.tasks(name).await?;
            let fails = tasks.iter().any(|task| task.state == TaskState::Failed);
            Some(Idle::Known(if fails { Standstill::KeepsEnding } else { Standstill::NotStarted }))
        }
    })
}
