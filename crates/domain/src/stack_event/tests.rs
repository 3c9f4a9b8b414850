//! Tests of the events of stacks and of their fold.

use super::*;
use crate::kind::{DEPLOY, STOP, StackStatus};

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_427_270 + second).unwrap()
}

fn numbered(bodies: Vec<StackEventBody>) -> Vec<StackEvent> {
    let event = |(seq, body)| StackEvent { seq, at: time(i64::try_from(seq).unwrap()), body };
    (1..).zip(bodies).map(event).collect()
}

fn why() -> Why {
    let exit = Exit {
        state: String::from("failed"),
        error: Some(String::from("task: non-zero exit (137)")),
        code: Some(137),
        out_of_memory: true,
    };
    Why { problem: Problem::NotRunning, status: None, exits: vec![exit], after: None }
}

fn life() -> Vec<StackEvent> {
    let (made, stop) = (DEPLOY.operation_id(1), STOP.operation_id(2));
    numbered(vec![
        StackEventBody::OperationBegun { operation: made.clone(), kind: DEPLOY.name, reason: None },
        StackEventBody::OperationEnded {
            operation: made,
            kind: DEPLOY.name,
            outcome: Outcome::Done,
            leaves: Some(StackState::Live),
        },
        StackEventBody::RevisionLive { revision: 1 },
        StackEventBody::StoppedByItself { exit: why().exits.pop() },
        StackEventBody::Unhealthy { why: why() },
        StackEventBody::Recovered,
        StackEventBody::OperationBegun {
            operation: stop.clone(),
            kind: STOP.name,
            reason: Some(Reason::Expired),
        },
        StackEventBody::OperationEnded {
            operation: stop.clone(),
            kind: STOP.name,
            outcome: Outcome::Failed,
            leaves: None,
        },
        StackEventBody::CleanedUp { operation: stop, kind: STOP.name, leaves: StackState::Stopped },
        StackEventBody::ExpiryChanged { expires_at: Some(time(99)) },
        StackEventBody::ExpiryChanged { expires_at: None },
    ])
}

#[test]
fn after_each_event_a_stack_is_what_the_event_says() {
    let mut history = StackHistory::default();
    let statuses: Vec<_> = life()
        .into_iter()
        .map(|event| {
            history.apply(event);
            history.status(Kinds::default())
        })
        .collect();
    let expected = [
        StackStatus::Deploying,
        StackStatus::Running,
        StackStatus::Running,
        StackStatus::Running,
        StackStatus::Unhealthy,
        StackStatus::Running,
        StackStatus::Stopping,
        StackStatus::Stuck,
        StackStatus::Stopped,
        StackStatus::Stopped,
        StackStatus::Stopped,
    ];
    assert_eq!(statuses, expected);
    assert_eq!((history.seq, history.revision, history.expires), (11, Some(1), None));
}

#[test]
fn an_event_reads_back_as_it_was_written_under_its_name() {
    for event in life() {
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<StackEvent>(&text).unwrap(), event);
        assert!(text.contains(&format!("\"event\":\"{}\"", event.body.name())), "{text}");
    }
    let newer = r#"{"id":4,"at":"2026-11-23T09:55:24.515Z","event":"moved","to":"mars"}"#;
    let read: StackEvent = serde_json::from_str(newer).unwrap();
    assert_eq!((read.seq, read.body), (4, StackEventBody::Unknown));
}

#[test]
fn a_begun_operation_looks_like_this_on_the_wire() {
    let body = StackEventBody::OperationBegun {
        operation: DEPLOY.operation_id(1),
        kind: DEPLOY.name,
        reason: None,
    };
    let event = StackEvent { seq: 1, at: time(0), body: body.on_wire(Kinds::default()) };
    assert_eq!(
        serde_json::to_string(&event).unwrap(),
        "{\"id\":1,\"at\":\"2026-11-23T09:47:50.000Z\",\"event\":\"operation_begun\",\
         \"operation\":\"dep_00000000000000000000000000000001\",\"kind\":\"deployment\"}"
    );
}

#[test]
fn the_last_change_is_the_end_of_the_last_operation() {
    let change = Change::last(&life()).unwrap();
    assert_eq!((change.event, change.operation), (8, STOP.operation_id(2)));
    assert_eq!(Change::last(&life()[..1]), None);
}
