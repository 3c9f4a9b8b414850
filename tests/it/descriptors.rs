//! File descriptors: the real binary raises its limit, and if none is left it waits without undoing
//! anything, and continues afterwards.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;
use std::{fs, thread};

use clock::{Clock, SystemClock};

use crate::support::process::{PortalDir, Running, try_exchange};

/// The message while none is left.
const SHORT: &str = "Waiting: the portal is short of resources";
/// The minimum time for which it has none, after the limit for the stack's health.
const HELD: Duration = Duration::from_secs(4);

/// Starts a portal with these limits for open files.
fn limited(portal_dir: &PortalDir, soft: u32, hard: u32, variables: &[(&str, &str)]) -> Running {
    let own = portal_dir.command(variables);
    let script = format!("ulimit -S -n {soft} && ulimit -H -n {hard} && exec \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script, "sh"]).arg(own.get_program()).env_clear();
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut running = Running::spawn(&mut command);
    running.wait_until_ready();
    running
}

/// Opens the event stream of a deployment now, and returns its lines.
fn watch(portal_dir: &PortalDir, id: &str) -> impl Iterator<Item = String> + use<> {
    let mut stream = TcpStream::connect(("127.0.0.1", portal_dir.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let request = format!("GET /api/status/{id} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    assert!(lines.next().unwrap().starts_with("HTTP/1.1 200 "));
    lines
}

/// Returns the CPU time of a process so far, in hundredths of a second.
fn computed(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn the_limit_for_open_files_is_raised_to_what_the_system_allows() {
    let portal_dir = PortalDir::new();
    let portal = limited(&portal_dir, 128, 3_000, &[]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", portal.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<&str> = line.split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers, ["3000", "3000"], "{line}");
}

/// Opens more connections than there may be open files, as one client can, which send `request` and
/// read nothing, and checks that a visitor is served.
fn assert_nobody_is_kept_out(portal_dir: &PortalDir, request: &str) {
    let connect = |_| {
        let mut stream = TcpStream::connect(("127.0.0.1", portal_dir.port)).unwrap();
        // An error is a connection that was closed already.
        drop(stream.write_all(request.as_bytes()));
        stream
    };
    let silent: Vec<TcpStream> = (0..1_131).map(connect).collect();
    let begun = SystemClock.now();
    let visit = "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    // An error is a connection for which there was no room.
    let visit = || try_exchange(portal_dir.port, visit).unwrap_or_default();
    let is_served = || visit().starts_with("HTTP/1.1 200 ");
    let took = || SystemClock.now().duration_since(begun).unsigned_abs();
    // A client that does not read has a second before it can make room.
    while !is_served() {
        assert!(took() < Duration::from_secs(8), "{request}");
    }
    portal_dir.deploy("alice");
    // Their time for the head or the body of a request would be ten seconds.
    assert!(took() < Duration::from_secs(8), "{request}: {:?}", took());
    drop(silent);
}

/// Starts a portal with few open files, checks that such clients keep nobody out, and that nothing
/// runs out.
fn assert_room(variables: &[(&str, &str)], request: impl Fn(&PortalDir) -> String) {
    let portal_dir = PortalDir::new();
    let portal = limited(&portal_dir, 1_024, 1_024, variables);
    assert_nobody_is_kept_out(&portal_dir, &request(&portal_dir));
    let (code, log) = portal.end_with_output();
    assert_eq!(code, Some(0));
    let log = log.join("\n");
    assert!(!log.contains("could not be accepted") && !log.contains("ERROR"), "{log}");
}

#[test]
fn silent_connections_keep_nobody_out() {
    assert_room(&[], |_| String::new());
}

#[test]
fn clients_that_keep_a_body_back_keep_nobody_out() {
    for head in ["GET /health HTTP/1.1", "POST /api/deploy HTTP/1.1"] {
        let variables = [("DEPLOY_RATE_LIMIT", "100000")];
        let request = format!("{head}\r\nHost: x\r\nContent-Length: 9\r\n\r\n");
        assert_room(&variables, |_| request.clone());
    }
}

#[test]
fn clients_that_do_not_read_the_code_keep_nobody_out() {
    let site = tempfile::tempdir().unwrap();
    fs::create_dir(site.path().join("pkg")).unwrap();
    // More than the buffers of the system hold.
    let content = vec![b' '; 8 << 20];
    fs::write(site.path().join("pkg/ai-stack-deployer.css"), content).unwrap();
    let root = site.path().to_str().unwrap();
    let variables = [("LEPTOS_SITE_ROOT", root), ("LEPTOS_OUTPUT_NAME", "ai-stack-deployer")];
    assert_room(&variables, |portal_dir| {
        let page = portal_dir.get("/");
        let (_, style) = page.split_once("<link rel=\"stylesheet\" href=\"").unwrap();
        let (path, _) = style.split_once('"').unwrap();
        format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
    });
}

#[test]
fn a_portal_without_descriptors_undoes_nothing_and_does_not_spin() {
    let portal_dir = PortalDir::new();
    let portal = limited(&portal_dir, 200, 200, &[("STACK_HEALTH_TIMEOUT", "3s")]);
    let id = portal_dir.deploy("alice");
    let mut events = watch(&portal_dir, &id);
    let allow = |soft| {
        let mut command = Command::new("prlimit");
        command.arg(format!("--pid={}", portal.id())).arg(format!("--nofile={soft}:200"));
        assert!(command.status().unwrap().success());
    };
    // Fewer than it has open: it can open nothing more.
    allow(8);
    let mut read = String::new();
    while !read.contains(SHORT) {
        let line = events.next().unwrap_or_else(|| panic!("it says no such thing: {read}"));
        read.push_str(&line);
        assert!(!read.contains("event: complete"), "it had descriptors: {read}");
    }
    let before = computed(portal.id());
    // This waits in real time, since the limit for the stack's health does.
    thread::sleep(HELD);
    let computed = computed(portal.id()) - before;
    assert!(computed < 200, "{computed} hundredths of a second in {HELD:?}");
    allow(200);
    read.extend(events.map(|line| line + "\n"));
    assert!(read.contains("event: complete") && !read.contains("rolling_back"), "{read}");
    assert!(portal_dir.get("/readyz").starts_with("HTTP/1.1 200 "));
    let (code, log) = portal.end_with_output();
    let log = log.join("\n");
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("calls to it are paused"), "the breaker opened: {log}");
}
