//! A change of the portal's key, in both databases.

use ai_stack_deployer::server::secrets::rotation::rotate;
use ai_stack_deployer::server::secrets::sealed::{Resealed, SealedSecrets, StoredSecret};
use ai_stack_deployer::server::secrets::{Keyring, OpenSecretError, SecretId};
use ai_stack_deployer::server::store::{NewDeployment, Stacks, Store};
use secrecy::ExposeSecret as _;

use super::contract::new;
use super::contract::specs::{revision, sealed};
use super::{in_postgres, in_sqlite};
use crate::support::postgres::Cluster;

/// The key of the tests, and a new one.
const OLD: &str = "test:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const NEW: &str = "new:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
/// More than fit into two batches, with two secrets each.
const STACKS: u32 = 105;

#[tokio::test]
async fn in_sqlite_every_secret_is_sealed_with_the_first_key() {
    let (_folder, store) = in_sqlite().await;
    every_secret_is_sealed_with_the_first_key(&*store).await;
}

#[tokio::test]
async fn in_postgres_every_secret_is_sealed_with_the_first_key() {
    let store = in_postgres(&Cluster::shared().database()).await;
    every_secret_is_sealed_with_the_first_key(&*store).await;
}

/// Opens a secret of a stack like the saga.
async fn open(store: &impl Store, number: u128, keyring: &Keyring) -> Option<String> {
    let (revision, name) = (revision(number), "env:TOKEN");
    let spec = store.spec(revision).await.unwrap().unwrap();
    let opened = keyring.open(SecretId { revision, name }, &spec.secrets[name]).ok();
    opened.map(|secret| secret.expose_secret().to_owned())
}

async fn every_secret_is_sealed_with_the_first_key(store: &(impl Store + SealedSecrets)) {
    let ring = |text: &str| Keyring::parse(text).unwrap();
    let (old, new_key) = (ring(OLD), ring(NEW));
    for number in 0..u128::from(STACKS) {
        let name = format!("stack-{number}");
        let begun = NewDeployment { spec: sealed(number), ..new(number, &name) };
        store.begin(&begun, None).await.unwrap();
    }
    let count = u64::from(STACKS) * 2;
    let usage =
        |of: &[(&str, u64)]| of.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect();
    assert_eq!(store.key_usage().await.unwrap(), usage(&[("test", count)]));

    // Without the old key nothing can be opened, and nothing is changed.
    let vain = rotate(store, &new_key).await.unwrap();
    assert_eq!((vain.resealed, vain.unopened.len() as u64), (0, count));
    let unknown = OpenSecretError::UnknownKey { key_id: String::from("test") };
    assert!(vain.unopened.iter().all(|(_, error)| *error == unknown));
    assert_eq!(vain.usage, usage(&[("test", count)]));

    // A secret that is changed meanwhile is not replaced.
    let stale = store.secrets_after(None, 1).await.unwrap().remove(0);
    let both = ring(&format!("{NEW},{OLD}"));
    let rotation = rotate(store, &both).await.unwrap();
    assert_eq!((rotation.resealed, rotation.unopened.len()), (count, 0));
    assert_eq!(rotation.usage, usage(&[("new", count)]));
    let late = Resealed { new: stale.sealed.clone(), old: stale };
    assert_eq!(store.reseal(&[late]).await.unwrap(), 0);

    for number in [0, 1, u128::from(STACKS) - 1] {
        assert_eq!(open(store, number, &old).await, None);
        let opened = open(store, number, &new_key).await;
        assert_eq!(opened.as_deref(), Some("value\0of any kind"));
    }
    let again = rotate(store, &both).await.unwrap();
    assert_eq!((again.resealed, &again.usage), (0, &usage(&[("new", count)])));
    assert!(again.is_done("new"));
    let samples = store.samples().await.unwrap();
    assert_eq!(samples.len(), 2, "of one stack, since there is one key");
    assert!(samples.iter().all(|sample| new_key.open(sample.key.id(), &sample.sealed).is_ok()));

    // Another key with the id of the sealing key opens nothing.
    let reused = ring(&OLD.replace("test:", "new:"));
    let vain = rotate(store, &reused).await.unwrap();
    assert_eq!((vain.resealed, vain.unopened.len() as u64), (0, count));
    assert_eq!(vain.usage, usage(&[("new", count)]));
    assert!(!vain.is_done("new"), "every secret is under the id, and none opens");
}

#[tokio::test]
async fn secrets_sealed_with_an_old_key_do_not_stay_in_the_file() {
    let (folder, store) = in_sqlite().await;
    let begun = NewDeployment { spec: sealed(1), ..new(1, "alice") };
    store.begin(&begun, None).await.unwrap();
    let old = store.secrets_after(None, 10).await.unwrap();
    let keyring = Keyring::parse(&format!("{NEW},{OLD}")).unwrap();
    assert_eq!(rotate(&*store, &keyring).await.unwrap().resealed, 2);
    store.close().await;
    let file = std::fs::read(folder.path().join("portal.db")).unwrap();
    let holds = |text: &[u8]| file.windows(text.len()).any(|bytes| bytes == text);
    assert!(holds(b"env:TOKEN"));
    for StoredSecret { sealed, .. } in old {
        assert!(!holds(&sealed.wrapped_key) && !holds(&sealed.ciphertext));
    }
}
