//! What is masked in any context, and what stays readable.

use proptest::prelude::*;

use super::*;

fn secrets(known: &[&str]) -> Secrets {
    let known: Vec<SecretString> = known.iter().map(|text| SecretString::from(*text)).collect();
    Secrets::new(&known)
}

fn masked(text: &str) -> String {
    secrets(&[]).masked_end(text, 100, 100_000)
}

#[test]
fn what_is_known_to_be_secret_is_masked_in_whatever_form_it_comes_up() {
    let known = secrets(&["pass/word+1 \"x\"", "line one\nline two", "abc"]);
    let of = |text: &str| known.masked_end(text, 100, 100_000);
    for text in [
        "login pass/word+1 \"x\" failed",
        "GET /?q=pass%2Fword%2B1%20%22x%22",
        "{\"p\":\"pass/word+1 \\\"x\\\"\"}",
        "u cGFzcy93b3JkKzEgIngi",
        "the line two is here",
        "pass/wo\u{1b}[31mrd+1 \"x\"",
        "pass/wo\u{200b}rd+1 \"x\"",
    ] {
        assert!(of(text).contains("***"), "{text} -> {}", of(text));
        for part in ["word+1", "word%2B1", "cGFzcy93", "line two"] {
            assert!(!of(text).contains(part), "{text} -> {}", of(text));
        }
    }
    assert_eq!(of("abc is no secret"), "abc is no secret");
}

#[test]
fn what_looks_like_a_credential_is_masked() {
    for (text, secret) in [
        ("Authorization: Bearer abc.def", "abc"),
        ("x-registry-auth: eyJ1c2Vy", "eyJ1c2Vy"),
        ("sent Basic dXNlcjpwYXNz to it", "dXNlcjpw"),
        ("Get \"https://me:hunter2@registry/v2/\": EOF", "hunter2"),
        ("Get \"https://r/v2/x?sig=hunter2&x=1\": EOF", "hunter2"),
        ("Command failed: echo \"hunter2\" | docker login r -u u --password-stdin", "hunter2"),
        ("docker login -u me -p hunter2 r", "hunter2"),
        ("docker login --password=hunter2 r", "hunter2"),
        ("DB_PASSWORD=hunter2 is bad", "hunter2"),
        ("{\"identitytoken\": \"hunter2\"}", "hunter2"),
        ("{\"auth\":\"aHVudGVyMg==\"}", "aHVudGVy"),
        ("invalid token: hunter2", "hunter2"),
        ("key ghp_abcdefghij012345", "ghp_abc"),
        ("jwt eyJhbGciOiJ.eyJzdWIi.c2ln", "eyJzdWIi"),
        ("0123456789abcdef0123456789abcdef01234567", "0123456789abcdef"),
        ("wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "wJalr"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "abc"),
    ] {
        assert!(!masked(text).contains(secret), "{text} -> {}", masked(text));
        assert!(masked(text).contains("***"), "{text} -> {}", masked(text));
    }
}

#[test]
fn what_tells_why_a_job_failed_stays_readable() {
    for line in [
        "Error response from daemon: manifest for 127.0.0.1:5000/nope:1 not found: manifest unknown",
        "Digest: sha256:51848a94e3e89dbeb5a289e191666487ee1567c03d7ce8874b58257ae5d72b66",
        "(HTTP code 400) unexpected - rpc error: code = InvalidArgument desc = invalid memory value",
        "Invalid project environment variable: project.NOPE",
        "Get \"https://no-such-registry.invalid/v2/\": dial tcp: lookup x on 10.1.2.3:53: i/o timeout",
        "unauthorized: incorrect username or password",
    ] {
        assert_eq!(masked(line), line);
    }
}

#[test]
fn only_the_end_is_kept_within_both_bounds_and_nothing_a_terminal_would_act_on() {
    let log = (1..=500).map(|number| format!("line {number}\n")).collect::<Vec<_>>().join("\n");
    assert_eq!(secrets(&[]).masked_end(&log, 2, 1_000), "line 499\nline 500");
    assert_eq!(secrets(&[]).masked_end(&log, 9, 20), "line 499\nline 500");
    let odd = "\u{1b}]0;title\u{7}a\u{1b}[2Jb\u{9b}31mc\rd\u{202e}e\0f\tg";
    assert_eq!(masked(odd), "abc\ndef g");
    assert_eq!(secrets(&[]).masked_end(&"é".repeat(100), 5, 11), "");
}

proptest! {
    #![proptest_config(test_support::properties())]

    #[test]
    fn no_secret_survives_whatever_stands_around_it(
        before in "\\PC{0,40}", after in "\\PC{0,40}", secret in "[!-)+-~]{8,40}"
    ) {
        let text = format!("{before}{secret}{after}");
        prop_assert!(!secrets(&[&secret]).masked_end(&text, 100, 100_000).contains(&secret));
    }

    #[test]
    fn the_bounds_hold_for_anything(text in any::<String>(), bytes in 0_usize..200) {
        let end = secrets(&[]).masked_end(&text, 3, bytes);
        prop_assert!(end.len() <= bytes && end.lines().count() <= 3);
        prop_assert!(!end.chars().any(|c| c.is_control() && c != '\n'));
    }
}
