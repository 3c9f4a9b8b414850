//! Tests of the access settings: the valid values, and the message for each invalid one.

use secrecy::ExposeSecret;

use crate::server::config::tests::{sentence, settings};
use crate::server::settings::{AuthSettings, OidcSettings};

const OIDC: [(&str, &str); 4] = [
    ("AUTH", "oidc"),
    ("OIDC_ISSUER", "https://login.example.com/realms/staff"),
    ("OIDC_CLIENT_ID", "portal"),
    ("PUBLIC_URL", "https://portal.example.com"),
];

/// The variables of a portal where people sign in, with some of them changed.
fn with<'a>(changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let is_kept = |(name, _): &&(&str, &str)| changed.iter().all(|(other, _)| name != other);
    OIDC.iter().filter(is_kept).chain(changed).copied().collect()
}

fn oidc(changed: &[(&str, &str)]) -> OidcSettings {
    match settings(&with(changed)).auth {
        AuthSettings::Oidc(oidc) => *oidc,
        AuthSettings::Open => panic!("it is open"),
    }
}

#[test]
fn only_this_machine_itself_is_let_in_without_a_word() {
    for host in ["127.0.0.1", "localhost", "::1", "127.0.0.2", "::ffff:127.0.0.1"] {
        assert!(matches!(settings(&[("HOST", host)]).auth, AuthSettings::Open), "{host}");
    }
    for host in ["0.0.0.0", "::", "192.168.0.7"] {
        let expected = format!(
            "AUTH is not set, but with HOST {host} other machines can reach the portal: set it to \
             oidc so that people sign in, or to open so that anyone who can reach the portal can \
             start and remove stacks."
        );
        assert_eq!(sentence(&[("HOST", host)]), expected);
        let open = settings(&[("HOST", host), ("AUTH", "open")]);
        assert!(matches!(open.auth, AuthSettings::Open), "{host}");
    }
}

#[test]
fn a_provider_and_a_name_there_are_enough() {
    let oidc = oidc(&[]);
    assert_eq!(oidc.issuer, "https://login.example.com/realms/staff");
    assert_eq!(oidc.client_id, "portal");
    assert!(oidc.client_secret.is_none() && oidc.operator_group.is_none());
    assert!(oidc.trusted_audiences.is_empty());
    assert_eq!(oidc.name, "your organisation");
    assert_eq!(oidc.scopes, ["openid", "profile"]);
    assert_eq!(oidc.groups_claim, "groups");
    let (idle, lifetime) = (oidc.session.idle.as_secs(), oidc.session.lifetime.as_secs());
    assert_eq!((idle, lifetime), (8 * 3_600, 7 * 24 * 3_600));
}

#[test]
fn everything_else_can_be_said_and_the_secret_is_kept() {
    let changed = [
        ("OIDC_ISSUER", "http://127.0.0.1:4000/"),
        ("OIDC_CLIENT_SECRET", " canary "),
        ("OIDC_TRUSTED_AUDIENCES", "1234, other"),
        ("OIDC_NAME", "Example Ltd"),
        ("OIDC_SCOPES", "openid profile  groups"),
        ("OIDC_GROUPS_CLAIM", "https://example.com/roles"),
        ("OIDC_OPERATOR_GROUP", "portal operators"),
        ("SESSION_IDLE", "30m"),
        ("SESSION_LIFETIME", "400d"),
    ];
    let oidc = oidc(&changed);
    assert_eq!(oidc.issuer, "http://127.0.0.1:4000/");
    assert!(!format!("{oidc:?}").contains("canary"));
    assert_eq!(oidc.client_secret.unwrap().expose_secret(), "canary");
    assert_eq!(oidc.trusted_audiences, ["1234", "other"]);
    assert_eq!(oidc.name, "Example Ltd");
    assert_eq!(oidc.scopes, ["openid", "profile", "groups"]);
    assert_eq!(oidc.groups_claim, "https://example.com/roles");
    assert_eq!(oidc.operator_group.as_deref(), Some("portal operators"));
    assert_eq!(oidc.session.idle.as_secs(), 1_800);
}

#[test]
fn cookies_need_https_or_this_machine_itself() {
    for url in ["https://portal.example.com", "http://localhost:3000", "http://127.0.0.1:8080"] {
        oidc(&[("PUBLIC_URL", url)]);
    }
    let expected = "PUBLIC_URL is http://portal.example.com, but AUTH is oidc: browsers keep the \
                    sign-in cookies only from an https address or a loopback address.";
    assert_eq!(sentence(&with(&[("PUBLIC_URL", "http://portal.example.com")])), expected);
    let second = "https://portal.internal, http://portal.example.com/";
    assert_eq!(sentence(&with(&[("PUBLIC_URL", second)])), expected);
    let by_default = with(&[("PUBLIC_URL", ""), ("HOST", "192.168.0.7")]);
    assert!(sentence(&by_default).starts_with("PUBLIC_URL is http://192.168.0.7:3000, but"));
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let cases: [(&[(&str, &str)], &str); 8] = [
        (&[("AUTH", "none")], "AUTH is \"none\": give open or oidc."),
        (
            &[("OIDC_ISSUER", "")],
            "OIDC_ISSUER is not set, but AUTH is oidc: give one like \
             https://login.example.com/realms/staff.",
        ),
        (
            &[("OIDC_CLIENT_ID", "")],
            "OIDC_CLIENT_ID is not set, but AUTH is oidc: give one like portal.",
        ),
        (
            &[("OIDC_ISSUER", "http://login.example.com")],
            "OIDC_ISSUER is \"http://login.example.com\": the issuer must be an https address.",
        ),
        (
            &[("OIDC_ISSUER", "login.example.com")],
            "OIDC_ISSUER is \"login.example.com\": give an address like https://login.example.com.",
        ),
        (
            &[("OIDC_ISSUER", "https://login.example.com/a?b=c")],
            "OIDC_ISSUER is \"https://login.example.com/a?b=c\": give the provider's address \
             without a query, like https://login.example.com/realms/staff.",
        ),
        (&[("SESSION_IDLE", "soon")], "SESSION_IDLE is \"soon\": give a time like 60s or 5m."),
        (
            &[("SESSION_LIFETIME", "2y")],
            "SESSION_LIFETIME is \"2y\": give at most 400d, because browsers delete cookies after \
             that.",
        ),
    ];
    for (changed, expected) in cases {
        assert_eq!(sentence(&with(changed)), expected);
    }
}

#[test]
fn a_portal_that_is_open_has_no_use_for_a_provider() {
    for variable in [
        "OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_NAME", "OIDC_SCOPES",
        "OIDC_GROUPS_CLAIM", "OIDC_OPERATOR_GROUP",
    ] {
        let value = if variable == "OIDC_ISSUER" { "https://login.example.com" } else { "canary" };
        let open = sentence(&[("AUTH", "open"), (variable, value)]);
        let expected = format!(
            "{variable} is set, but AUTH is open: set AUTH to oidc so that people sign in, or \
             remove this setting."
        );
        assert_eq!(open, expected);
        let unsaid = sentence(&[(variable, value)]);
        assert_eq!(unsaid, format!("AUTH is not set, but {variable} is: set it to oidc as well."));
    }
}
