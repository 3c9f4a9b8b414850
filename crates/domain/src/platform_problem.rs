//! Problems that keep the whole platform from working for the portal until an operator acts.
//!
//! It must not know how it is found out.

use serde::{Deserialize, Serialize};

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

impl PlatformProblem {
    /// Returns its code on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::KeyRefused => "PLATFORM_KEY_REFUSED",
            Self::Wedged => "PLATFORM_WEDGED",
        }
    }

    /// Tells a person why nothing was started.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::KeyRefused => {
                "The platform that runs the stacks does not accept the portal's key, so nothing \
                 was started. An operator must configure another key."
            }
            Self::Wedged => {
                "The platform that runs the stacks hangs, so nothing was started. The portal has \
                 reported this to its operators."
            }
        }
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
