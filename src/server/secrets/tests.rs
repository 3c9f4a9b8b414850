//! A sealed secret opens only with its key, and only as the secret that it was sealed as.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::key_file::KeyFileError;
use super::*;
use domain::deployment::DeploymentId;

/// 32 bytes of 0x01, 0x02 and 0x03.
const KEYS: [&str; 3] = [
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
    "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=",
    "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=",
];

/// Returns the id of the secret that most tests are about.
fn first() -> SecretId<'static> {
    id(1, "env:TOKEN")
}

/// Returns the id of a secret of the stack with this number.
fn id(stack: u128, name: &str) -> SecretId<'_> {
    SecretId { revision: RevisionId::first_of(&DeploymentId::from_random(stack)), name }
}

fn ring(text: &str) -> Keyring {
    Keyring::parse(text).unwrap()
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn opened(ring: &Keyring, id: SecretId<'_>, sealed: &SealedSecret) -> Option<String> {
    ring.open(id, sealed).ok().map(|secret| secret.expose_secret().to_owned())
}

proptest! {
    #![proptest_config(test_support::properties())]

    #[test]
    fn what_is_sealed_opens_with_its_key_in_its_place(
        text in ".{0,200}", stack: u128, name in ".{0,20}"
    ) {
        let (ring, id) = (ring(KEYS[0]), id(stack, &name));
        let sealed = ring.seal(id, &secret(&text));
        prop_assert_eq!(opened(&ring, id, &sealed), Some(text));
    }

    #[test]
    fn nothing_opens_of_which_a_bit_is_flipped(
        text in ".{0,40}", which in any::<bool>(), at in any::<prop::sample::Index>(), bit in 0..8_u8
    ) {
        let ring = ring(KEYS[0]);
        let mut sealed = ring.seal(first(), &secret(&text));
        let bytes = if which { &mut sealed.ciphertext } else { &mut sealed.wrapped_key };
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(opened(&ring, first(), &sealed), None);
    }

    #[test]
    fn nothing_opens_that_was_cut_off_or_added_to(
        text in ".{0,40}", which in any::<bool>(), at in any::<prop::sample::Index>(), more in any::<bool>()
    ) {
        let ring = ring(KEYS[0]);
        let mut sealed = ring.seal(first(), &secret(&text));
        let bytes = if which { &mut sealed.ciphertext } else { &mut sealed.wrapped_key };
        if more { bytes.push(0) } else { bytes.truncate(at.index(bytes.len())) }
        prop_assert_eq!(opened(&ring, first(), &sealed), None);
    }

    #[test]
    fn no_two_lists_of_texts_look_alike_when_joined(
        one in prop::collection::vec("[a\0]{0,3}", 0..4), other in prop::collection::vec("[a\0]{0,3}", 0..4)
    ) {
        let join = |texts: &[String]| joined(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(join(&one) == join(&other), one == other);
    }
}

#[test]
fn a_secret_does_not_open_in_the_place_of_another() {
    let ring = ring(KEYS[0]);
    let next = RevisionId { number: 2, ..first().revision };
    let others = [id(2, "env:TOKEN"), id(1, "env:OTHER"), SecretId { revision: next, ..first() }];
    let sealed = ring.seal(first(), &secret("value"));
    for other in others {
        assert_eq!(opened(&ring, other, &sealed), None, "{other:?}");
        // The encrypted key of one secret does not decrypt another secret.
        let theirs = ring.seal(other, &secret("value"));
        let mixed = SealedSecret { wrapped_key: sealed.wrapped_key.clone(), ..theirs.clone() };
        assert_eq!(opened(&ring, other, &mixed), None, "{other:?}");
        let mixed = SealedSecret { ciphertext: sealed.ciphertext.clone(), ..theirs };
        assert_eq!(opened(&ring, other, &mixed), None, "{other:?}");
    }
}

#[test]
fn another_key_opens_nothing_and_the_error_says_which_is_missing() {
    let sealed = ring(&format!("first:{}", KEYS[0])).seal(first(), &secret("value"));
    let error = ring(&format!("second:{}", KEYS[0])).open(first(), &sealed).unwrap_err();
    assert_eq!(error, OpenSecretError::UnknownKey { key_id: String::from("first") });
    let error = ring(&format!("first:{}", KEYS[1])).open(first(), &sealed).unwrap_err();
    assert_eq!(error, OpenSecretError::Damaged { key_id: String::from("first") });
    assert!(error.to_string().contains("first") && !error.to_string().contains("value"));
}

#[test]
fn what_is_sealed_twice_never_looks_the_same() {
    let ring = ring(KEYS[0]);
    let [one, other] = [(), ()].map(|()| ring.seal(first(), &secret("value")));
    assert_ne!(one.ciphertext, other.ciphertext);
    assert_ne!(one.wrapped_key, other.wrapped_key);
    assert_eq!(one.fingerprint, other.fingerprint);
}

#[test]
fn a_fingerprint_tells_values_apart_and_no_stacks_or_names() {
    let ring = ring(KEYS[0]);
    let of = |stack, name, text| ring.fingerprint(id(stack, name), &secret(text));
    let all = [
        of(1, "env:A", "one"),
        of(1, "env:A", "two"),
        of(1, "env:B", "one"),
        of(2, "env:A", "one"),
        tests::ring(KEYS[1]).fingerprint(id(1, "env:A"), &secret("one")),
    ];
    for (index, fingerprint) in all.iter().enumerate() {
        assert!(fingerprint.len() == 8 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(!all[..index].contains(fingerprint), "{all:?}");
    }
    let next = RevisionId { number: 2, ..id(1, "").revision };
    let again = SecretId { revision: next, name: "env:A" };
    assert_eq!(ring.fingerprint(again, &secret("one")), all[0], "in each revision of a stack");
}

#[test]
fn after_a_rotation_only_the_new_key_is_needed() {
    let old = ring(&format!("old:{}", KEYS[0]));
    let both = ring(&format!("new:{}, old:{}", KEYS[1], KEYS[0]));
    let new = ring(&format!("new:{}", KEYS[1]));
    let sealed = old.seal(first(), &secret("value"));
    assert_eq!(opened(&both, first(), &sealed).unwrap(), "value");
    let resealed = both.reseal(first(), &sealed).unwrap();
    assert_eq!((resealed.key_id.as_str(), &resealed.fingerprint), ("new", &sealed.fingerprint));
    assert_eq!(opened(&new, first(), &resealed).unwrap(), "value");
    assert_eq!(opened(&old, first(), &resealed), None);
    // Whoever has the old key, and saw the secret's own key, gets no further with either.
    assert_ne!(resealed.ciphertext, sealed.ciphertext);
    let mixed = SealedSecret { ciphertext: resealed.ciphertext, ..sealed.clone() };
    assert_eq!(opened(&both, first(), &mixed), None);
    let other = id(2, "env:TOKEN");
    assert_eq!(both.reseal(other, &sealed).unwrap_err(), damaged(&sealed));
    let unknown = OpenSecretError::UnknownKey { key_id: String::from("old") };
    assert_eq!(new.reseal(first(), &sealed).unwrap_err(), unknown);
}

#[test]
fn keys_are_read_with_and_without_ids() {
    let [one, two, three] = KEYS;
    let unpadded = one.trim_end_matches('=');
    let read = ring(&format!("{unpadded},a-B_9: {two} ,{three}"));
    let id = ring(one).sealing_id().to_owned();
    assert_eq!(read.sealing_id(), id);
    assert!(id.len() == 8 && read.has("a-B_9") && read.has(ring(three).sealing_id()));
    assert!(!read.has("a"));
    let sealed = ring(one).seal(first(), &secret("value"));
    assert_eq!(opened(&read, first(), &sealed).unwrap(), "value");
}

#[test]
fn unusable_keys_are_refused_with_a_remedy_and_never_repeated() {
    let [one, two, _] = KEYS;
    for (text, expected) in [
        (String::new(), KeyringError::Length { number: 1, length: 0 }),
        (String::from("AQEBAQ=="), KeyringError::Length { number: 1, length: 4 }),
        (format!("{one},{}", &two[..40]), KeyringError::Length { number: 2, length: 30 }),
        (String::from("not a key"), KeyringError::NotBase64(1)),
        (format!("{one},"), KeyringError::Length { number: 2, length: 0 }),
        (format!("a:{one},a:{two}"), KeyringError::SameId(String::from("a"))),
        (format!("{one},{one}"), KeyringError::SameId(ring(one).sealing_id().to_owned())),
        (format!("{two}:{one}"), KeyringError::Id(1)),
        (format!(":{one}"), KeyringError::Id(1)),
        (format!("a b:{one}"), KeyringError::Id(1)),
    ] {
        let error = Keyring::parse(&text).unwrap_err();
        assert_eq!(error, expected, "{text}");
        let sentence = error.to_string();
        assert!(sentence.contains(": ") && !sentence.contains(&one[..12]), "{sentence}");
    }
    let shown = format!("{:?}", ring(one));
    assert!(!shown.contains("AQEB") && !shown.contains("[1, 1"), "{shown}");
}

#[test]
fn keys_from_two_places_add_up_unless_one_id_stands_for_both() {
    let [one, two, three] = KEYS;
    let both = ring(&format!("a:{one}")).with_older(&ring(&format!("b:{two},c:{three}"))).unwrap();
    assert!(both.sealing_id() == "a" && both.has("b") && both.has("c"));
    assert!(ring(one).with_older(&ring(one)).is_ok());
    let clash = ring(&format!("a:{one}")).with_older(&ring(&format!("a:{two}"))).unwrap_err();
    assert_eq!(clash, KeyringError::SameId(String::from("a")));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_key_file_is_its_owners_alone_and_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = key_file::beside(&folder.path().join("portal.db"));
    assert!(key_file::read(&path).unwrap().is_none());
    let made = key_file::create(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    let read = key_file::read(&path).unwrap().unwrap();
    let sealed = made.seal(first(), &secret("value"));
    assert_eq!(opened(&read, first(), &sealed).unwrap(), "value");
    assert_eq!(key_file::create(&path).unwrap().sealing_id(), made.sealing_id());
    assert_eq!(key_file::read(&path).unwrap().unwrap().sealing_id(), made.sealing_id());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn of_portals_that_make_a_key_in_one_folder_at_once_all_get_the_same() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portal.key");
        let ids = std::thread::scope(|scope| {
            let create = || key_file::create(&path).unwrap().sealing_id().to_owned();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn where_there_are_no_hard_links_the_key_is_written_in_place_and_replaces_none() {
    let folder = tempfile::tempdir().unwrap();
    let (path, unlinkable) = (folder.path().join("portal.key"), folder.path().join("none"));
    key_file::publish(&unlinkable, &path, KEYS[0]).unwrap();
    assert_eq!(mode(&path), 0o600);
    let error = key_file::publish(&unlinkable, &path, KEYS[1]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(key_file::read(&path).unwrap().unwrap().sealing_id(), ring(KEYS[0]).sealing_id());
}

#[test]
fn only_what_a_crash_left_is_removed_and_only_beside_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portal.key");
    let left = folder.path().join("portal.key.part-0123abcd");
    let others = ["portal.key.new", "portal.key.part-2027", "portal.key.part-0123abcde", "other"];
    let others = others.map(|name| folder.path().join(name));
    for file in others.iter().chain([&left]) {
        fs::write(file, KEYS[0]).unwrap();
    }
    key_file::remove_unfinished(&path);
    assert!(left.exists());
    key_file::create(&path).unwrap();
    key_file::remove_unfinished(&path);
    assert!(!left.exists() && path.exists() && others.iter().all(|file| file.exists()));
}

#[test]
fn a_key_file_that_cannot_be_used_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portal.key");
    fs::write(&path, KEYS[0]).unwrap();
    for exposed in [0o640, 0o604, 0o622] {
        fs::set_permissions(&path, fs::Permissions::from_mode(exposed)).unwrap();
        let error = key_file::read(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::Exposed { mode, .. } if mode == exposed));
        assert!(error.to_string().contains("chmod 600"), "{error}");
        assert!(error.to_string().contains("change the secrets themselves"), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(key_file::read(&path).unwrap().is_some());
    for text in [&b""[..], b"nonsense", b"AQEB", b"\xff\xfe"] {
        fs::write(&path, text).unwrap();
        let error = key_file::read(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::Invalid { .. }), "{error}");
        assert!(error.to_string().contains("portal.key"), "{error}");
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let error = key_file::read(&path).unwrap_err();
    assert!(matches!(error, KeyFileError::Unreadable { .. }), "{error}");
}

#[test]
fn what_an_earlier_version_sealed_still_opens() {
    let decode = |text: &str| STANDARD.decode(text).unwrap();
    let sealed = SealedSecret {
        key_id: String::from("first"),
        wrapped_key: decode(
            "w5BrMUzq9pau7hVx5pH+C8rvo8DugEIyLEZdpCtCULWqItoYbXsA95Bl7E7U/8Vzs3OgX3ns0YKPxJA6yQF9UVxJ\
             uc0dw9K8",
        ),
        ciphertext: decode("2fcAHhB8hQJALRGq7SRnNO03i1OvSM1kL1v2foruXNCswM/EwGrEcdVG/51t"),
        fingerprint: String::from("9a2c108b"),
    };
    let ring = ring(&format!("first:{}", KEYS[0]));
    assert_eq!(opened(&ring, first(), &sealed).unwrap(), "value");
    assert_eq!(ring.fingerprint(first(), &secret("value")), sealed.fingerprint);
    // It had no other stacks, and one revision of each.
    let next = RevisionId { number: 2, ..first().revision };
    for other in [id(2, first().name), SecretId { revision: next, ..first() }] {
        assert_eq!(opened(&ring, other, &sealed), None, "{other:?}");
    }
    // A rotation binds it to the revision.
    let resealed = ring.reseal(first(), &sealed).unwrap();
    assert_eq!(opened(&ring, first(), &resealed).unwrap(), "value");
}
