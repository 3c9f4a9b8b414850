//! The message shown who comes up against a limit, or wants a name that is kept.

use std::time::Duration;

use jiff::Timestamp;

use crate::{api::wire::ApiError, server::store::LimitReached};
use domain::stack_name::StackName;

/// The time after which to try again where nobody knows.
const PAUSE_S: u64 = 60;

/// Says that a name is kept for its former owner.
pub(super) fn name_held(name: &StackName, until: Timestamp) -> ApiError {
    let until = until.strftime("%Y-%m-%d %H:%M:%S UTC");
    let message = format!(
        "The stack {name} was removed a short time ago, and its name is reserved for its former \
         owner until {until}: choose another name."
    );
    ApiError::new(409, "NAME_HELD", message)
}

/// Says which limit is reached, and what to do.
pub(super) fn limit_reached(limit: LimitReached) -> ApiError {
    let (message, pause) = match limit {
        LimitReached::Stacks(max) => {
            let stacks = counted(u64::from(max), "stack");
            let message =
                format!("You have {stacks}, which is the limit per person: remove one first.");
            (message, PAUSE_S)
        }
        LimitReached::UnderWay(max) => {
            let deployments = counted(u64::from(max), "deployment");
            let message = format!(
                "You have {deployments} in progress, which is the limit per person: wait until one \
                 has ended, or cancel one."
            );
            (message, PAUSE_S)
        }
        LimitReached::UnderWayInAll(max) => {
            let deployments = counted(u64::from(max), "deployment");
            let message = format!(
                "The portal is busy: its limit of {deployments} in progress is reached. Try again \
                 in a minute."
            );
            (message, PAUSE_S)
        }
        LimitReached::PerHour { max, wait } => {
            let deployments = counted(u64::from(max), "deployment");
            let message = format!(
                "You have started {deployments} within an hour, which is the limit per person: try \
                 again in {}.",
                span(wait)
            );
            (message, seconds(wait))
        }
    };
    let retry_after = Some(pause);
    ApiError { status: 429, code: String::from("LIMIT_REACHED"), message, retry_after }
}

/// Returns the whole seconds after which `wait` is over.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn span(wait: Duration) -> String {
    match seconds(wait) {
        seconds @ 0..=90 => counted(seconds, "second"),
        seconds => counted(seconds.div_ceil(60), "minute"),
    }
}

fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

#[cfg(test)]
mod tests {
    use crate::server::stacks::limits::*;

    #[test]
    fn a_limit_is_told_with_what_to_do_and_when() {
        let wait = |ms| LimitReached::PerHour { max: 5, wait: Duration::from_millis(ms) };
        let cases = [
            (
                LimitReached::Stacks(3),
                "You have 3 stacks, which is the limit per person: remove one first.",
                60,
            ),
            (
                LimitReached::UnderWay(1),
                "You have 1 deployment in progress, which is the limit per person: wait until one \
                 has ended, or cancel one.",
                60,
            ),
            (
                LimitReached::UnderWayInAll(8),
                "The portal is busy: its limit of 8 deployments in progress is reached. Try again \
                 in a minute.",
                60,
            ),
            (
                wait(1),
                "You have started 5 deployments within an hour, which is the limit per person: try \
                 again in 1 second.",
                1,
            ),
            (
                wait(91_000),
                "You have started 5 deployments within an hour, which is the limit per person: try \
                 again in 2 minutes.",
                91,
            ),
        ];
        for (limit, message, pause) in cases {
            let error = limit_reached(limit);
            assert_eq!((error.status, error.code.as_str()), (429, "LIMIT_REACHED"));
            assert_eq!((error.message.as_str(), error.retry_after), (message, Some(pause)));
        }
    }

    #[test]
    fn a_name_that_is_kept_is_told_with_the_end_of_it() {
        let until = Timestamp::from_second(1_795_427_270).unwrap();
        let error = name_held(&StackName::parse("alice").unwrap(), until);
        assert_eq!((error.status, error.code.as_str()), (409, "NAME_HELD"));
        assert_eq!(
            error.message,
            "The stack alice was removed a short time ago, and its name is reserved for its former \
             owner until 2026-11-23 09:47:50 UTC: choose another name."
        );
    }
}
