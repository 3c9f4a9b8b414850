//! Tests of which times are permitted, and of what is due when.

use domain::kind::STOP;
use domain::stack_name::StackName;

use super::*;
use crate::server::store::StackOperation;

const WEEK: Duration = Duration::from_hours(7 * 24);

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_795_427_270 + hours * 3600).unwrap()
}

#[test]
fn a_time_is_to_come_and_not_too_far_ahead() {
    let (now, max) = (at(0), Some(WEEK));
    let ask = |wanted, max| permitted(wanted, Some(at(2)), now, max).map_err(|error| error.code);
    let refused = Err(Refusal::InvalidExpiry(None).code());
    assert_eq!(ask(NewExpiry::At(at(5)), max), Ok(Some(at(5))));
    assert_eq!(ask(NewExpiry::At(at(7 * 24)), max), Ok(Some(at(7 * 24))));
    assert_eq!(ask(NewExpiry::At(at(7 * 24 + 1)), max), refused);
    assert_eq!(ask(NewExpiry::At(at(7 * 24 + 1)), None), Ok(Some(at(7 * 24 + 1))));
    for max in [max, None] {
        assert_eq!(ask(NewExpiry::At(at(0)), max), refused);
        assert_eq!(ask(NewExpiry::At(at(-1)), max), refused);
    }
    assert_eq!(ask(NewExpiry::Never, None), Ok(None));
    assert_eq!(ask(NewExpiry::Never, max), refused);
    assert_eq!(ask(NewExpiry::Later, max), Ok(Some(at(7 * 24))));
    assert_eq!(ask(NewExpiry::Later, None), Ok(Some(at(2 + 7 * 24))));
    // One that does not expire stays so, and one whose time is over gets it from now on.
    assert_eq!(permitted(NewExpiry::Later, None, now, None), Ok(None));
    let over = permitted(NewExpiry::Later, Some(at(-3)), now, None);
    assert_eq!(over, Ok(Some(at(7 * 24))));
}

#[test]
fn what_is_due_depends_on_what_the_stack_is_and_what_happened_last() {
    let stack = |desired, last, operation: Option<(KindName, State)>| ExpiredStack {
        name: StackName::parse("alice").unwrap(),
        deployment: STOP.operation_id(1),
        expires: at(0),
        last,
        desired,
        operation: operation.map(|(kind, state)| StackOperation {
            id: STOP.operation_id(2),
            kind,
            state,
        }),
    };
    let (running, stopped) = (Desired::Running, Desired::Stopped);
    let ten = at(1) + PAUSE;
    for (desired, last, operation, now, expected) in [
        (running, at(-9), None, at(0), Some(Due::Stop)),
        // After a stop that failed, or a start, there is a pause.
        (running, at(1), None, at(1), None),
        (running, at(1), None, ten, Some(Due::Stop)),
        (running, at(1), Some((KindName::STOP, State::Stuck)), ten, Some(Due::Stop)),
        (running, at(-9), Some((KindName::START, State::Active)), at(9), None),
        (running, at(-9), Some((KindName::REMOVE, State::Stuck)), at(9), None),
        // The removal waits for as long as is left to keep the stack, counted from the stop.
        (stopped, at(1), None, at(7 * 24), None),
        (stopped, at(1), None, at(7 * 24 + 1), Some(Due::Remove)),
        (stopped, at(-9), None, at(7 * 24), Some(Due::Remove)),
        (stopped, at(-9), Some((KindName::START, State::Active)), at(9 * 24), None),
    ] {
        let due = due(&stack(desired, last, operation), now, WEEK);
        assert_eq!(due, expected, "{desired:?}, last {last}, {operation:?}, now {now}");
    }
}
