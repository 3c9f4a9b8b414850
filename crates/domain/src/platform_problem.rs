//! Failed calls to the platform, and problems of all of it that only an operator can solve.
//!
//! It must not know how a problem is detected.

use serde::{Deserialize, Serialize};

use crate::local_fault::LocalFault;
use crate::refusal::Refusal;

/// A problem of the whole platform that only its operators can solve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PlatformProblem {
    /// It repeatedly rejects the portal's key although it reports itself healthy.
    #[serde(rename = "PLATFORM_KEY_REFUSED")]
    KeyRefused,
    /// It answers neither calls that change something nor its health check.
    #[serde(rename = "PLATFORM_WEDGED")]
    Wedged,
}

/// How a call to the platform failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallFailure {
    /// The platform refused it.
    Refused,
    /// The platform refused the portal's key.
    KeyRefused,
    /// The platform could not serve it.
    Unavailable,
    /// Its answer was lost.
    AnswerLost,
    /// The platform could not be reached.
    Unreachable,
    /// The portal makes no calls for a while.
    Paused,
    /// The portal itself had a local fault.
    Local(LocalFault),
}

impl From<PlatformProblem> for Refusal {
    fn from(problem: PlatformProblem) -> Self {
        match problem {
            PlatformProblem::KeyRefused => Self::PlatformKeyRefused,
            PlatformProblem::Wedged => Self::PlatformWedged,
        }
    }
}

impl PlatformProblem {
    /// All problems.
    pub const ALL: [Self; 2] = [Self::KeyRefused, Self::Wedged];

    /// Returns its code on the wire.
    pub fn code(self) -> &'static str {
        Refusal::from(self).code().as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_written_as_its_code() {
        for problem in PlatformProblem::ALL {
            let written = serde_json::to_string(&problem).unwrap();
            assert_eq!(written, format!("{:?}", problem.code()));
        }
    }
}
