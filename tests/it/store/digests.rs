//! Credentials are stored only as digests, so nobody who reads the database can use them.

use std::fs;

use ai_stack_deployer::server::auth::accounts::{Accounts, Digest, NewToken};
use ai_stack_deployer::server::store::Store;

use super::accounts::{begun, profile, session, token};
use super::contract::at;
use super::{in_postgres, in_sqlite};
use crate::support::postgres::Cluster;

/// The cookie of a sign-in, that of a session, and a token.
const SECRETS: [&str; 3] = ["canary-sign-in", "canary-session", "canary-token"];

#[tokio::test]
async fn nothing_in_sqlite_holds_a_credential() {
    let (folder, store) = in_sqlite().await;
    show_secrets(&*store).await;
    store.close().await;
    let files = fs::read_dir(folder.path()).unwrap();
    let bytes: Vec<u8> = files.flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    only_digests(&String::from_utf8_lossy(&bytes));
}

#[tokio::test]
async fn no_column_in_postgres_holds_a_credential() {
    let url = Cluster::shared().database();
    show_secrets(&*in_postgres(&url).await).await;
    let tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
    let rows = |table| {
        Cluster::ask(&url, &format!("SELECT string_agg(t::text, ' ') FROM \"{table}\" AS t"))
    };
    only_digests(&Cluster::ask(&url, tables).lines().map(rows).collect::<String>());
}

/// Stores a sign-in, a session and a token.
async fn show_secrets(store: &dyn Accounts) {
    let [browser, cookie, secret] = SECRETS;
    store.begin_sign_in(&begun(browser, 100), at(0)).await.unwrap();
    let session = session("a1", cookie, 0);
    let person = store.sign_in(&profile("alice"), &session).await.unwrap().owner;
    assert!(store.session(&session.secret, at(50), at(1_500)).await.unwrap().is_some());
    let secret = Digest::of(secret);
    let token = NewToken { secret: secret.clone(), ..token(&person, "t1", 0, 100) };
    assert!(store.add_token(&token, 1).await.unwrap());
    assert!(store.token(&secret, at(50)).await.unwrap().is_some());
}

/// Checks that the content of a database has the digests of the secrets, but not the secrets.
fn only_digests(held: &str) {
    for secret in SECRETS {
        assert!(held.contains(&Digest::of(secret).0), "no trace of {secret}");
        assert!(!held.contains(secret), "{secret} is in the database");
    }
}
