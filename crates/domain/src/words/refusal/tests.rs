//! Checks the sentences of refusals.

use super::*;

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
            LimitReached::OperationsPerHour { max: 60, wait: Duration::from_secs(91) },
            "You have begun 60 operations within an hour, which is the limit per person: try \
             again in 2 minutes. Stacks can still be stopped and removed.",
            91,
        ),
        (
            wait(91_000),
            "You have started 5 deployments within an hour, which is the limit per person: try \
             again in 2 minutes.",
            91,
        ),
    ];
    for (limit, words, pause) in cases {
        let refusal = Refusal::LimitReached(limit);
        assert_eq!((message(&refusal).as_str(), refusal.retry_after()), (words, Some(pause)));
    }
}

#[test]
fn the_latest_time_is_told_if_there_is_one() {
    let latest = jiff::Timestamp::from_second(1_795_427_270).unwrap();
    assert_eq!(
        message(&Refusal::InvalidExpiry(Some(latest))),
        "A stack must expire at a time that is to come, and here by 2026-11-23 09:47:50 UTC: \
         choose one until then."
    );
}

#[test]
fn a_name_that_is_kept_is_told_with_the_end_of_it() {
    let until = jiff::Timestamp::from_second(1_795_427_270).unwrap();
    let refusal = Refusal::NameHeld(StackName::parse("alice").unwrap(), until);
    assert_eq!(
        message(&refusal),
        "The stack alice was removed a short time ago, and its name is reserved for its former \
         owner until 2026-11-23 09:47:50 UTC: choose another name."
    );
}
