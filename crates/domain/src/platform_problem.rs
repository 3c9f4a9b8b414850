//! Problems that keep the whole platform from working for the portal until an operator acts.
//!
//! It must not know how it is found out.

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// A problem of the whole platform that only its operators can solve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlatformProblem {
    /// It refuses the portal's key again and again although it is well.
    #[serde(rename = "PLATFORM_KEY_REFUSED")]
    KeyRefused,
    /// It answers no call that changes something any more, nor whether it is well.
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

    /// Tells an operator what to do, and where the README says how.
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
