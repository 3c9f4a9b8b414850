//! The whole binary with its embedded sandbox: from a request to a live stack, through a shutdown
//! and a restart.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Output;

use crate::support::platform::Platform;
use crate::support::process::{PortalDir, Running, exchange, id_in, request};

fn error_of(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_name_becomes_a_live_stack_at_its_own_address() {
    let portal_dir = PortalDir::new();
    let _portal = portal_dir.start(&[]);
    let id = portal_dir.deploy_until("alice", "complete");
    let stream = portal_dir.events(&id);
    assert!(stream.contains(&format!("\"url\":\"http://alice.localhost:{}\"", portal_dir.edge)));
    let request = "GET /health HTTP/1.1\r\nHost: alice.localhost\r\nConnection: close\r\n\r\n";
    assert!(exchange(portal_dir.edge, request).starts_with("HTTP/1.1 200 "));
    assert!(portal_dir.get("/health").contains("\"status\":\"healthy\""));
    assert!(portal_dir.command(&[]).arg("healthcheck").output().unwrap().status.success());
}

/// This uses the real store, whose answers come from another thread.
#[test]
fn a_deployments_page_is_complete_each_time_it_is_rendered() {
    let portal_dir = PortalDir::new();
    let _portal = portal_dir.start(&[("STACK_IMAGE", "sandbox/slow")]);
    let page = format!("/deployments/{}", portal_dir.deploy("alice"));
    for _ in 0..60 {
        let html = portal_dir.get(&page);
        assert_eq!(html.matches("rel=\"icon\"").count(), 1, "{html}");
        assert_eq!(html.matches("<title>").count(), 1, "{html}");
    }
}

#[test]
fn a_shutdown_with_an_open_stream_ends_in_time_and_the_next_start_resumes() {
    let portal_dir = PortalDir::new();
    let portal = portal_dir.start(&[("STACK_IMAGE", "sandbox/slow")]);
    let id = portal_dir.deploy("alice");
    let mut stream = TcpStream::connect(("127.0.0.1", portal_dir.port)).unwrap();
    write!(stream, "GET /api/status/{id} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut watched = BufReader::new(stream);
    let mut line = String::new();
    while !line.starts_with("event: progress") {
        line.clear();
        watched.read_line(&mut line).unwrap();
    }
    let _silent = TcpStream::connect(("127.0.0.1", portal_dir.port)).unwrap();
    let mut half = TcpStream::connect(("127.0.0.1", portal_dir.edge)).unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nHost: al").unwrap();
    let (code, seconds) = portal.end();
    assert_eq!(code, Some(0));
    assert!(seconds < 10, "{seconds} s");
    watched.read_to_string(&mut line).unwrap();

    let _portal = portal_dir.start(&[("STACK_IMAGE", "sandbox/slow")]);
    let stream = portal_dir.events(&id);
    assert!(stream.contains("event: complete"), "{stream}");
    let ids: Vec<u64> =
        stream.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
}

#[test]
fn a_second_portal_on_the_same_database_refuses_to_start() {
    let portal_dir = PortalDir::new();
    let _portal = portal_dir.start(&[]);
    let error = error_of(&portal_dir.command(&[]).output().unwrap());
    assert!(error.contains("is in use by another portal process"), "{error}");
}

#[test]
fn a_busy_port_stops_the_start_with_a_sentence_that_names_the_variable() {
    let portal_dir = PortalDir::new();
    let _edge = TcpListener::bind(("127.0.0.1", portal_dir.edge)).unwrap();
    let error = error_of(&portal_dir.command(&[]).output().unwrap());
    assert!(error.contains("SANDBOX_EDGE_PORT"), "{error}");
    let portal_dir = PortalDir::new();
    let _own = TcpListener::bind(("127.0.0.1", portal_dir.port)).unwrap();
    let error = error_of(&portal_dir.command(&[]).output().unwrap());
    assert!(error.contains("PORT"), "{error}");
}

#[test]
fn with_another_name_nothing_starts_or_compares_while_a_stack_has_its_marker() {
    let portal_dir = PortalDir::new();
    let end = |portal: Running| assert_eq!(portal.end().0, Some(0));
    end(portal_dir.start(&[("PORTAL_NAME", "before-any-stack")]));
    let portal = portal_dir.start(&[("PORTAL_NAME", "first")]);
    let id = portal_dir.deploy_until("alice", "complete");
    end(portal);
    let refused = "PORTAL_NAME is second, but the stacks in the database were created under first: \
                   set PORTAL_NAME to first";
    let output = |name: &str, more: &[(&str, &str)], arguments: &[&str]| {
        let mut command = portal_dir.command(&[&[("PORTAL_NAME", name)], more].concat());
        command.args(arguments).output().unwrap()
    };
    assert!(error_of(&output("second", &[], &[])).contains(refused));
    // It says so before it calls the platform, which does not exist.
    let platform = [
        ("DOKPLOY_URL", "http://127.0.0.1:9"),
        ("DOKPLOY_API_TOKEN", "any"),
        ("STACK_DOMAIN_SUFFIX", "localhost"),
        ("STACK_IMAGE", "any"),
    ];
    let error = error_of(&output("second", &platform, &["reconcile"]));
    assert!(error.contains(refused), "{error}");
    for (name, code, sentence) in [
        ("first", Some(0), "No stack is known that was created under another PORTAL_NAME"),
        ("second", Some(1), refused),
    ] {
        let checked = output(name, &[], &["check"]);
        let text = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(checked.status.code() == code && text.contains(sentence), "{checked:?}");
    }
    let portal = portal_dir.start(&[("PORTAL_NAME", "first")]);
    let remove = request(&format!("DELETE /api/stacks/alice?id={id}"), "", "");
    let removal = id_in(&exchange(portal_dir.port, &remove), "rem_");
    assert!(portal_dir.events(&removal).contains("event: complete"));
    end(portal);
    end(portal_dir.start(&[("PORTAL_NAME", "second")]));
}

#[test]
fn a_bad_value_stops_the_start_with_one_sentence() {
    let portal_dir = PortalDir::new();
    let no_database = portal_dir.path().join("notes.txt");
    fs::write(&no_database, "not a database, ".repeat(100)).unwrap();
    for (variable, value) in [
        ("STACK_CPU", "half"),
        ("DATABASE_URL", "postgres://u:canary@db/x"),
        ("DATABASE_URL", "sqlite:///proc/nothing/portal.db"),
        ("DATABASE_URL", &format!("sqlite://{}", no_database.display())),
        ("STACK_ENV_TOKEN", "canary${{project.TOKEN}}"),
        ("STACK_ENV_TOKEN", "canary'`\""),
    ] {
        let error = error_of(&portal_dir.command(&[(variable, value)]).output().unwrap());
        assert!(error.starts_with(&format!("ai-stack-deployer: {variable} ")), "{error}");
        let said: Vec<_> = error.trim().split(": ").collect();
        assert!((1..said.len()).all(|at| !said[at..].contains(&said[at - 1])), "twice: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
    let variables = [("STACK_SCHEME", "https"), ("STACK_CA_FILE", "/proc/nothing.pem")];
    let error = error_of(&portal_dir.command(&variables).output().unwrap());
    assert!(error.contains("STACK_CA_FILE") && error.contains("/proc/nothing.pem"), "{error}");
}

#[test]
fn a_drain_limit_that_is_raised_is_reported_at_the_start_and_by_check() {
    let portal_dir = PortalDir::new();
    for (limit, is_said) in [("29s", true), ("1s", true), ("30s", false)] {
        let variables = [("DRAIN_LIMIT", limit)];
        let (code, log) = portal_dir.start(&variables).end_with_output();
        let said = log.iter().any(|line| line.contains("DRAIN_LIMIT is less than 30s and counts"));
        assert_eq!((code, said), (Some(0), is_said), "{limit}: {log:?}");
        let output = portal_dir.command(&variables).arg("check").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(text.contains("DRAIN_LIMIT is less than 30s"), is_said, "{limit}: {text}");
    }
}

#[test]
fn a_secret_that_is_too_short_to_be_masked_is_named_at_the_start_without_its_value() {
    let variables = [
        ("STACK_ENV_PIN", "~q7"),
        ("STACK_ENV_KEY", "~q7w"),
        ("STACK_ENV_NONE", ""),
        ("STACK_REGISTRY_USER", "user"),
        ("STACK_REGISTRY_PASSWORD", "~x8"),
    ];
    let (code, log) = PortalDir::new().start(&variables).end_with_output();
    let named = |name: &str| log.iter().any(|line| line.contains(&format!("{name} is too short")));
    let all = ["STACK_ENV_PIN", "STACK_REGISTRY_PASSWORD", "STACK_ENV_KEY", "STACK_ENV_NONE"];
    assert_eq!((code, all.map(named)), (Some(0), [true, true, false, false]), "{log:?}");
    assert!(!log.iter().any(|line| line.contains("~q7") || line.contains("~x8")), "{log:?}");
}

#[test]
fn a_dotenv_file_is_read_and_the_environment_overrides_it() {
    let portal_dir = PortalDir::new();
    fs::write(portal_dir.path().join(".env"), "STACK_CPU=half\nSTACK_MEMORY=much\n").unwrap();
    let mut command = portal_dir.command(&[("STACK_MEMORY", "1g")]);
    let error = error_of(&command.current_dir(portal_dir.path()).output().unwrap());
    assert!(error.contains("STACK_CPU is \"half\""), "{error}");

    // A file in a parent folder is not read, since it may belong to something else.
    let below = portal_dir.path().join("below");
    fs::create_dir(&below).unwrap();
    let mut command = portal_dir.command(&[("STACK_MEMORY", "nothing")]);
    let error = error_of(&command.current_dir(below).output().unwrap());
    assert!(error.contains("STACK_MEMORY is \"nothing\""), "{error}");

    fs::write(portal_dir.path().join(".env"), "DOKPLOY_API_TOKEN=canary and more\n").unwrap();
    let mut command = portal_dir.command(&[]);
    let error = error_of(&command.current_dir(portal_dir.path()).output().unwrap());
    assert!(error.contains(".env") && !error.contains("canary"), "{error}");
}

#[test]
fn check_says_whether_the_platform_works_with_this_key() {
    let portal_dir = PortalDir::new();
    let platform = Platform::start_with(&portal_dir, "canary-key", &[]);
    let check = |key| {
        let mut command = platform.command(&portal_dir, &[("DOKPLOY_API_TOKEN", key)]);
        command.arg("check").output().unwrap()
    };
    let good = check("canary-key");
    assert!(good.status.success(), "{good:?}");
    assert!(String::from_utf8_lossy(&good.stdout).contains("0.30"), "{good:?}");
    let bad = check("wrong-key");
    assert_eq!(bad.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&bad.stdout).contains("DOKPLOY_API_TOKEN"), "{bad:?}");
    assert_eq!(platform.end().0, Some(0));
}
