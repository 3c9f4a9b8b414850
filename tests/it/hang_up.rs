//! A closed terminal ends what runs in it, unless it was started to go on.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::thread;

use clock::{Clock as _, SystemClock};

use crate::support::fake_provider::FakeProvider;
use crate::support::process::{PortalDir, Running};

fn send(signal: &str, process: u32) {
    let id = process.to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
}

/// Returns a command that runs as in a terminal. These tests may run under `nohup`, whose ignored
/// signal every process inherits.
fn in_terminal(own: &Command) -> Command {
    let mut command = Command::new("/usr/bin/env");
    command.arg("--default-signal=HUP").arg(own.get_program()).args(own.get_args()).env_clear();
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null());
    command
}

/// Sends SIGHUP, and checks that the process ends in time and as after SIGTERM.
fn ends(mut process: Running) -> String {
    let asked = SystemClock.now();
    send("-HUP", process.id());
    let (code, said) = process.wait_until_it_ends();
    assert_eq!(code, Some(0), "{}", said.join("\n"));
    assert!(SystemClock.now().duration_since(asked).as_secs() < 15);
    said.join("\n")
}

#[test]
fn a_portal_ends_gracefully() {
    let portal_dir = PortalDir::new();
    let mut portal = Running::spawn(&mut in_terminal(&portal_dir.command(&[])));
    portal.wait_until_ready();
    let said = ends(portal);
    assert!(said.contains("Stopping"), "{said}");
    // The log is in the file: nothing was interrupted.
    assert!(!portal_dir.path().join("portal.db-wal").exists());
}

#[test]
fn a_sandbox_ends_gracefully() {
    let mut sandbox = PortalDir::new().command(&[]);
    sandbox
        .args(["sandbox", "--api-key", "key", "--listen", "127.0.0.1:0", "--edge", "127.0.0.1:0"]);
    let mut sandbox = Running::spawn(&mut in_terminal(&sandbox));
    sandbox.wait_for("API listens on");
    ends(sandbox);
}

/// Here the system sends the signal, and the portal's output leads nowhere from then on.
#[test]
fn a_portal_whose_terminal_is_closed_ends_gracefully() {
    let portal_dir = PortalDir::new();
    let own = in_terminal(&portal_dir.command(&[]));
    let words: Vec<_> = own.get_args().map(|word| word.to_str().unwrap()).collect();
    let line = format!("exec /usr/bin/env {}", words.join(" "));
    let mut terminal = Command::new("script");
    terminal.env_clear().args(["--quiet", "--flush", "--command", &line, "/dev/null"]);
    terminal.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    terminal.env("SHELL", "/bin/sh").stdin(Stdio::null());
    let mut terminal = Running::spawn(&mut terminal);
    terminal.wait_until_ready();
    let asked = SystemClock.now();
    send("-KILL", terminal.id());
    terminal.wait_until_it_ends();
    // The lock is free once the process has ended.
    let lock = File::open(portal_dir.path().join("portal.lock")).unwrap();
    while lock.try_lock().is_err() {
        assert!(SystemClock.now().duration_since(asked).as_secs() < 15, "it goes on");
        thread::yield_now();
    }
    assert!(!portal_dir.path().join("portal.db-wal").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_sign_in_that_waits_says_that_it_was_stopped() {
    let fake = FakeProvider::start().await;
    for signal in ["-HUP", "-TERM", "-INT"] {
        let mut command = PortalDir::new().command(&[]);
        command.envs(fake.variables()).args(["check", "--sign-in"]);
        let mut command = in_terminal(&command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut check = command.spawn().unwrap();
        let mut output = BufReader::new(check.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("Then paste") {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0);
        }
        send(signal, check.id());
        let mut said = String::new();
        output.read_to_string(&mut said).unwrap();
        assert_eq!(check.wait().unwrap().code(), Some(1), "{signal}: {said}");
        assert!(said.contains("The check was stopped before its end"), "{said}");
    }
}

#[test]
fn a_portal_that_was_started_to_outlive_its_terminal_goes_on() {
    let portal_dir = PortalDir::new();
    let own = portal_dir.command(&[]);
    let mut command = Command::new("nohup");
    command.env_clear().arg(own.get_program()).stdin(Stdio::null());
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let mut portal = Running::spawn(&mut command);
    portal.wait_until_ready();
    send("-HUP", portal.id());
    assert!(portal_dir.get("/health").contains("\"status\":\"healthy\""));
    assert_eq!(portal.end().0, Some(0));
}
