//! Problems of the whole platform that only an operator can solve.
//!
//! It must not know how a problem is detected.

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// A problem of the whole platform that only its operators can solve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlatformProblem {
    /// It repeatedly rejects the portal's key although it reports itself healthy.
    #[serde(rename = "PLATFORM_KEY_REFUSED")]
    KeyRefused,
    /// It answers neither calls that change something nor its health check.
    #[serde(rename = "PLATFORM_WEDGED")]
    Wedged,
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
    /// Returns its code on the wire.
    pub fn code(self) -> &'static str {
        Refusal::from(self).code().as_str()
    }

    /// Returns what an operator can do, and the section of the README about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::KeyRefused => {
                "Dokploy rejects the key: it is wrong, expired, or over its rate limit. Configure \
                 another key, see the README, section \"An API key without rate limit\""
            }
            Self::Wedged => {
                "Dokploy hangs: it answers no calls, although its /api/health reports ok. End its \
                 database sessions or restart it, see the README, section \"When Dokploy hangs\""
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_written_as_its_code() {
        for problem in [PlatformProblem::KeyRefused, PlatformProblem::Wedged] {
            let written = serde_json::to_string(&problem).unwrap();
            assert_eq!(written, format!("{:?}", problem.code()));
        }
    }
}
