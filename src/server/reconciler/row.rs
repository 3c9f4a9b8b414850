//! Compares the platform's rows of our applications with what their stacks should be (promise P21).
//!
//! A row may differ from what runs: it takes effect with the next reload or deployment. It must not
//! know the database.

use std::collections::BTreeMap;
use std::fmt;

use futures::future::join_all;
use secrecy::ExposeSecret as _;

use super::containers::AT_ONCE;
use super::drift::Expected;
use crate::server::platform::{AppName, ApplicationRow, ApplicationSummary, Platform, REVISION};

/// What a row holds, as far as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowState {
    /// The image.
    pub(super) image: String,
    /// The number of the revision; `None` if an older version of the portal wrote the row.
    pub(super) revision: Option<String>,
    /// The number of containers.
    pub(super) replicas: u64,
}

/// What the row of a live stack holds instead of its revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowDrift {
    /// Another image.
    Image {
        /// The image in the row.
        holds: String,
        /// The image of the stack's revision.
        expected: String,
    },
    /// Another revision.
    Revision {
        /// What the row says of the revision.
        holds: String,
        /// The revision that the stack has.
        expected: u32,
    },
    /// Another number of containers.
    Replicas {
        /// The number in the row.
        holds: u64,
        /// The number for a stack that should run, or should not.
        expected: u64,
    },
}

impl fmt::Display for RowDrift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { holds, expected } => {
                write!(f, "the image {holds} instead of {expected}")
            }
            Self::Revision { holds, expected } => {
                write!(f, "the revision {holds} instead of {expected}")
            }
            Self::Replicas { holds, expected } => {
                write!(f, "the number of replicas {holds} instead of {expected}")
            }
        }
    }
}

impl From<ApplicationRow> for RowState {
    fn from(row: ApplicationRow) -> Self {
        let revision = row.environment.into_iter().find(|(name, _)| name == REVISION);
        Self {
            image: row.image.unwrap_or_default(),
            revision: revision.and_then(|(_, value)| Some(value?.expose_secret().to_owned())),
            replicas: row.replicas,
        }
    }
}

/// Reads the rows of these applications, some at a time. One that cannot be read now is left out.
pub(super) async fn read(
    platform: &dyn Platform,
    applications: &[&ApplicationSummary],
) -> BTreeMap<AppName, RowState> {
    let mut found = BTreeMap::new();
    for some in applications.chunks(AT_ONCE) {
        let rows = join_all(some.iter().map(|one| platform.application_row(&one.id))).await;
        let read = some.iter().zip(rows).filter_map(|(one, row)| {
            let row = row.ok().flatten()?;
            Some((one.app_name.clone(), row.into()))
        });
        found.extend(read);
    }
    found
}

/// Returns what the row holds instead of what is expected. Its revision is not compared where an older
/// version of the portal wrote it, which did not number it.
pub(super) fn drift(expected: &Expected, should_run: bool, row: &RowState) -> Option<RowDrift> {
    if let Some(holds) = &row.revision
        && *holds != expected.revision.to_string()
    {
        let holds = holds.clone();
        return Some(RowDrift::Revision { holds, expected: expected.revision });
    }
    if row.image != expected.image {
        let (holds, expected) = (row.image.clone(), expected.image.clone());
        return Some(RowDrift::Image { holds, expected });
    }
    let (holds, expected) = (row.replicas, u64::from(should_run));
    (holds != expected).then_some(RowDrift::Replicas { holds, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_revision_image_or_number_of_containers_is_drift() {
        let expected = Expected { revision: 2, image: String::from("hello:2") };
        let row = |revision: Option<&str>, image: &str, replicas| RowState {
            image: image.to_owned(),
            revision: revision.map(str::to_owned),
            replicas,
        };
        let of = |row: &RowState| drift(&expected, true, row).map(|drift| drift.to_string());
        assert_eq!(of(&row(Some("2"), "hello:2", 1)), None);
        assert_eq!(of(&row(None, "hello:2", 1)), None, "an older version wrote it");
        for (row, said) in [
            (row(Some("1"), "hello:1", 1), "the revision 1 instead of 2"),
            (row(Some("2"), "hello:1", 1), "the image hello:1 instead of hello:2"),
            (row(None, "hello:1", 1), "the image hello:1 instead of hello:2"),
            (row(Some("2"), "hello:2", 0), "the number of replicas 0 instead of 1"),
        ] {
            assert_eq!(of(&row).as_deref(), Some(said));
        }
        let stopped = row(Some("2"), "hello:2", 0);
        assert_eq!(drift(&expected, false, &stopped), None);
    }
}
