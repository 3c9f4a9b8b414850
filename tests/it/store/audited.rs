//! An action and its audit entry are stored together, or neither is.

use ai_stack_deployer::server::audit::{AuditAction, AuditEntry, AuditFilter, AuditLog};
use ai_stack_deployer::server::auth::accounts::{Accounts, Digest, NewSession, NewToken};
use ai_stack_deployer::server::store::{
    CancelOutcome, Lane, NewDeployment, NewRemoval, RemovalOutcome, Stacks, State, Store,
};
use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use super::accounts::{profile, session, token};
use super::contract::{LEASE, at, end, new, removals};
use super::{in_postgres, in_sqlite};

use crate::support::claim_one::ClaimOne as _;
use crate::support::postgres::Cluster;

/// The ports that these tests use.
trait AuditedStore: Store + Accounts + AuditLog {}

impl<T: Store + Accounts + AuditLog> AuditedStore for T {}

fn entry(act: AuditAction) -> AuditEntry {
    AuditEntry {
        at: at(0),
        who: String::from("person:ann"),
        act,
        target: None,
        from: None,
        outcome: String::from("done"),
    }
}

/// Lists the actions with their actors, newest first.
async fn audit_entry(store: &dyn AuditedStore) -> Vec<(AuditAction, String)> {
    let filter = AuditFilter { limit: 100, ..AuditFilter::default() };
    let entries = store.entries(&filter).await.unwrap();
    entries.into_iter().map(|(_, entry)| (entry.act, entry.who)).collect()
}

async fn last(store: &dyn AuditedStore) -> (usize, Option<AuditAction>) {
    let audit_entry = audit_entry(store).await;
    (audit_entry.len(), audit_entry.first().map(|(act, _)| *act))
}

fn start(number: u128, name: &str) -> NewDeployment {
    NewDeployment { audit_entry: Some(entry(AuditAction::Start)), ..new(number, name) }
}

fn removal(number: u128) -> NewRemoval {
    NewRemoval {
        started: at(50),
        audit_entry: Some(entry(AuditAction::Remove)),
        ..removals::removal(number, None)
    }
}

/// Each action is recorded once, and an action without an effect is not.
async fn hold(store: &dyn AuditedStore) {
    store.begin(&start(1, "alice"), None).await.unwrap();
    assert_eq!(last(store).await, (1, Some(AuditAction::Start)));
    store.begin(&start(2, "alice"), None).await.unwrap_err();
    assert_eq!(last(store).await.0, 1, "the name was taken");

    let (alice, cancel) = (DeploymentId::from_random(1), entry(AuditAction::Cancel));
    assert_eq!(store.cancel(&alice, at(1), Some(&cancel)).await.unwrap(), CancelOutcome::Accepted);
    assert_eq!(last(store).await, (2, Some(AuditAction::Cancel)));
    let nobody = DeploymentId::from_random(99);
    assert_eq!(store.cancel(&nobody, at(1), Some(&cancel)).await.unwrap(), CancelOutcome::Unknown);
    assert!(!store.make_due_now(&alice, Some(&entry(AuditAction::RetryCleanUp))).await.unwrap());
    assert_eq!(last(store).await.0, 2, "nothing came of it");

    store.begin(&new(3, "bobby"), None).await.unwrap();
    let name = new(3, "bobby").deployment.name;
    assert_eq!(store.begin_removal(&name, &removal(4)).await.unwrap(), RemovalOutcome::NotLive);
    assert_eq!(last(store).await.0, 2, "no stack was live");
    let first = store.claim_one(Lane::Forward, "a", at(3), LEASE).await.unwrap().unwrap();
    let second = store.claim_one(Lane::Forward, "a", at(3), LEASE).await.unwrap().unwrap();
    let bobby = if first.id == alice { second } else { first };
    store.record(&bobby, &end(State::Live)).await.unwrap();
    for again in [4, 5] {
        let removing = store.begin_removal(&name, &removal(again)).await.unwrap();
        assert!(matches!(removing, RemovalOutcome::Accepted(_)), "{removing:?}");
    }
    assert_eq!(last(store).await, (4, Some(AuditAction::Remove)));
    people(store).await;
}

async fn people(store: &dyn AuditedStore) {
    let before = last(store).await.0;
    let begun = |secret: &str| NewSession {
        audit_entry: Some(entry(AuditAction::SignIn)),
        ..session("cat", secret, 1)
    };
    let cat = store.sign_in(&profile("cat"), &begun("one")).await.unwrap().owner;
    // A known person keeps their id.
    let again = NewSession { person: OwnerId::person("other"), ..begun("two") };
    store.sign_in(&profile("cat"), &again).await.unwrap();
    let signed_in = audit_entry(store).await;
    let expected = (AuditAction::SignIn, cat.to_string());
    assert_eq!(signed_in[..2], [expected.clone(), expected], "{signed_in:?}");

    let out = entry(AuditAction::SignOut);
    assert!(store.end_session(&Digest::of("one"), Some(&out)).await.unwrap());
    assert!(!store.end_session(&Digest::of("one"), Some(&out)).await.unwrap());
    assert_eq!(last(store).await, (before + 3, Some(AuditAction::SignOut)));
    assert_eq!(store.end_sessions_of(&cat, Some(&out)).await.unwrap(), 1);
    assert_eq!(last(store).await.0, before + 4);

    let make = |id: &str| NewToken {
        audit_entry: Some(entry(AuditAction::MakeToken)),
        ..token(&cat, id, 1, 100)
    };
    assert!(store.add_token(&make("first"), 1).await.unwrap());
    assert!(!store.add_token(&make("second"), 1).await.unwrap());
    assert_eq!(last(store).await, (before + 5, Some(AuditAction::MakeToken)));
    let revoke = entry(AuditAction::RevokeToken);
    assert!(!store.revoke_token(&cat, "second", at(2), Some(&revoke)).await.unwrap());
    assert!(store.revoke_token(&cat, "first", at(2), Some(&revoke)).await.unwrap());
    assert_eq!(last(store).await, (before + 6, Some(AuditAction::RevokeToken)));

    store.sign_in(&profile("cat"), &session("cat", "three", 1)).await.unwrap();
    assert!(store.add_token(&token(&cat, "third", 1, 100), 1).await.unwrap());
    let revoke_access = entry(AuditAction::RevokeAccess);
    assert_eq!(store.revoke_access(&cat, at(2), Some(&revoke_access)).await.unwrap(), (1, 1));
    assert_eq!(store.revoke_access(&cat, at(2), Some(&revoke_access)).await.unwrap(), (0, 0));
    assert_eq!(last(store).await, (before + 7, Some(AuditAction::RevokeAccess)));
}

on_every_store! {
    the_store_in_memory_audits_actions,
    the_store_in_sqlite_audits_actions,
    the_store_in_postgres_audits_actions:
    hold
}

#[tokio::test]
async fn in_sqlite_nothing_happens_that_cannot_be_audited() {
    let (folder, store) = in_sqlite().await;
    let path = folder.path().join("portal.db");
    let mut raw = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    let refuse =
        "CREATE TRIGGER refuse BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END";
    prepare(&*store).await;
    sqlx::raw_sql(refuse).execute(&mut raw).await.unwrap();
    assert_nothing_happens(&*store).await;
    sqlx::raw_sql("DROP TRIGGER refuse").execute(&mut raw).await.unwrap();
    store.begin(&start(8, "carol"), None).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn in_postgres_nothing_happens_that_cannot_be_audited() {
    let url = Cluster::shared().database();
    let store = in_postgres(&url).await;
    let mut raw = PgConnection::connect(&url).await.unwrap();
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
                      AS $$ BEGIN RAISE 'no'; END $$;
                  CREATE TRIGGER refuse BEFORE INSERT ON audit
                      FOR EACH ROW EXECUTE FUNCTION refuse()";
    prepare(&*store).await;
    sqlx::raw_sql(refuse).execute(&mut raw).await.unwrap();
    assert_nothing_happens(&*store).await;
    sqlx::raw_sql("DROP TRIGGER refuse ON audit").execute(&mut raw).await.unwrap();
    store.begin(&start(8, "carol"), None).await.unwrap();
    store.close().await;
}

/// Stores a person with a session and a token, a deployment in progress, a live stack and a stuck
/// one.
async fn prepare(store: &dyn AuditedStore) {
    for (number, name, state) in
        [(1, "alice", None), (2, "bobby", Some(State::Live)), (3, "david", Some(State::Stuck))]
    {
        store.begin(&new(number, name), None).await.unwrap();
        let lease = store.claim_one(Lane::Forward, "a", at(9), LEASE).await.unwrap().unwrap();
        if let Some(state) = state {
            store.record(&lease, &end(state)).await.unwrap();
        }
    }
    let cat = store.sign_in(&profile("cat"), &session("cat", "one", 1)).await.unwrap().owner;
    store.add_token(&token(&cat, "first", 1, 100), 5).await.unwrap();
}

async fn assert_nothing_happens(store: &dyn AuditedStore) {
    let cat = OwnerId::person("cat");
    let [alice, bobby, david] = [1, 2, 3].map(DeploymentId::from_random);
    store.begin(&start(7, "carol"), None).await.unwrap_err();
    assert!(store.find(&DeploymentId::from_random(7)).await.unwrap().is_none());
    let before = store.find(&alice).await.unwrap();
    store.cancel(&alice, at(1), Some(&entry(AuditAction::Cancel))).await.unwrap_err();
    assert_eq!(store.find(&alice).await.unwrap(), before);
    let name = new(2, "bobby").deployment.name;
    store.begin_removal(&name, &removal(4)).await.unwrap_err();
    assert_eq!(store.stacks(Some(&name)).await.unwrap()[0].removal, None);
    assert_eq!(store.stacks(Some(&name)).await.unwrap()[0].deployment.id, bobby);
    let before = store.find(&david).await.unwrap();
    store.make_due_now(&david, Some(&entry(AuditAction::RetryCleanUp))).await.unwrap_err();
    assert_eq!(store.find(&david).await.unwrap(), before);

    let begun =
        NewSession { audit_entry: Some(entry(AuditAction::SignIn)), ..session("dan", "two", 1) };
    store.sign_in(&profile("dan"), &begun).await.unwrap_err();
    assert_eq!(store.people(10).await.unwrap().len(), 1);
    let out = entry(AuditAction::SignOut);
    store.end_session(&Digest::of("one"), Some(&out)).await.unwrap_err();
    store.end_sessions_of(&cat, Some(&out)).await.unwrap_err();
    store.revoke_access(&cat, at(2), Some(&out)).await.unwrap_err();
    assert!(store.session(&Digest::of("one"), at(2), at(3)).await.unwrap().is_some());
    let made = NewToken { audit_entry: Some(out.clone()), ..token(&cat, "second", 1, 100) };
    store.add_token(&made, 5).await.unwrap_err();
    store.revoke_token(&cat, "first", at(2), Some(&out)).await.unwrap_err();
    let tokens = store.tokens(&cat, at(2)).await.unwrap();
    assert_eq!((tokens.len(), tokens[0].revoked), (1, None));
}
