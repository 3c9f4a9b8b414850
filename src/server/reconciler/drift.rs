//! Finds out what the services of ours run, and whether that is the revision that their stack has
//! (promise P21). It must not know the database.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use futures::future::join_all;

use super::containers::AT_ONCE;
use crate::server::platform::{AppName, Platform, REVISION, ServiceState};

/// What a live stack should be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    /// The number of its revision.
    pub(super) revision: u32,
    /// The image of that.
    pub(super) image: String,
}

/// What a live stack runs instead of its revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drift {
    /// Another image.
    Image {
        /// The image that it runs.
        runs: String,
        /// The image of its revision.
        expected: String,
    },
    /// Another revision.
    Revision {
        /// What its service says of the revision.
        runs: String,
        /// The revision that it has.
        expected: u32,
    },
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { runs, expected } => {
                write!(f, "the image {runs} instead of {expected}")
            }
            Self::Revision { runs, expected } => {
                write!(f, "its revision {runs} instead of {expected}")
            }
        }
    }
}

/// Inspects these services, some at a time. One that cannot be inspected now is left out.
pub(super) async fn inspect(
    platform: &dyn Platform,
    names: &BTreeSet<AppName>,
) -> BTreeMap<AppName, ServiceState> {
    let mut found = BTreeMap::new();
    let names: Vec<_> = names.iter().collect();
    for some in names.chunks(AT_ONCE) {
        let states = join_all(some.iter().map(|name| platform.service(name))).await;
        let shown = some.iter().zip(states).filter_map(|(name, state)| {
            let state = state.ok().flatten()?;
            Some(((*name).clone(), state))
        });
        found.extend(shown);
    }
    found
}

/// Returns what the service runs instead of what is expected. Nothing is said of a service that an
/// older version of the portal made, which did not number it, or that is being updated now.
pub(super) fn drift(expected: &Expected, state: &ServiceState) -> Option<Drift> {
    let revision = state.spec.variables.get(REVISION).filter(|_| !state.is_moving())?;
    if *revision != expected.revision.to_string() {
        return Some(Drift::Revision { runs: revision.clone(), expected: expected.revision });
    }
    (state.spec.image != expected.image)
        .then(|| Drift::Image { runs: state.spec.image.clone(), expected: expected.image.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::platform::{ServiceSpec, ServiceUpdate, UpdateState};

    fn state(revision: Option<&str>, image: &str, update: Option<UpdateState>) -> ServiceState {
        let variables = revision.map(|number| (REVISION.to_owned(), number.to_owned()));
        let spec = ServiceSpec {
            image: image.to_owned(),
            variables: variables.into_iter().collect(),
            labels: BTreeMap::new(),
            replicas: Some(1),
            force_update: 0,
        };
        let update = update.map(|state| ServiceUpdate {
            state,
            started_at: None,
            completed_at: None,
            message: String::new(),
        });
        ServiceState { version: 1, spec, previous: None, update }
    }

    #[test]
    fn another_revision_or_image_is_drift_unless_it_is_not_numbered_or_moving() {
        let expected = Expected { revision: 2, image: String::from("hello:2") };
        let of = |state| drift(&expected, &state);
        assert_eq!(of(state(Some("2"), "hello:2", None)), None);
        assert_eq!(of(state(Some("2"), "hello:2", Some(UpdateState::Completed))), None);
        let runs = String::from("1");
        assert_eq!(
            of(state(Some("1"), "hello:1", Some(UpdateState::RollbackCompleted))),
            Some(Drift::Revision { runs, expected: 2 })
        );
        let (runs, wanted) = (String::from("hello:1"), expected.image.clone());
        assert_eq!(
            of(state(Some("2"), "hello:1", None)),
            Some(Drift::Image { runs, expected: wanted })
        );
        assert_eq!(of(state(None, "hello:1", None)), None);
        assert_eq!(of(state(Some("1"), "hello:1", Some(UpdateState::Updating))), None);
    }
}
