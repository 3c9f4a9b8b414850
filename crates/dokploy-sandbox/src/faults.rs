//! Faults: failures of calls on demand.
//!
//! A fault waits for its call, which uses it up. The text form is `call:kind[=duration][:how
//! often]`, as in `application.create:error-after:2`, `*:latency=300ms:25%` or
//! `application.deploy:restart`.

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use rand::RngExt;
use rand::rngs::StdRng;

use super::request::Request;

/// A fault that waits for its call.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The call, such as `application.create`, or `*` for any.
    pub call: String,
    /// The kind of the fault.
    pub kind: FaultKind,
    /// The number of times.
    pub often: Often,
}

/// The kind of the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// 500; the call had no effect (`error-before`).
    ErrorBefore,
    /// 500, although the call took effect (`error-after`).
    ErrorAfter,
    /// 400 without `issues`, although the call took effect (`refused-after`).
    RefusedAfter,
    /// No answer; the call had no effect (`timeout-before`).
    TimeoutBefore,
    /// No answer, although the call took effect (`timeout`).
    Timeout,
    /// No answer, and the call takes effect this much later (`late=2s`).
    Late(Duration),
    /// An answer of success, although the call had no effect (`ignored`).
    Ignored,
    /// The connection is dropped; the call had no effect (`reset-before`).
    ResetBefore,
    /// The connection is dropped, although the call took effect (`reset`).
    Reset,
    /// The bare 401, which Dokploy also sends for a reached rate limit (`unauthorized`).
    Unauthorized,
    /// The other 401, of a key that is rejected during the call (`unauthorized-within`).
    UnauthorizedWithin,
    /// 429 with this `Retry-After`, as a proxy may answer (`throttled=3s`).
    Throttled(Duration),
    /// The answer is delayed by this much (`latency=300ms`).
    Latency(Duration),
    /// The platform restarts right after the answer (`restart`).
    Restart,
    /// Docker is down from now on, for this long (`docker-down=10s`).
    DockerDown(Duration),
    /// The database is down from now on, for this long (`database-down=5s`).
    DatabaseDown(Duration),
    /// The database goes down during this call, for this long; the call had no effect
    /// (`database-lost=5s`).
    DatabaseLost(Duration),
    /// The key reaches its limit during this call, and is rejected for this long
    /// (`key-limited=10s`).
    KeyLimited(Duration),
}

/// How often a fault occurs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Often {
    /// For this many calls (`3`).
    Times(u64),
    /// With this probability for each call (`25%`).
    Chance(f64),
    /// For each call (`always`).
    Always,
}

/// A text is not a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseFaultError {
    /// There is no colon, or nothing before it.
    #[error("fault {0:?} is not of the form call:kind[=duration][:how often]")]
    Form(String),
    /// The kind is none of [`FaultKind`].
    #[error(
        "unknown kind of fault {0:?}: use error-before, error-after, refused-after, \
         timeout-before, timeout, late=2s, ignored, reset-before, reset, unauthorized, unauthorized-within, \
         throttled=3s, latency=300ms, restart, docker-down=10s, database-down=5s, \
         database-lost=5s or key-limited=10s"
    )]
    Kind(String),
    /// The duration does not parse.
    #[error("duration {0:?} of the fault is not one like 300ms or 2s")]
    Duration(String),
    /// The last part is neither a count nor a percentage nor `always`.
    #[error("{0:?} is neither a count such as 3, nor a chance such as 25%, nor \"always\"")]
    Often(String),
}

impl FromStr for Fault {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':');
        let call = parts.next().filter(|call| !call.is_empty());
        let (Some(call), Some(kind)) = (call, parts.next()) else {
            return Err(ParseFaultError::Form(text.to_owned()));
        };
        let often = parts.next().map_or(Ok(Often::Times(1)), parse_often)?;
        Ok(Self { call: call.to_owned(), kind: parse_kind(kind)?, often })
    }
}

fn parse_kind(text: &str) -> Result<FaultKind, ParseFaultError> {
    let (name, duration) =
        text.split_once('=').map_or((text, None), |(name, duration)| (name, Some(duration)));
    let or = |default: Duration| match duration {
        Some(given) => humantime::parse_duration(given)
            .map_err(|_| ParseFaultError::Duration(given.to_owned())),
        None => Ok(default),
    };
    Ok(match name {
        "error-before" => FaultKind::ErrorBefore,
        "error-after" => FaultKind::ErrorAfter,
        "refused-after" => FaultKind::RefusedAfter,
        "timeout-before" => FaultKind::TimeoutBefore,
        "timeout" => FaultKind::Timeout,
        "late" => FaultKind::Late(or(Duration::from_secs(2))?),
        "reset-before" => FaultKind::ResetBefore,
        "ignored" => FaultKind::Ignored,
        "reset" => FaultKind::Reset,
        "unauthorized" => FaultKind::Unauthorized,
        "unauthorized-within" => FaultKind::UnauthorizedWithin,
        "throttled" => FaultKind::Throttled(or(Duration::from_secs(1))?),
        "latency" => FaultKind::Latency(or(Duration::from_secs(1))?),
        "restart" => FaultKind::Restart,
        "docker-down" => FaultKind::DockerDown(or(Duration::from_secs(10))?),
        "database-down" => FaultKind::DatabaseDown(or(Duration::from_secs(5))?),
        "database-lost" => FaultKind::DatabaseLost(or(Duration::from_secs(5))?),
        "key-limited" => FaultKind::KeyLimited(or(Duration::from_secs(10))?),
        _ => return Err(ParseFaultError::Kind(text.to_owned())),
    })
}

fn parse_often(text: &str) -> Result<Often, ParseFaultError> {
    let wrong = || ParseFaultError::Often(text.to_owned());
    if text == "always" {
        return Ok(Often::Always);
    }
    let Some(percent) = text.strip_suffix('%') else {
        return text.parse().map(Often::Times).map_err(|_| wrong());
    };
    let percent: f64 = percent.parse().map_err(|_| wrong())?;
    if !(0.0..=100.0).contains(&percent) {
        return Err(wrong());
    }
    Ok(Often::Chance(percent / 100.0))
}

/// The faults that wait for their calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// Adds a fault after the others.
    pub(crate) fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Lists the faults that were not used up yet.
    pub(crate) fn waiting(&self) -> &[Fault] {
        &self.0
    }

    /// Returns the fault of this call, if there is one, and counts it as used.
    pub(crate) fn take(&mut self, call: &str, rng: &mut StdRng) -> Option<FaultKind> {
        let index = self.0.iter().position(|fault| fault.strikes(call, rng))?;
        let fault = self.0.get_mut(index)?;
        let kind = fault.kind;
        if let Often::Times(left) = &mut fault.often {
            *left = left.saturating_sub(1);
        }
        self.0.retain(|fault| fault.often != Often::Times(0));
        Some(kind)
    }
}

impl Fault {
    fn strikes(&self, call: &str, rng: &mut StdRng) -> bool {
        let is_meant = self.call == "*" || self.call == call;
        is_meant
            && match self.often {
                Often::Times(left) => left > 0,
                Often::Always => true,
                Often::Chance(chance) => rng.random_bool(chance),
            }
    }
}

/// The outages of what the platform depends on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outages {
    pub(crate) docker: Outage,
    pub(crate) database: Outage,
    /// The key is over its limit.
    pub(crate) key: Outage,
}

/// Whether something is down, and for how long.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Outage {
    #[default]
    None,
    Until(Timestamp),
    Open,
}

impl Outage {
    /// Returns whether it is down at `now`.
    pub(crate) fn lasts(self, now: Timestamp) -> bool {
        match self {
            Self::None => false,
            Self::Until(end) => now < end,
            Self::Open => true,
        }
    }
}

/// A request that takes effect after its caller has stopped waiting.
#[derive(Clone, Debug)]
pub(crate) struct Postponed {
    pub(super) due: Timestamp,
    pub(super) request: Request,
}
