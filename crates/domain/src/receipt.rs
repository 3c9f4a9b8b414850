//! The receipt: the outcome of each resource that a deployment created.
//!
//! It must not know how an outcome is verified.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::remedy::Remedy;
use crate::words;

/// The kind of a remote resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// The host under which the stack is reached.
    Domain,
    /// The service and its running container.
    Service,
    /// The record of the application on the platform.
    Application,
    /// The project that contains the application.
    Project,
    /// A volume with the data of the stack.
    Volume,
}

impl ResourceKind {
    /// Returns the word that people read.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Domain => "address",
            Self::Service => "container",
            Self::Application => "application",
            Self::Project => "project",
            Self::Volume => "volume",
        }
    }
}

/// The outcome of one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It exists, as intended.
    Made,
    /// The platform confirmed its removal.
    Removed,
    /// A search after the removal did not find it.
    VerifiedGone,
    /// It exists, or may exist, and could not be removed.
    Left,
    /// It was kept, as somebody wanted.
    Kept,
    /// It is verified to be as it was before the operation.
    Restored,
}

/// One line of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The kind of the resource.
    pub resource: ResourceKind,
    /// Its id on the platform, where one is known.
    pub id: Option<String>,
    /// Its name: the host, the application's or the project's name.
    pub name: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The time at which the outcome was observed.
    #[serde(with = "super::time")]
    pub at: Timestamp,
    /// What can be done about a resource that is left.
    #[serde(flatten, serialize_with = "write_remedy", deserialize_with = "read_remedy")]
    pub remedy: Option<Remedy>,
}

impl Line {
    /// Returns whether nothing remains to be done: the resource is gone, or was kept on purpose.
    pub fn is_settled(&self) -> bool {
        match self.outcome {
            Outcome::Removed | Outcome::VerifiedGone | Outcome::Kept | Outcome::Restored => true,
            Outcome::Made | Outcome::Left => false,
        }
    }
}

/// The outcome for every resource of a deployment, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// True if it is confirmed or verified that no resource is left, except for those that were
    /// kept on purpose.
    pub clean: bool,
    /// One line for each resource that was created, or may have been.
    pub lines: Vec<Line>,
}

impl Receipt {
    /// Returns the receipt of `lines`. It is clean if every resource was removed, verified gone, or
    /// kept on purpose.
    pub fn of(lines: Vec<Line>) -> Self {
        Self { clean: lines.iter().all(Line::is_settled), lines }
    }

    /// Returns the lines of the resources that could not be removed.
    pub fn leftovers(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.outcome == Outcome::Left)
    }
}

/// A remedy as receipts have it.
#[derive(Serialize, Deserialize)]
struct WrittenRemedy<T> {
    remedy: String,
    #[serde(flatten)]
    code: Option<T>,
}

/// Writes the sentence, the code and the arguments into the line of a receipt.
#[expect(clippy::ref_option, reason = "serde passes the field as it is")]
fn write_remedy<S: Serializer>(remedy: &Option<Remedy>, serializer: S) -> Result<S::Ok, S::Error> {
    let written = remedy.as_ref().map(|remedy| WrittenRemedy {
        remedy: words::remedy::sentence(remedy),
        code: Some(remedy).filter(|remedy| !matches!(remedy, Remedy::Sentence(_))),
    });
    written.serialize(serializer)
}

/// Reads what [`write_remedy`] has written, of this or another version.
fn read_remedy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Remedy>, D::Error> {
    let written = Option::<WrittenRemedy<Remedy>>::deserialize(deserializer)?;
    Ok(written.map(|WrittenRemedy { remedy, code }| code.unwrap_or(Remedy::Sentence(remedy))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remedy::Named;

    const LINE: &str = r#"{"resource":"service","id":null,"name":"stack-alice","outcome":"left","at":"2026-11-23T09:55:24.515Z""#;

    #[test]
    fn a_remedy_is_written_as_its_sentence_and_its_code() {
        let service = String::from("stack-alice");
        let (name, id) = (String::from("alice"), String::from("x1"));
        let delete = Remedy::DeleteApplication(Named { name, id });
        let cases = [
            (None, ""),
            (
                Some(Remedy::RemoveService { service }),
                r#","remedy":"docker service rm stack-alice","code":"REMOVE_SERVICE","args":{"service":"stack-alice"}"#,
            ),
            (
                Some(Remedy::AwaitCleanUp { marker: None }),
                r#","remedy":"Waiting for the portal's next attempt, which checks what exists: see its log","code":"AWAIT_CLEAN_UP","args":{}"#,
            ),
            (
                Some(Remedy::AlreadyGone),
                r#","remedy":"Nothing to do: it no longer exists","code":"ALREADY_GONE""#,
            ),
            (
                Some(Remedy::WithApplication { remedy: Box::new(delete) }),
                r#","remedy":"It is removed with its application. Delete the application alice (x1) in Dokploy, while no deployment of it is running or queued there, and Docker answers","code":"WITH_APPLICATION","args":{"remedy":{"code":"DELETE_APPLICATION","args":{"name":"alice","id":"x1"}}}"#,
            ),
            (Some(Remedy::Sentence(String::from("Wait"))), r#","remedy":"Wait""#),
        ];
        for (remedy, text) in cases {
            let text = format!("{LINE}{text}}}");
            let line: Line = serde_json::from_str(&text).unwrap();
            assert_eq!(line.remedy, remedy);
            assert_eq!(serde_json::to_string(&line).unwrap(), text);
        }
    }

    #[test]
    fn a_remedy_of_a_newer_version_is_read_as_its_sentence() {
        for code in [r#""code":"NEW","args":{"x":1}"#, r#""code":"REMOVE_SERVICE","args":{}"#] {
            let line = format!(r#"{LINE},"remedy":"Do it",{code}}}"#);
            let line: Line = serde_json::from_str(&line).unwrap();
            assert_eq!(line.remedy, Some(Remedy::Sentence(String::from("Do it"))));
        }
    }
}
