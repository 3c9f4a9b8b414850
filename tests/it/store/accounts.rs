//! The contract of the accounts port, which every adapter must fulfil.

use std::collections::BTreeSet;
use std::sync::Arc;

use ai_stack_deployer::server::auth::access::{Role, Scope};
use ai_stack_deployer::server::auth::accounts::{
    Accounts, Digest, NewSession, NewToken, Person, Profile, SignIn, Token,
};
use ai_stack_deployer::server::store::Store;
use domain::owner::OwnerId;
use tokio::task::JoinSet;

use super::contract::at;
use super::{in_postgres, in_sqlite};
use crate::support::postgres::Cluster;

on_every_store! {
    the_store_in_memory_fulfils_the_contract_of_accounts,
    the_store_in_sqlite_fulfils_the_contract_of_accounts,
    the_store_in_postgres_fulfils_the_contract_of_accounts:
    hold
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_actions_in_sqlite_are_serialised() {
    let (_folder, store) = in_sqlite().await;
    one_after_the_other(&[store]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_actions_on_two_replicas_are_serialised() {
    let url = Cluster::shared().database();
    one_after_the_other(&[in_postgres(&url).await, in_postgres(&url).await]).await;
}

/// Older versions stored names as they were sent.
#[tokio::test]
async fn a_stored_name_is_shown_without_what_does_not_show() {
    let (_folder, store) = in_sqlite().await;
    let postgres = in_postgres(&Cluster::shared().database()).await;
    let stores: [&dyn Accounts; 2] = [&*store, &*postgres];
    for store in stores {
        for (name, expected) in [
            ("Ann\u{202e}lleB", "AnnlleB"),
            ("\u{1b}]0;x\u{7}Ann\u{3164}", "]0;xAnn"),
            ("\u{3164}\u{e0041}", "nameless"),
        ] {
            let profile = Profile { name: name.to_owned(), ..profile("alice") };
            let person = store.sign_in(&profile, &session("id", name, 1)).await.unwrap();
            assert_eq!(person.name, expected);
            assert_eq!(store.people(10).await.unwrap()[0].name, expected);
            let session = store.session(&Digest::of(name), at(1), at(2)).await.unwrap().unwrap();
            assert_eq!(session.person.name, expected);
        }
        let person = store.people(10).await.unwrap()[0].owner.clone();
        let NewToken { token, secret, audit_entry } = token(&person, "token", 1, 100);
        let token = Token { name: String::from("CI\u{2066}\u{ad}"), ..token };
        assert!(store.add_token(&NewToken { token, secret, audit_entry }, 3).await.unwrap());
        assert_eq!(store.tokens(&person, at(2)).await.unwrap()[0].name, "CI");
    }
}

async fn one_after_the_other<S: Accounts + Store + 'static>(stores: &[Arc<S>]) {
    stores[0].begin_sign_in(&begun("browser", 100), at(0)).await.unwrap();
    let mut taking = JoinSet::new();
    let mut signing_in = JoinSet::new();
    for (number, store) in stores.iter().cycle().take(8).enumerate() {
        let (one, other) = (Arc::clone(store), Arc::clone(store));
        taking.spawn(async move { one.take_sign_in(&Digest::of("browser"), at(1)).await.unwrap() });
        signing_in.spawn(async move {
            let session = session(&format!("id{number}"), &format!("cookie-{number}"), 1);
            other.sign_in(&profile("alice"), &session).await.unwrap().owner
        });
    }
    let taken = taking.join_all().await;
    assert_eq!(taken.iter().flatten().count(), 1, "a sign-in is finished once");
    let owners = signing_in.join_all().await;
    assert!(owners.iter().all(|owner| *owner == owners[0]), "one person: {owners:?}");
    assert_eq!(stores[0].people(10).await.unwrap().len(), 1);

    let mut adding = JoinSet::new();
    for (number, store) in stores.iter().cycle().take(10).enumerate() {
        let (store, person) = (Arc::clone(store), owners[0].clone());
        adding.spawn(async move {
            let token = token(&person, &format!("token{number}"), 1, 100);
            store.add_token(&token, 3).await.unwrap()
        });
    }
    let added = adding.join_all().await;
    assert_eq!(added.iter().filter(|added| **added).count(), 3);
}

async fn hold(store: &dyn Accounts) {
    a_sign_in_is_taken_once_and_expires(store).await;
    a_person_keeps_their_id(store).await;
    a_session_lasts_while_it_is_used_but_not_beyond_its_end(store).await;
    sessions_are_ended_one_by_one_and_all_at_once(store).await;
    a_person_has_so_many_tokens_that_can_be_used(store).await;
    a_token_is_found_while_it_can_be_used(store).await;
}

async fn a_sign_in_is_taken_once_and_expires(store: &dyn Accounts) {
    let take =
        async |browser, second| store.take_sign_in(&Digest::of(browser), at(second)).await.unwrap();
    assert_eq!(take("nobody", 0).await, None);
    store.begin_sign_in(&begun("one", 10), at(0)).await.unwrap();
    store.begin_sign_in(&begun("two", 20), at(0)).await.unwrap();
    assert_eq!(take("one", 10).await, None, "it has expired");
    assert_eq!(take("one", 9).await, Some(begun("one", 10)));
    assert_eq!(take("one", 9).await, None, "it was taken");

    let again = SignIn { state: String::from("again"), ..begun("two", 30) };
    store.begin_sign_in(&again, at(1)).await.unwrap();
    assert_eq!(take("two", 25).await, Some(again), "the last one counts");
    store.begin_sign_in(&begun("three", 40), at(1)).await.unwrap();
    store.begin_sign_in(&begun("four", 90), at(40)).await.unwrap();
    assert_eq!(take("three", 39).await, None, "what has expired is forgotten");
    assert!(take("four", 89).await.is_some());
}

async fn a_person_keeps_their_id(store: &dyn Accounts) {
    let alice = store.sign_in(&profile("alice"), &session("a1", "first", 1)).await.unwrap();
    let expected = Person {
        owner: OwnerId::person("a1"),
        name: String::from("alice"),
        role: Role::Member,
        seen: at(1),
        email: None,
        groups: BTreeSet::new(),
    };
    assert_eq!(alice, expected);
    assert_eq!(store.person(&alice.owner).await.unwrap(), Some(expected.clone()));
    assert_eq!(store.person(&OwnerId::person("nobody")).await.unwrap(), None);
    let renamed =
        Profile { name: String::from("Alice B."), role: Role::Operator, ..profile("alice") };
    let email = Some(String::from("alice@example.org"));
    let groups = BTreeSet::from(["staff", "a \"b\""].map(String::from));
    let renamed = Profile { email: email.clone(), groups: groups.clone(), ..renamed };
    let back = store.sign_in(&renamed, &session("a2", "second", 5)).await.unwrap();
    let expected = Person {
        name: renamed.name.clone(),
        role: Role::Operator,
        seen: at(5),
        email,
        groups,
        ..expected
    };
    assert_eq!(back, expected, "the id stays, the rest is taken over");

    let elsewhere = Profile { issuer: String::from("https://other.example"), ..profile("alice") };
    let other = store.sign_in(&elsewhere, &session("a3", "third", 3)).await.unwrap();
    assert_eq!(other.owner, OwnerId::person("a3"), "another provider's alice is somebody else");
    assert_eq!(store.people(10).await.unwrap(), [back.clone(), other]);
    assert_eq!(store.people(1).await.unwrap(), std::slice::from_ref(&back));

    let found = store.session(&Digest::of("first"), at(6), at(6)).await.unwrap().unwrap();
    assert_eq!(found.person, back, "a session shows the person as they are now");
}

async fn a_session_lasts_while_it_is_used_but_not_beyond_its_end(store: &dyn Accounts) {
    let found = async |secret, now, idle_until| {
        let found = store.session(&Digest::of(secret), at(now), at(idle_until)).await.unwrap();
        found.is_some()
    };
    let begin = async |secret| {
        let new = NewSession { idle_until: at(100), ends: at(300), ..session("b1", secret, 10) };
        store.sign_in(&profile("bob"), &new).await.unwrap();
    };
    begin("unused").await;
    assert!(found("unused", 99, 100).await);
    assert!(!found("unused", 100, 200).await, "it was not used for too long");
    assert!(!found("unheard of", 10, 100).await);

    begin("used").await;
    assert!(found("used", 20, 160).await);
    assert!(!found("used", 100, 160).await, "a minute more is not worth a write");
    assert!(found("used", 99, 161).await);
    assert!(found("used", 160, 161).await, "a second beyond a minute is");
    assert!(found("used", 160, 900).await);
    assert!(found("used", 299, 900).await);
    assert!(!found("used", 300, 900).await, "it ends in any case");
    let last = store.session(&Digest::of("used"), at(299), at(900)).await.unwrap().unwrap();
    assert_eq!((last.ends, last.person.name.as_str()), (at(300), "bob"));

    let brief = NewSession { idle_until: at(900), ends: at(50), ..session("b1", "brief", 10) };
    store.sign_in(&profile("bob"), &brief).await.unwrap();
    assert!(found("brief", 49, 900).await);
    assert!(!found("brief", 50, 900).await);
    store.sign_in(&profile("bob"), &session("b1", "later", 50)).await.unwrap();
    assert!(!found("brief", 49, 900).await, "what has expired is forgotten");
}

async fn sessions_are_ended_one_by_one_and_all_at_once(store: &dyn Accounts) {
    for secret in ["carol-1", "carol-2", "carol-3"] {
        store.sign_in(&profile("carol"), &session("c1", secret, 10)).await.unwrap();
    }
    store.sign_in(&profile("dave"), &session("d1", "dave-1", 10)).await.unwrap();
    let is_there =
        async |secret| store.session(&Digest::of(secret), at(11), at(11)).await.unwrap().is_some();
    assert!(store.end_session(&Digest::of("carol-1"), None).await.unwrap());
    assert!(!store.end_session(&Digest::of("carol-1"), None).await.unwrap());
    assert!(!is_there("carol-1").await && is_there("carol-2").await);
    assert_eq!(store.end_sessions_of(&OwnerId::person("c1"), None).await.unwrap(), 2);
    assert_eq!(store.end_sessions_of(&OwnerId::person("c1"), None).await.unwrap(), 0);
    assert!(!is_there("carol-2").await && is_there("dave-1").await);
}

async fn a_person_has_so_many_tokens_that_can_be_used(store: &dyn Accounts) {
    let (erin, frank) = (OwnerId::person("e1"), OwnerId::person("f1"));
    store.sign_in(&profile("erin"), &session("e1", "erin", 1)).await.unwrap();
    store.sign_in(&profile("frank"), &session("f1", "frank", 1)).await.unwrap();
    let add = async |person: &OwnerId, id, made, expires| {
        store.add_token(&token(person, id, made, expires), 2).await.unwrap()
    };
    assert!(add(&erin, "e1", 1, 50).await);
    assert!(add(&erin, "e2", 2, 20).await);
    assert!(!add(&erin, "e3", 19, 90).await);
    assert!(add(&frank, "f1", 19, 90).await, "each person has their own");
    assert!(add(&erin, "e3", 20, 90).await, "one has expired");
    assert!(!store.revoke_token(&frank, "e1", at(21), None).await.unwrap(), "it is not his");
    assert!(!store.revoke_token(&erin, "none", at(21), None).await.unwrap());
    assert!(store.revoke_token(&erin, "e1", at(21), None).await.unwrap());
    assert!(!store.revoke_token(&erin, "e1", at(22), None).await.unwrap(), "it is revoked");
    assert!(add(&erin, "e4", 23, 90).await);

    let list = async |person, second| store.tokens(person, at(second)).await.unwrap();
    let ids = |tokens: &[Token]| tokens.iter().map(|token| token.id.clone()).collect::<Vec<_>>();
    let all = list(&erin, 24).await;
    assert_eq!(ids(&all), ["e4", "e3", "e2", "e1"]);
    assert_eq!(ids(&list(&erin, 10).await), ["e4", "e3", "e2", "e1"], "e1 is revoked, e2 is good");
    assert_eq!(all[0], token(&erin, "e4", 23, 90).token);
    assert_eq!(all[3].revoked, Some(at(21)));
    assert_eq!(ids(&list(&frank, 24).await), ["f1"]);
}

async fn a_token_is_found_while_it_can_be_used(store: &dyn Accounts) {
    store.sign_in(&profile("grace"), &session("g1", "grace", 1)).await.unwrap();
    let grace = OwnerId::person("g1");
    // Minutes begin at 10 and 70.
    for (id, expires) in [("g1", 100), ("g2", 90)] {
        assert!(store.add_token(&token(&grace, id, 1, expires), 9).await.unwrap());
    }
    let find = async |id: &str, second| {
        store.token(&Digest::of(&format!("secret of {id}")), at(second)).await.unwrap()
    };
    let used = |token: Option<Token>| token.unwrap().used;
    assert_eq!(find("none", 12).await, None);
    assert_eq!(used(find("g1", 12).await), Some(at(10)));
    assert_eq!(used(find("g1", 69).await), Some(at(10)));
    let found = find("g1", 71).await.unwrap();
    assert_eq!((found.used, &found.person, found.scope), (Some(at(70)), &grace, Scope::Deploy));
    let listed = store.tokens(&grace, at(72)).await.unwrap();
    assert_eq!(listed.iter().map(|token| token.used).collect::<Vec<_>>(), [Some(at(70)), None]);
    assert_eq!(found.use_at(at(129)), None, "nothing is to be written");
    assert_eq!(found.use_at(at(130)), Some(at(130)));

    assert!(find("g2", 89).await.is_some());
    assert_eq!(find("g2", 90).await, None, "it has expired");
    assert!(store.revoke_token(&grace, "g1", at(72), None).await.unwrap());
    assert_eq!(find("g1", 73).await, None, "it is revoked");
}

pub(super) fn begun(browser: &str, expires: i64) -> SignIn {
    SignIn {
        browser: Digest::of(browser),
        state: String::from("state"),
        nonce: String::from("nonce"),
        verifier: String::from("verifier"),
        return_to: String::from("/deployments"),
        expires: at(expires),
    }
}

pub(super) fn profile(subject: &str) -> Profile {
    Profile {
        issuer: String::from("https://provider.example"),
        subject: subject.to_owned(),
        name: subject.to_owned(),
        role: Role::Member,
        email: None,
        groups: BTreeSet::new(),
    }
}

pub(super) fn session(person: &str, secret: &str, begun: i64) -> NewSession {
    NewSession {
        person: OwnerId::person(person),
        secret: Digest::of(secret),
        begun: at(begun),
        idle_until: at(1000),
        ends: at(2000),
        audit_entry: None,
    }
}

pub(super) fn token(person: &OwnerId, id: &str, made: i64, expires: i64) -> NewToken {
    NewToken {
        token: Token {
            id: id.to_owned(),
            person: person.clone(),
            name: String::from("laptop"),
            scope: Scope::Deploy,
            made: at(made),
            expires: at(expires),
            used: None,
            revoked: None,
        },
        secret: Digest::of(&format!("secret of {id}")),
        audit_entry: None,
    }
}
