//! Tables of variables: values in quotes, files of secrets, proxies, and names that nobody reads.

use std::fs;

use secrecy::ExposeSecret as _;
use tempfile::NamedTempFile;

use super::super::tests::{sentence, settings, with_dokploy};
use super::*;
use crate::server::settings::{AuthSettings, PlatformSettings};

fn file(content: &[u8]) -> (NamedTempFile, String) {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), content).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    (file, path)
}

#[test]
fn a_value_in_quotes_is_refused_for_every_setting() {
    let known = Known::new();
    for name in known.names.iter().map(String::as_str).chain(["STACK_ENV_KEY", "STACK_FILE_KEY"]) {
        for value in ["\"canary\"", "'canary'", " \"canary\" ", "\"\""] {
            let said = sentence(&[(name, value)]);
            let begins = format!("{name} begins and ends with a quote: remove both quotes");
            assert!(said.starts_with(&begins) && !said.contains("canary"), "{said}");
        }
    }
    assert!(sentence(&[("STACK_ENV_KEY", "'a'")]).contains("set STACK_FILE_KEY to its path"));
    assert!(sentence(&[("https_proxy", "'a'")]).contains("begins and ends with a quote"));
    for value in ["\"", "a\"", "\"a", "'a\"", "a\"b", "{\"a\":\"b\"}"] {
        settings(&[("STACK_ENV_KEY", value)]);
    }
    // They are of other programs.
    settings(&[("PS1", "'$ '"), ("GREETING", "\"hello\"")]);
}

#[test]
fn every_secret_may_be_in_a_file_without_the_line_break_at_its_end() {
    let known = Known::new();
    for secret in [
        "DATABASE_URL",
        "DOKPLOY_API_TOKEN",
        "HTTPS_PROXY",
        "OIDC_CLIENT_SECRET",
        "PORTAL_SECRET_KEY",
        "STACK_REGISTRY_PASSWORD",
    ] {
        assert!(known.secrets.iter().any(|known| known == secret), "{secret}");
    }
    for (content, value) in [
        ("\"canary\"", "\"canary\""),
        ("canary\n", "canary"),
        ("canary\r\n", "canary"),
        (" a\nb \n\n", " a\nb \n"),
    ] {
        let (_file, path) = file(content.as_bytes());
        let settings = settings(&[("STACK_FILE_KEY", path.as_str())]);
        let [(name, found)] = settings.stack.environment.as_slice() else { panic!("not one") };
        assert_eq!((name.as_str(), found.expose_secret()), ("KEY", value));
    }
    let (_token, path) = file(b"canary-token\n");
    let mut variables = with_dokploy(&[("DOKPLOY_API_TOKEN_FILE", &*path.leak())]);
    variables.retain(|(name, _)| *name != "DOKPLOY_API_TOKEN");
    let PlatformSettings::Dokploy { token, .. } = settings(&variables).platform else {
        panic!("a Dokploy is configured");
    };
    assert_eq!(token.expose_secret(), "canary-token");
    let (_secret, path) = file(b"canary");
    let oidc = [
        ("AUTH", "oidc"),
        ("OIDC_ISSUER", "https://login.example.com"),
        ("OIDC_CLIENT_ID", "portal"),
        ("OIDC_CLIENT_SECRET_FILE", path.as_str()),
    ];
    let AuthSettings::Oidc(oidc) = settings(&oidc).auth else { panic!("people sign in") };
    assert_eq!(oidc.client_secret.unwrap().expose_secret(), "canary");
    // A variable of the container, as before.
    let settings = settings(&[("STACK_ENV_KEY_FILE", "/run/key")]);
    assert_eq!(settings.stack.environment[0].0, "KEY_FILE");
}

#[test]
fn a_secrets_file_that_cannot_be_used_is_named_with_the_remedy() {
    let (_large, large) = file(&vec![b'x'; 70_000]);
    let (_binary, binary) = file(&[0xff, 0xfe]);
    let (_empty, empty) = file(b"\n");
    for (path, problem) in [
        ("/nowhere/key", "cannot be read (No such file or directory"),
        ("/", "cannot be read (Is a directory"),
        (large.as_str(), "is not a text of at most 65536 bytes: put only the value there"),
        (binary.as_str(), "is not a text of at most 65536 bytes"),
        (empty.as_str(), "is empty: put the value there"),
    ] {
        let said = sentence(&[("PORTAL_SECRET_KEY_FILE", path)]);
        let begins = format!("PORTAL_SECRET_KEY_FILE names the file {path}, which {problem}");
        assert!(said.starts_with(&begins), "{said}");
    }
    let (_file, path) = file(b"canary");
    for (secret, variable) in
        [("STACK_ENV_KEY", "STACK_FILE_KEY"), ("DOKPLOY_API_TOKEN", "DOKPLOY_API_TOKEN_FILE")]
    {
        let said = sentence(&[(secret, "canary"), (variable, &path)]);
        assert_eq!(
            said,
            format!(
                "{variable} is set, and so is {secret}: remove one of the two, or set it to nothing."
            )
        );
        settings(&[(variable, " "), ("STACK_ENV_OTHER", "canary")]);
    }
}

#[test]
fn a_name_that_looks_like_a_setting_gets_a_warning_with_the_nearest_one() {
    for (name, nearest) in [
        ("OIDC_ISSUR", "OIDC_ISSUER"),
        ("OIDC_CLIENTID", "OIDC_CLIENT_ID"),
        ("oidc_issuer", "OIDC_ISSUER"),
        ("OIDC_SECRET", "OIDC_CLIENT_SECRET"),
        ("STACK_IMGAE", "STACK_IMAGE"),
        ("STACK_DOMAIN", "STACK_DOMAIN_SUFFIX"),
        ("DOKPLOY_API_TOKEN_FIEL", "DOKPLOY_API_TOKEN_FILE"),
        ("TRUSTEDPROXIES", "TRUSTED_PROXIES"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("PUBLICURL", "PUBLIC_URL"),
        ("PUBLIC_URLS", "PUBLIC_URL"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("RESERVED-NAMES", "RESERVED_NAMES"),
        ("AUDIT_RETENTION", "AUDIT_RETENTION_DAYS"),
    ] {
        let warnings = settings(&[(name, "x")]).warnings;
        let [warning] = warnings.as_slice() else { panic!("{name}: {warnings:?}") };
        assert!(
            warning.starts_with(&format!("{name} is not a setting of the portal")),
            "{warning}"
        );
        assert!(warning.ends_with(&format!("nearest name is {nearest}")), "{warning}");
    }
}

#[test]
fn the_names_of_other_programs_get_no_warning() {
    let others = [
        "PATH",
        "HOME",
        "HOSTNAME",
        "HOSTTYPE",
        "LANG",
        "TERM",
        "SHLVL",
        "USER",
        "LOGNAME",
        "MAIL",
        "RUST_BACKTRACE",
        "RUST_LIB_BACKTRACE",
        "NO_COLOR",
        "FTP_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "PGHOST",
        "PGUSER",
        "POSTGRES_PASSWORD",
        "POSTGRES_USER",
        "TZ",
        "PWD",
        "OLDPWD",
        "SESSION_MANAGER",
        "NAME",
        "DISPLAY",
        "LESSOPEN",
        "LS_COLORS",
        "XDG_SESSION_ID",
        "KUBERNETES_SERVICE_HOST",
        "PORTAL_SERVICE_HOST",
        "PORTAL_SERVICE_PORT_HTTP",
        "PORTAL_PORT_3000_TCP_ADDR",
        "DOKPLOY_SERVICE_PORT",
        "INVOCATION_ID",
        "JOURNAL_STREAM",
        "OTEL_SERVICE_NAME",
        "NODE_VERSION",
        "npm_config_cache",
    ];
    let variables = others.map(|name| (name, "x"));
    assert_eq!(settings(&variables).warnings, [""; 0]);
    assert_eq!(settings(&[("PORTAL_PORT", "tcp://10.0.0.1:3000")]).warnings, [""; 0]);
    let known = [
        ("STACK_ENV_ANYTHING", "x"),
        ("https_proxy", "http://proxy:3128"),
        ("http_proxy", "proxy:3128"),
        ("no_proxy", "localhost"),
    ];
    assert_eq!(settings(&known).warnings, [""; 0]);
}

#[test]
fn a_proxy_may_be_set_in_lower_case_and_for_all() {
    let proxy = |name| ProxyAddress::parse(name);
    for (variables, https, http) in [
        (&[("https_proxy", "s:1")][..], proxy("s:1"), None),
        (&[("HTTPS_PROXY", "S:1"), ("https_proxy", "s:1")], proxy("S:1"), None),
        (&[("ALL_PROXY", "a:1"), ("http_proxy", "h:1")], proxy("a:1"), proxy("h:1")),
        (&[("STACK_PROBE_PROXY", "p:1")], None, None),
    ] {
        let settings = settings(variables);
        let proxies = settings.outbound.proxies;
        assert_eq!((proxies.https, proxies.http), (https, http), "{variables:?}");
        let is_of_probe = variables[0].0 == "STACK_PROBE_PROXY";
        assert_eq!(settings.probe.proxy.is_some(), is_of_probe);
    }
    let said = sentence(&[("HTTPS_PROXY", "socks5://user:canary@proxy:1080")]);
    assert!(said.starts_with("HTTPS_PROXY is not the address of an HTTP proxy: give"), "{said}");
    assert!(!said.contains("canary"), "{said}");
}

#[test]
fn the_authorities_are_those_of_a_postgres_as_well() {
    let address = |url: &'static str| {
        let variables = [("DATABASE_URL", url), ("CA_FILE", "/etc/own ca.pem")];
        let StoreSettings::Postgres { url } = settings(&with_dokploy(&variables)).store else {
            panic!("it is no PostgreSQL");
        };
        url.expose_secret().to_owned()
    };
    let authorities = "sslrootcert=%2Fetc%2Fown%20ca%2Epem";
    assert_eq!(address("postgres://u@h/n"), format!("postgres://u@h/n?{authorities}"));
    let verified = "postgres://u@h/n?sslmode=verify-full";
    assert_eq!(address(verified), format!("{verified}&{authorities}"));
    let own = "postgres://u@h/n?sslrootcert=/a.pem";
    assert_eq!(address(own), own);
}
