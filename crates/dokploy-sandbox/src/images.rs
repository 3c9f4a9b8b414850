//! The images of the sandbox: a name selects how the service behaves.
//!
//! It must not know rows or calls.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::programs::Program;

/// The behaviour of a service after its image was pulled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Behaviour {
    /// Starts, then answers.
    #[default]
    Hello,
    /// Takes long to pull and to start, then answers.
    Slow,
    /// Exits immediately, repeatedly.
    Crashloop,
    /// Uses too much memory immediately, repeatedly.
    OutOfMemory,
    /// Starts and answers, then exits after [`Timing::lifetime`], repeatedly.
    Dying,
    /// Runs, but reports that it is unhealthy.
    Unhealthy,
    /// Runs and accepts connections, but never answers.
    Silent,
    /// Runs, and answers each request after [`SLUGGISH`].
    Sluggish,
    /// Docker cannot make or start its container.
    Rejected,
}

/// The time that a sluggish program takes for an answer.
pub(crate) const SLUGGISH: Duration = Duration::from_secs(3);

const LIFETIME: Duration = Duration::from_secs(20);

/// The default latency of an answer, in milliseconds.
const USUAL_LATENCY_MS: u32 = 40;

fn millis(latency: Duration) -> u32 {
    u32::try_from(latency.as_millis()).unwrap_or(u32::MAX)
}

/// The durations of what happens on the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From the start of a deploy job to its end.
    pub job: Duration,
    /// As `job`, for `sandbox/slow`.
    pub slow_job: Duration,
    /// From the end of the job until the application's row shows it.
    pub settle: Duration,
    /// From the start of a container until it answers.
    pub start: Duration,
    /// As `start`, for `sandbox/slow`.
    pub slow_start: Duration,
    /// From one crash to the next.
    pub crash: Duration,
    /// From the removal of a service until its container has stopped.
    pub stop: Duration,
    /// From then until the stopped container is removed.
    pub reap: Duration,
    /// For how long the swarm watches the new container of an update, unless the service says
    /// otherwise.
    pub monitor: Duration,
    /// From the start of a container of `sandbox/dying` to its exit.
    pub lifetime: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            job: Duration::from_millis(150),
            slow_job: Duration::from_secs(4),
            settle: Duration::from_millis(20),
            start: Duration::from_millis(1_200),
            slow_start: Duration::from_secs(4),
            crash: Duration::from_secs(1),
            stop: Duration::from_millis(3_600),
            reap: Duration::from_millis(2_300),
            monitor: Duration::from_secs(5),
            lifetime: LIFETIME,
        }
    }
}

impl Timing {
    /// All durations are zero, but for the lifetime, which is the default one.
    pub const NONE: Self = Self {
        job: Duration::ZERO,
        slow_job: Duration::ZERO,
        settle: Duration::ZERO,
        start: Duration::ZERO,
        slow_start: Duration::ZERO,
        crash: Duration::ZERO,
        stop: Duration::ZERO,
        reap: Duration::ZERO,
        monitor: Duration::ZERO,
        lifetime: LIFETIME,
    };

    /// Returns the default durations, with those for the end of containers scaled to a platform
    /// with this `latency` instead of the default 40 ms.
    pub fn scaled_to(latency: Duration) -> Self {
        let usual = Self::default();
        let scaled = |time: Duration| time.saturating_mul(millis(latency)) / USUAL_LATENCY_MS;
        Self { stop: scaled(usual.stop), reap: scaled(usual.reap), ..usual }
    }

    /// Returns how long a deploy job for `image` takes.
    pub(crate) fn of_job(&self, image: &str) -> Duration {
        match Image::of(image).map(|image| image.behaviour) {
            Some(Behaviour::Slow) => self.slow_job,
            Some(
                Behaviour::Hello
                | Behaviour::Crashloop
                | Behaviour::OutOfMemory
                | Behaviour::Dying
                | Behaviour::Unhealthy
                | Behaviour::Silent
                | Behaviour::Sluggish
                | Behaviour::Rejected,
            )
            | None => self.job,
        }
    }

    /// Returns how long a container of this behaviour takes to start.
    pub(crate) fn of_start(&self, behaviour: Behaviour) -> Duration {
        match behaviour {
            Behaviour::Slow => self.slow_start,
            Behaviour::Hello
            | Behaviour::Crashloop
            | Behaviour::OutOfMemory
            | Behaviour::Dying
            | Behaviour::Unhealthy
            | Behaviour::Silent
            | Behaviour::Sluggish
            | Behaviour::Rejected => self.start,
        }
    }
}

impl Behaviour {
    /// Returns whether a container of it ever runs for longer than a moment.
    pub(crate) fn stays_up(self) -> bool {
        match self {
            Self::Hello
            | Self::Slow
            | Self::Dying
            | Self::Unhealthy
            | Self::Silent
            | Self::Sluggish => true,
            Self::Crashloop | Self::OutOfMemory | Self::Rejected => false,
        }
    }

    /// Finds a behaviour by its name among the images without a program, and among the tags of
    /// `sandbox/revisions`.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "hello" => Self::Hello,
            "slow" => Self::Slow,
            "crashloop" => Self::Crashloop,
            "out-of-memory" => Self::OutOfMemory,
            "dying" => Self::Dying,
            "unhealthy" => Self::Unhealthy,
            "silent" => Self::Silent,
            "sluggish" => Self::Sluggish,
            _ => return None,
        })
    }
}

/// What an image does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) behaviour: Behaviour,
    pub(crate) program: Program,
}

impl Image {
    /// Finds an image; `None` if there is none. The images with a program have the tags that exist.
    /// For the others, a tag or digest is ignored.
    pub(crate) fn of(image: &str) -> Option<Self> {
        let (name, digest) = image.split_once('@').unwrap_or((image, ""));
        let (name, tag) = name.split_once(':').unwrap_or((name, ""));
        let with = |program| Some(Self { behaviour: Behaviour::Hello, program });
        match (name.strip_prefix("sandbox/")?, tag, digest) {
            ("notebook", "1.0.0", "") => with(Program::Notebook),
            ("chat", "1.0.0", "") => with(Program::Chat),
            ("workflow", "1.0.0", "") => with(Program::Workflow),
            ("workflow", "2.0.0", "") => with(Program::NextWorkflow),
            ("revisions", "1" | "2" | "3", "") => with(Program::Revisions),
            ("revisions", tag, "") => {
                let behaviour = Behaviour::named(tag)?;
                Some(Self { behaviour, program: Program::Revisions })
            }
            (name, _, _) => {
                let behaviour = Behaviour::named(name)?;
                Some(Self { behaviour, program: Program::Plain })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_or_a_digest_makes_no_difference_to_what_an_image_without_a_program_does() {
        for image in ["sandbox/hello", "sandbox/hello:1", "sandbox/hello@sha256:00"] {
            let hello = Image { behaviour: Behaviour::Hello, program: Program::Plain };
            assert_eq!(Image::of(image), Some(hello), "{image}");
        }
        assert_eq!(Image::of("sandbox/hello-world"), None);
        assert_eq!(Image::of(""), None);
    }

    #[test]
    fn an_image_with_a_program_has_the_tags_that_exist() {
        for (image, program) in [
            ("sandbox/notebook:1.0.0", Some(Program::Notebook)),
            ("sandbox/chat:1.0.0", Some(Program::Chat)),
            ("sandbox/workflow:1.0.0", Some(Program::Workflow)),
            ("sandbox/workflow:2.0.0", Some(Program::NextWorkflow)),
            ("sandbox/workflow:3.0.0", None),
            ("sandbox/revisions:2", Some(Program::Revisions)),
            ("sandbox/revisions:crashloop", Some(Program::Revisions)),
            ("sandbox/revisions:4", None),
            ("sandbox/revisions", None),
            ("revisions:1", None),
            ("sandbox/notebook", None),
            ("sandbox/notebook:latest", None),
            ("sandbox/notebook@sha256:00", None),
            ("sandbox/notebook:1.0.0@sha256:00", None),
        ] {
            assert_eq!(Image::of(image).map(|image| image.program), program, "{image}");
        }
    }
}
