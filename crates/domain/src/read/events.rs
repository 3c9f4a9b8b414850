//! Events, and what they fold to.

use super::{FromJson, Json, by_name, field, optional};
use crate::event::{
    Completion, Event, EventBody, Failure, FailureCode, Gone, Level, LogEntry, ProgressUpdate,
    Ready, RemovalCompletion, Resources, Seq,
};
use crate::message::MessageCode;
use crate::phase::{Phase, Status};
use crate::progress::{End, Progress, StepProgress, StepState};
use crate::receipt::{Line, Outcome, Receipt, ResourceKind};

impl Event {
    /// Reads an event from its number, name and data; `None` if they were not written by
    /// [`Event::name`] and [`Event::data`].
    pub fn read(seq: Seq, name: &str, data: &impl Json) -> Option<Self> {
        let body = match name {
            EventBody::PROGRESS => EventBody::Progress(FromJson::from_json(data)?),
            EventBody::LOG => EventBody::Log(FromJson::from_json(data)?),
            EventBody::COMPLETE => match RemovalCompletion::from_json(data) {
                Some(removal) => EventBody::Removed(removal),
                None => EventBody::Complete(FromJson::from_json(data)?),
            },
            EventBody::ERROR => EventBody::Error(FromJson::from_json(data)?),
            _ => return None,
        };
        Some(Self { seq, body })
    }
}

impl FromJson for ProgressUpdate {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            phase: field(json, "phase")?,
            status: field(json, "status")?,
            progress: field(json, "progress")?,
            message: field(json, "message")?,
            current_step: field(json, "currentStep")?,
            // That of a newer version is unknown; its sentence stands beside it.
            code: MessageCode::from_json(json),
            resources: field(json, "resources")?,
            at: field(json, "at")?,
        })
    }
}

impl FromJson for LogEntry {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            timestamp: field(json, "timestamp")?,
            level: field(json, "level")?,
            phase: field(json, "phase")?,
            action: field(json, "action")?,
            message: field(json, "message")?,
            duration_ms: field(json, "durationMs")?,
            attempt: optional(json, "attempt")?,
        })
    }
}

impl FromJson for Completion {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            url: field(json, "url")?,
            status: field(json, "status")?,
            resources: field(json, "resources")?,
            duration: json.get("duration")?.number()?,
        })
    }
}

impl FromJson for RemovalCompletion {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self { status: field(json, "status")?, receipt: field(json, "receipt")? })
    }
}

impl FromJson for Failure {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            phase: field(json, "phase")?,
            message: field(json, "message")?,
            code: field(json, "code")?,
            // As for an update.
            reason: field(json, "args"),
            receipt: field(json, "receipt")?,
            reference: field(json, "reference")?,
        })
    }
}

impl FromJson for FailureCode {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        let name = json.text()?;
        Some(Self::all().find(|code| code.as_str() == name).unwrap_or(Self::DeploymentFailed))
    }
}

impl FromJson for Resources {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            project_id: optional(json, "projectId")?,
            environment_id: optional(json, "environmentId")?,
            application_id: optional(json, "applicationId")?,
            domain_id: optional(json, "domainId")?,
        })
    }
}

impl FromJson for Receipt {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self { clean: field(json, "clean")?, lines: field(json, "lines")? })
    }
}

impl FromJson for Line {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            resource: field(json, "resource")?,
            id: optional(json, "id")?,
            name: field(json, "name")?,
            outcome: field(json, "outcome")?,
            at: field(json, "at")?,
            remedy: FromJson::from_json(json),
        })
    }
}

impl FromJson for Progress {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        let mut progress = Self::default();
        progress.seq = field(json, "seq")?;
        progress.phase = field(json, "phase")?;
        progress.percent = field(json, "percent")?;
        progress.message = field(json, "message")?;
        progress.code = field(json, "code");
        progress.resources = field(json, "resources")?;
        progress.steps = field(json, "steps")?;
        progress.logs = field::<Vec<_>, _>(json, "logs")?.into();
        progress.end = optional(json, "end")?;
        Some(progress)
    }
}

impl FromJson for StepProgress {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self { phase: field(json, "phase")?, state: field(json, "state")? })
    }
}

impl FromJson for StepState {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        if let Some(name) = json.text() {
            return Some(match name.as_str() {
                "Waiting" => Self::Waiting,
                "Failed" => Self::Failed,
                "Stopped" => Self::Stopped,
                _ => return None,
            });
        }
        let running = field(json, "Running").map(Self::Running);
        running.or_else(|| field(json, "Done").map(Self::Done))
    }
}

impl FromJson for End {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        let live = field(json, "Live").map(Self::Live);
        let failed = || field(json, "Failed").map(Self::Failed);
        live.or_else(failed).or_else(|| field(json, "Removed").map(Self::Removed))
    }
}

impl FromJson for Phase {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Self::parse(&json.text()?)
    }
}

by_name! { Status:
    "in_progress" => InProgress,
    "success" => Success,
    "failure" => Failure,
}

by_name! { Level:
    "info" => Info,
    "warn" => Warn,
    "error" => Error,
}

by_name! { Ready:
    "ready" => Ready,
    "stopped" => Stopped,
}

by_name! { Gone: "removed" => Removed, }

by_name! { ResourceKind:
    "domain" => Domain,
    "service" => Service,
    "application" => Application,
    "project" => Project,
    "volume" => Volume,
}

by_name! { Outcome:
    "made" => Made,
    "removed" => Removed,
    "verified_gone" => VerifiedGone,
    "left" => Left,
    "kept" => Kept,
    "restored" => Restored,
}
