//! A stack's history is gap-free and agrees with its operations: replaying it gives the state
//! (promise P25).

use ai_stack_deployer::server::store::{
    CancelRequest, CleanupRecord, Desired, End, Fact, Lane, Lease, NewOperation, NewRemoval,
    OperationOutcome, RemovalOutcome, StackTurn, State, Store, Turn,
};
use domain::deployment::DeploymentId;
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::{DEPLOY, Kind, Kinds, RESTART, START, STOP, StackState, StackStatus};
use domain::receipt::Receipt;
use domain::stack_event::{Held, Problem, StackEventBody, StackHistory, Why};
use domain::stack_id::StackId;
use domain::stack_name::StackName;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use test_support::seed::seed;

use super::contract::removals::{live, removal};
use super::contract::{at, claim, new};
use crate::support::claim_one::CLEAN_UP;

/// The number of stacks whose lives are made up, and of things that happen in each.
const LIVES: u128 = 12;
const HAPPENINGS: u32 = 30;

on_every_store!(
    replaying_a_history_gives_the_state_in_memory,
    replaying_a_history_gives_the_state_in_sqlite,
    replaying_a_history_gives_the_state_in_postgres: replaying_gives_the_state
);

on_every_store!(
    a_turn_counts_once_and_only_if_nothing_has_happened_since_in_memory,
    a_turn_counts_once_and_only_if_nothing_has_happened_since_in_sqlite,
    a_turn_counts_once_and_only_if_nothing_has_happened_since_in_postgres: a_turn_counts_once
);

/// A stack whose life is made up.
struct Life<'a> {
    store: &'a dyn Store,
    random: StdRng,
    name: StackName,
    made: DeploymentId,
    /// The operation that holds it, whether it is stuck, and its lease.
    held: Option<(&'static Kind, bool, Lease)>,
    next: u128,
}

async fn replaying_gives_the_state(store: &dyn Store) {
    let seed = seed("lives of stacks");
    for number in 0..LIVES {
        let mut life = Life::begin(store, seed, number).await;
        life.agrees().await;
        for _ in 0..HAPPENINGS {
            life.go_on().await;
            life.agrees().await;
        }
    }
}

fn why() -> Why {
    Why { problem: Problem::NoAnswer, status: Some(502), exits: Vec::new(), after: None }
}

impl<'a> Life<'a> {
    async fn begin(store: &'a dyn Store, seed: u64, number: u128) -> Self {
        let (name, made) =
            (format!("life-{number}"), DeploymentId::from_random(1_000 * (number + 1)));
        store.begin(&new(1_000 * (number + 1), &name), None).await.unwrap();
        let lease = claim(store, Lane::Forward, &made).await;
        let random = StdRng::seed_from_u64(seed ^ u64::try_from(number).unwrap());
        let name = StackName::parse(&name).unwrap();
        let held = Some((kind(&made), false, lease));
        Self { store, random, name, made, held, next: 1_000 * (number + 1) + 1 }
    }

    fn stack(&self) -> StackId {
        StackId::of(&self.made)
    }

    /// Lets one thing happen, if it can.
    async fn go_on(&mut self) {
        match self.random.random_range(0..9) {
            0 => self.act(&STOP).await,
            1 => self.act(&START).await,
            2 => self.act(&RESTART).await,
            3 if self.random.random_bool(0.3) => self.remove().await,
            4 => self.turn(Turn::Unhealthy(why())).await,
            5 => self.turn(Turn::Recovered).await,
            6 => {
                let expires = self.random.random_bool(0.5).then(|| at(9_000));
                self.turn(Turn::Expires(expires)).await;
            }
            _ => self.end().await,
        }
    }

    fn number(&mut self) -> u128 {
        self.next += 1;
        self.next
    }

    async fn act(&mut self, kind: &'static Kind) {
        let new = NewOperation {
            id: kind.operation_id(self.number()),
            kind,
            // The lease of one that it takes over from has expired.
            started: at(200),
            first: EventBody::Progress(ProgressUpdate::first(kind, at(200))),
            of: None,
            expired: None,
            limit: None,
            revision: None,
            audit_entry: None,
            claim: None,
        };
        let begun = self.store.begin_operation(&self.name, &new).await.unwrap();
        if begun == OperationOutcome::Accepted(new.id.clone()) {
            let lease = claim(self.store, CLEAN_UP, &new.id).await;
            self.held = Some((kind, false, lease));
        }
    }

    async fn remove(&mut self) {
        let new = NewRemoval { started: at(200), ..removal(self.number(), None) };
        let begun = self.store.begin_removal(&self.name, &new).await.unwrap();
        if begun == RemovalOutcome::Accepted(new.id.clone()) {
            let lease = claim(self.store, CLEAN_UP, &new.id).await;
            self.held = Some((kind(&new.id), false, lease));
        }
    }

    async fn turn(&mut self, turn: Turn) {
        let events = self.store.stack_events(self.stack(), 0, 1_000).await.unwrap();
        let seen = events.len() as u64 - u64::from(self.random.random_bool(0.2));
        let (stack, audit_entry) = (self.stack(), None);
        let turn = StackTurn { stack, seen, at: at(61), turn, audit_entry };
        self.store.record_turn(&turn).await.unwrap();
    }

    /// Ends the operation that holds the stack, or cleans up after it.
    async fn end(&mut self) {
        let Some((kind, is_stuck, lease)) = self.held.take() else { return };
        let keeps = kind.keeps_stack();
        let desired = [Desired::Running, Desired::Stopped][self.random.random_range(0..2)];
        let leaves = keeps.then_some(desired);
        let is_clean = self.random.random_bool(0.7);
        if is_stuck {
            let (receipt, at, due) =
                (Receipt { clean: is_clean, ..Receipt::default() }, at(70), at(99));
            let cleanup = CleanupRecord { receipt, at, due, leaves };
            self.store.record_cleanup(&lease, &cleanup).await.unwrap();
        } else {
            let state = match (is_clean, kind.name == DEPLOY.name) {
                (false, _) => State::Stuck,
                (true, true) if self.random.random_bool(0.9) => State::Live,
                (true, _) => State::RolledBack,
            };
            let (at, cancel_request) = (at(65), CancelRequest::None);
            let due = (state == State::Stuck).then_some(at);
            let end = Some(End { state, leaves, at, cancel_request, due });
            self.store.record(&lease, &Fact { end, ..Fact::default() }).await.unwrap();
        }
        self.held = (!is_clean).then_some((kind, true, lease));
    }

    /// Compares the state by the history with what the store says.
    async fn agrees(&self) {
        let events = self.store.stack_events(self.stack(), 0, 1_000).await.unwrap();
        let count = events.len() as u64;
        assert!(events.iter().map(|event| event.seq).eq(1..=count), "{events:?}");
        let text = format!("{events:#?}");
        let history = StackHistory::of(events);
        let Some(stack) = self.store.stacks(Some(&self.name)).await.unwrap().pop() else {
            let is_deploying =
                history.held.as_ref().is_some_and(|held| held.operation == self.made);
            assert!(is_deploying || history.state == Some(StackState::Gone), "{text}");
            return;
        };
        assert_eq!(
            (history.seq, history.state),
            (stack.last_event, Some(stack.desired.state())),
            "{text}"
        );
        assert_eq!(history.revision, Some(stack.revision.number), "{text}");
        assert_eq!(history.expires, stack.expires, "{text}");
        let held = stack.operation.map(|one| Held {
            operation: one.id,
            kind: one.kind,
            is_stuck: one.state == State::Stuck,
        });
        assert_eq!(history.held, held, "{text}");
        let unhealthy = stack.unhealthy.map(|one| (one.since, one.why));
        assert_eq!(history.unhealthy, unhealthy, "{text}");
    }
}

fn kind(id: &DeploymentId) -> &'static Kind {
    let is_own = |kind: &&Kind| id.as_str().starts_with(kind.prefix);
    Kinds::default().all().find(is_own).unwrap()
}

async fn a_turn_counts_once(store: &dyn Store) {
    let made = live(store, 1, "alice").await;
    let (stack, name) = (StackId::of(&made), StackName::parse("alice").unwrap());
    let turn = async |seen, turn| {
        let turn = StackTurn { stack, seen, at: at(70), turn, audit_entry: None };
        store.record_turn(&turn).await.unwrap()
    };
    let last = async || store.stacks(Some(&name)).await.unwrap().remove(0).last_event;
    assert_eq!(last().await, 3, "it began, ended, and made the first revision");
    assert!(!turn(3, Turn::Recovered).await, "it was well");
    assert!(!turn(2, Turn::Unhealthy(why())).await, "something has happened since");
    assert!(turn(3, Turn::Unhealthy(why())).await);
    assert!(!turn(4, Turn::Unhealthy(why())).await, "it is so already");
    let stacks = store.stacks(Some(&name)).await.unwrap();
    assert_eq!(stacks[0].unhealthy.as_ref().unwrap().why, why());

    let stop = NewOperation {
        id: STOP.operation_id(2),
        kind: &STOP,
        started: at(60),
        first: EventBody::Progress(ProgressUpdate::first(&STOP, at(60))),
        of: None,
        expired: None,
        limit: None,
        revision: None,
        audit_entry: None,
        claim: None,
    };
    store.begin_operation(&name, &stop).await.unwrap();
    assert!(!turn(4, Turn::Recovered).await, "an operation has begun since");
    let lease = claim(store, CLEAN_UP, &stop.id).await;
    let (state, cancel_request) = (State::RolledBack, CancelRequest::None);
    let end = End { state, leaves: Some(Desired::Stopped), at: at(65), cancel_request, due: None };
    store.record(&lease, &Fact { end: Some(end), ..Fact::default() }).await.unwrap();
    assert!(!turn(6, Turn::Unhealthy(why())).await, "it need not run");
    let events = store.stack_events(stack, 4, 100).await.unwrap();
    let names: Vec<_> = events.iter().map(|event| event.body.name()).collect();
    assert_eq!(names, ["operation_begun", "operation_ended"]);
    assert!(store.stacks(Some(&name)).await.unwrap()[0].unhealthy.is_none(), "it is well again");
    assert!(turn(6, Turn::Expires(Some(at(99)))).await);
    let history = StackHistory::of(store.stack_events(stack, 0, 100).await.unwrap());
    assert_eq!(
        (history.status(Kinds::default()), history.expires),
        (StackStatus::Stopped, Some(at(99)))
    );
    let last = store.stack_events(stack, 6, 1).await.unwrap().remove(0);
    assert_eq!(last.body, StackEventBody::ExpiryChanged { expires_at: Some(at(99)) });
}
