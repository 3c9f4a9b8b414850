//! Tables of the configuration: valid values, and the message for each invalid one.

use std::path::Path;

use clap::Parser;
use secrecy::ExposeSecret;

use super::*;
use crate::server::settings::{CatalogueSource, PlatformSettings, Settings, StoreSettings};
use domain::stack_spec::CertificateSource;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

const DOKPLOY: [(&str, &str); 4] = [
    ("DOKPLOY_URL", "https://dokploy.example.com"),
    ("DOKPLOY_API_TOKEN", "canary-token"),
    ("STACK_DOMAIN_SUFFIX", "ai.example.com"),
    ("STACK_IMAGE", "registry.example.com/ai-stack:1.4"),
];

fn settings_of(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let own = |text: &&str| (*text).to_owned();
    let environment: Environment = variables.iter().map(|(n, v)| (own(n), own(v))).collect();
    let arguments: Vec<OsString> =
        std::iter::once("portal").chain(arguments.iter().copied()).map(OsString::from).collect();
    let environment = effective(&environment)?;
    parse::<Cli>(&arguments, &environment)?.options.resolve(&environment)
}

pub(super) fn settings(variables: &[(&str, &str)]) -> Settings {
    settings_of(&[], variables).unwrap()
}

pub(super) fn with_dokploy(
    variables: &[(&'static str, &'static str)],
) -> Vec<(&'static str, &'static str)> {
    DOKPLOY.iter().chain(variables).copied().collect()
}

fn file(settings: &Settings) -> &Path {
    let StoreSettings::Sqlite { path } = &settings.store else { panic!("not a file") };
    path
}

pub(super) fn sentence(variables: &[(&str, &str)]) -> String {
    settings_of(&[], variables).unwrap_err().to_string()
}

#[test]
fn nothing_configured_is_a_sandbox_on_this_machine() {
    let settings = settings(&[]);
    assert_eq!(settings.http.addr.to_string(), "127.0.0.1:3000");
    assert_eq!(settings.http.public_url.to_string(), "http://127.0.0.1:3000");
    assert!(matches!(settings.platform, PlatformSettings::Sandbox { edge } if edge.port() == 8081));
    assert_eq!(file(&settings), Path::new("data/portal.db"));
    assert_eq!(settings.stack.address_pattern().address("alice"), "http://alice.localhost:8081");
    assert_eq!(settings.catalogue, CatalogueSource::BuiltIn);
    assert_eq!(settings.stack.certificate, CertificateSource::None);
    assert!(settings.probe.allow_private);
    assert_eq!((settings.retention_days, settings.limits.deploys_per_minute), (90, 240));
}

#[test]
fn templates_are_built_in_for_the_sandbox_unless_an_image_or_a_folder_is_given() {
    let source = |variables: &[(&str, &str)]| settings(variables).catalogue;
    let image = ("STACK_IMAGE", "sandbox/slow");
    assert_eq!(source(&[image]), CatalogueSource::Settings);
    let folder = || CatalogueSource::Folder("templates".into());
    assert_eq!(source(&[("CATALOGUE", "templates")]), folder());
    assert_eq!(source(&with_dokploy(&[])), CatalogueSource::Settings);
    assert_eq!(source(&with_dokploy(&[("CATALOGUE", "templates")])), folder());
}

#[test]
fn with_a_dokploy_stacks_have_tls_and_no_port() {
    let settings = settings(&with_dokploy(&[]));
    assert_eq!(settings.stack.address_pattern().address("alice"), "https://alice.ai.example.com");
    assert_eq!(settings.stack.certificate, CertificateSource::LetsEncrypt);
    assert!(!settings.probe.allow_private);
}

#[test]
fn an_empty_variable_is_none_and_an_option_goes_before_its_variable() {
    let settings = settings_of(&["--port", "4001"], &[("PORT", "4000"), ("DOKPLOY_URL", "")]);
    let settings = settings.unwrap();
    assert_eq!(settings.http.addr.port(), 4001);
    assert!(settings.platform.is_sandbox());
}

#[test]
fn a_portal_on_every_address_is_found_at_localhost() {
    for host in ["0.0.0.0", "::"] {
        let origin = settings(&[("HOST", host), ("AUTH", "open")]).http.public_url;
        assert_eq!(origin.to_string(), "http://localhost:3000");
    }
}

#[test]
fn values_are_read_into_their_units() {
    let settings = settings(&with_dokploy(&[
        ("STACK_CPU", "0.5"),
        ("STACK_MEMORY", "512m"),
        ("STACK_HEALTH_TIMEOUT", "2m 30s"),
        ("RESERVED_NAMES", "intern, preview,"),
        ("DATABASE_URL", "sqlite:///var/lib/portal.db?mode=rwc"),
        ("STACK_REGISTRY_USER", "robot"),
        ("STACK_REGISTRY_PASSWORD", "canary-password"),
        ("STACK_ENV_MODEL", "small"),
        ("STACK_ENV_EMPTY", ""),
    ]));
    assert_eq!(settings.stack.cpu_nanos, Some(500_000_000));
    assert_eq!(settings.stack.memory_bytes, Some(512 << 20));
    assert_eq!(settings.stack.health_timeout.as_secs(), 150);
    assert_eq!(settings.reserved_names, ["intern", "preview"]);
    assert_eq!(file(&settings), Path::new("/var/lib/portal.db"));
    assert_eq!(settings.stack.registry.as_ref().unwrap().user, "robot");
    let environment: Vec<_> =
        settings.stack.environment.iter().map(|(n, v)| (n.as_str(), v.expose_secret())).collect();
    assert_eq!(environment, [("EMPTY", ""), ("MODEL", "small")]);
}

#[test]
fn a_bad_value_is_one_sentence_that_names_the_variable() {
    let cases = [
        ("PORT", "http", "PORT is \"http\": give a port number from 1 to 65535."),
        ("STACK_PORT", "0", "STACK_PORT is \"0\": give a port number from 1 to 65535."),
        (
            "METRICS_PORT",
            "3000",
            "METRICS_PORT is the same as PORT: give another one, or only METRICS_TOKEN.",
        ),
        (
            "METRICS_TOKEN",
            "0123456789abcde",
            "METRICS_TOKEN is too short: give 16 characters or more, such as the output of `openssl \
             rand -hex 16`.",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "localhost:4318",
            "OTEL_EXPORTER_OTLP_ENDPOINT is \"localhost:4318\": give an address like \
             http://localhost:4318.",
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "key=value,secret",
            "OTEL_EXPORTER_OTLP_HEADERS is no list of NAME=VALUE, separated by commas.",
        ),
        ("HOST", "here", "HOST is \"here\": give an IP address like 127.0.0.1."),
        (
            "PORTAL_NAME",
            "My Portal",
            "PORTAL_NAME is \"My Portal\": use 1 to 32 of the letters a to z, digits and hyphens.",
        ),
        (
            "PUBLIC_URL",
            "https://portal.example.com, http://portal.internal",
            "PUBLIC_URL has addresses with https and with http, but an open portal knows a browser \
             by a cookie that must be the same at all of them: give https for all.",
        ),
        (
            "PUBLIC_URL",
            "portal",
            "PUBLIC_URL is \"portal\": give only scheme and host, like https://portal.example.com.",
        ),
        (
            "STACK_DOMAIN_SUFFIX",
            "a_b",
            "STACK_DOMAIN_SUFFIX is \"a_b\": give a domain like ai.example.com.",
        ),
        (
            "STACK_HEALTH_TIMEOUT",
            "soon",
            "STACK_HEALTH_TIMEOUT is \"soon\": give a time like 60s or 5m.",
        ),
        ("STACK_CPU", "half", "STACK_CPU is \"half\": give a number of CPUs like 0.5 or 2."),
        ("STACK_MEMORY", "0", "STACK_MEMORY is \"0\": give an amount like 512m or 2g."),
        ("STACK_SCHEME", "ftp", "STACK_SCHEME is \"ftp\": give http or https."),
        ("STACK_TLS_VERIFY", "maybe", "STACK_TLS_VERIFY is \"maybe\": give true or false."),
        (
            "STACK_HEALTH_PATH",
            "health",
            "STACK_HEALTH_PATH is \"health\": give a path like /health.",
        ),
        (
            "RESERVED_NAMES",
            "a,B",
            "RESERVED_NAMES contains \"B\": give names like intern,preview, with commas between.",
        ),
        ("RETENTION_DAYS", "0", "RETENTION_DAYS is \"0\": give a whole number from 1 on."),
        ("LOG_FORMAT", "xml", "LOG_FORMAT is \"xml\": give pretty or json."),
        (
            "DATABASE_URL",
            "postgres://u:canary@db/portal",
            "DATABASE_URL names a PostgreSQL database, which replicas share, but the embedded \
             sandbox belongs to one process and its SQLite file: set DOKPLOY_URL as well. For a \
             test, it can be the address of a standalone sandbox.",
        ),
        (
            "DATABASE_URL",
            "mysql://u:canary@db",
            "DATABASE_URL is not the address of a file: give one like sqlite://data/portal.db.",
        ),
        (
            "STACK_CERTIFICATE",
            "letsencrypt",
            "STACK_CERTIFICATE requires certificates, but STACK_SCHEME is http: remove one of the \
             two settings.",
        ),
        (
            "STACK_REGISTRY_URL",
            "registry.example.com",
            "STACK_REGISTRY_USER is not set: a private registry needs user and password.",
        ),
        (
            "STACK_REGISTRY_URL",
            "https://registry.example.com",
            "STACK_REGISTRY_URL is \"https://registry.example.com\": give a host like registry.example.com.",
        ),
        (
            "DOKPLOY_API_TOKEN",
            "canary\u{1}",
            "DOKPLOY_API_TOKEN contains characters that a key cannot have: copy the key again.",
        ),
        (
            "PORTAL_SECRET_KEY",
            "canarykey+0=",
            "PORTAL_SECRET_KEY has 8 bytes in its key number 1, and a key has 32: set 32 random \
             bytes, as `openssl rand -base64 32` prints them.",
        ),
        (
            "STACK_ENV_STACK_OPERATION",
            "x",
            "STACK_ENV_STACK_OPERATION is set by the portal in each container: choose another \
             name.",
        ),
        (
            "STACK_ENV_STACK_REVISION",
            "x",
            "STACK_ENV_STACK_REVISION is set by the portal in each container: choose another name.",
        ),
        (
            "STACK_ENV_1",
            "x",
            "STACK_ENV_1 is not a valid variable name: use letters, digits and underscores after \
             STACK_ENV_, starting with a letter.",
        ),
        (
            "DOKPLOY_API_TOKEN",
            "canary",
            "DOKPLOY_URL is not set, but DOKPLOY_API_TOKEN is: give the server's address as well, or neither to use the sandbox.",
        ),
        (
            "DOKPLOY_URL",
            "https://dokploy.example.com",
            "DOKPLOY_API_TOKEN is not set, but DOKPLOY_URL is: give the key of that server's API as well, or neither to use the sandbox.",
        ),
    ];
    for (variable, value, expected) in cases {
        let sentence = sentence(&[(variable, value)]);
        assert_eq!(sentence, expected);
        assert!(!sentence.contains("canary"));
    }
}

#[test]
fn the_address_of_a_database_is_kept_as_a_secret() {
    for url in [
        "postgres://portal:canary@db.example.com/portal",
        "postgresql://portal:canary@[::1]:5433/portal?sslmode=verify-full&sslrootcert=/ca.pem",
        "postgres://portal@127.0.0.1:5432/portal?",
        "postgres://%2Frun%2Fpostgresql/portal",
    ] {
        let settings = settings(&with_dokploy(&[("DATABASE_URL", url)]));
        assert!(!format!("{:?}", settings.store).contains("canary"));
        let StoreSettings::Postgres { url: kept } = settings.store else { panic!("{url}") };
        assert_eq!(kept.expose_secret(), url);
    }
}

#[test]
fn what_is_no_address_of_a_database_is_not_repeated() {
    for url in [
        "postgres://",
        "postgres://portal:canary@db",
        "postgres://portal:canary@db/",
        "postgres:///portal?password=canary",
        "postgres://portal:can?ary@db/portal",
        "postgres://portal:can#ary@db/portal",
        "postgres://portal:can/ary@db/portal",
        "postgres://portal:canary@db/portal?passwort=canary",
        "postgres://portal:can ary@db/portal",
    ] {
        let sentence = sentence(&with_dokploy(&[("DATABASE_URL", url)]));
        assert!(sentence.starts_with("DATABASE_URL is not the address of a database"), "{url}");
        assert!(!sentence.contains("ary"), "{sentence}");
    }
}

#[test]
fn a_dokploy_needs_to_know_where_stacks_live_and_what_they_run() {
    for missing in ["STACK_DOMAIN_SUFFIX", "STACK_IMAGE"] {
        let given: Vec<_> = DOKPLOY.into_iter().filter(|(name, _)| *name != missing).collect();
        assert!(sentence(&given).starts_with(&format!("{missing} is not set")));
    }
}

#[test]
fn no_stack_gets_the_host_of_the_portal_or_of_its_platform() {
    let mut variables = with_dokploy(&[
        ("PUBLIC_URL", "https://Start.ai.example.com"),
        ("RESERVED_NAMES", "intern"),
    ]);
    variables[0].1 = "https://control.ai.example.com:3000/panel";
    assert_eq!(settings(&variables).reserved_names, ["intern", "start", "control"]);
    let variables = with_dokploy(&[("PUBLIC_URL", "https://portal.example.com")]);
    assert!(settings(&variables).reserved_names.is_empty());
}

#[test]
fn the_address_of_a_dokploy_may_end_in_its_api() {
    for url in ["https://d.example.com/", "https://d.example.com/api", "https://d.example.com"] {
        let mut variables = with_dokploy(&[]);
        variables[0].1 = url;
        let PlatformSettings::Dokploy { url, .. } = settings(&variables).platform else {
            panic!("a Dokploy is configured");
        };
        assert_eq!(url, "https://d.example.com");
    }
}

#[test]
fn no_secret_is_in_the_debug_form_of_the_settings() {
    let mut variables = with_dokploy(&[("STACK_ENV_KEY", "canary")]);
    variables.extend([("STACK_REGISTRY_USER", "u"), ("STACK_REGISTRY_PASSWORD", "canary")]);
    variables.push(("METRICS_TOKEN", "canary-0123456789"));
    variables.push(("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"));
    variables.push(("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20canary"));
    assert!(!format!("{:?}", settings(&variables)).contains("canary"));
}

#[test]
fn the_help_lists_every_variable_with_its_default() {
    let error = settings_of(&["--help"], &[("PORT", "4000")]).unwrap_err();
    let ConfigError::CommandLine(help) = error else { panic!("help is no setting") };
    let help = help.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    for variable in Cli::command().get_arguments().filter_map(|arg| arg.get_env()) {
        assert!(help.contains(&format!("[env: {}]", variable.display())), "{variable:?}\n{help}");
    }
    assert!(help.contains("[default: 3000]"), "{help}");
}
