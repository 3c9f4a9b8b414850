//! Outputs that cannot be written: the real binary keeps working, and its commands end with an
//! error code.

use std::fs::{self, File};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use clock::{Clock, SystemClock};

use crate::support::process::{PortalDir, try_exchange};

/// The time limit until a portal answers.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The time limit for its end, in seconds: the grace period of the shutdown, and that of the log.
const END: i64 = 12;
/// The capacity of a pipe, in bytes.
const PIPE: usize = 64 << 10;

/// A portal whose outputs the test controls. It is killed when this is dropped.
struct Portal(Child);

impl Portal {
    fn start(command: &mut Command, portal_dir: &PortalDir) -> Self {
        let mut portal = Self(command.spawn().unwrap());
        portal.wait_until_ready(portal_dir);
        portal
    }

    /// Waits until it answers, and checks that it keeps running.
    fn wait_until_ready(&mut self, portal_dir: &PortalDir) {
        let since = SystemClock.now();
        let request = "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        while !try_exchange(portal_dir.port, request).is_ok_and(|reply| reply.contains(" 200 ")) {
            assert_eq!(self.0.try_wait().unwrap(), None, "it ended");
            let waited = SystemClock.now().duration_since(since).unsigned_abs();
            assert!(waited < TIMEOUT, "it does not answer");
            std::thread::yield_now();
        }
    }

    /// Checks that it deploys a stack, and ends in time with 0 when it is asked to.
    fn works_and_ends(mut self, portal_dir: &PortalDir) {
        portal_dir.deploy_until("alice", "complete");
        assert!(portal_dir.get("/").starts_with("HTTP/1.1 200 "));
        let asked = SystemClock.now();
        let process = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
        assert_eq!(self.0.wait().unwrap().code(), Some(0));
        let took = SystemClock.now().duration_since(asked).as_secs();
        assert!(took < END, "{took} s");
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// Returns a shell script that runs the portal's command as `"$@"`.
fn through_shell(portal_dir: &PortalDir, arguments: &[&str], script: &str) -> Command {
    let own = portal_dir.command(&[]);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "sh"]).arg(own.get_program()).args(arguments).env_clear();
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Creates a file that is larger than the limits of these tests allow.
fn large_file(portal_dir: &PortalDir) -> String {
    let path = portal_dir.path().join("large");
    File::create(&path).unwrap().set_len(1 << 30).unwrap();
    path.display().to_string()
}

/// Returns a full pipe that nobody reads.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(&vec![b'x'; PIPE]).unwrap();
    (reader, writer)
}

#[test]
fn a_portal_whose_outputs_are_on_a_full_disk_works_and_ends() {
    for filter in ["info", "trace"] {
        let portal_dir = PortalDir::new();
        let mut command = portal_dir.command(&[("RUST_LOG", filter)]);
        Portal::start(command.stdout(full()).stderr(full()), &portal_dir)
            .works_and_ends(&portal_dir);
    }
}

#[test]
fn a_portal_whose_outputs_are_closed_works_and_ends() {
    let portal_dir = PortalDir::new();
    let mut command = through_shell(&portal_dir, &[], "exec \"$@\" >&- 2>&-");
    Portal::start(&mut command, &portal_dir).works_and_ends(&portal_dir);
}

#[test]
fn a_portal_whose_log_reader_disconnects_works_and_ends() {
    let portal_dir = PortalDir::new();
    let mut portal = Portal(portal_dir.command(&[("RUST_LOG", "debug")]).spawn().unwrap());
    let mut stderr = portal.0.stderr.take().unwrap();
    stderr.read_exact(&mut [0]).unwrap();
    drop((stderr, portal.0.stdout.take()));
    portal.wait_until_ready(&portal_dir);
    portal.works_and_ends(&portal_dir);
}

#[test]
fn a_portal_whose_logs_reader_never_reads_works_and_ends() {
    let portal_dir = PortalDir::new();
    // With all log levels, it logs many times the capacity of a pipe.
    let mut command = portal_dir.command(&[("RUST_LOG", "trace")]);
    Portal::start(&mut command, &portal_dir).works_and_ends(&portal_dir);

    let portal_dir = PortalDir::new();
    let (_reader, writer) = full_pipe();
    let mut command = portal_dir.command(&[]);
    Portal::start(command.stderr(writer), &portal_dir).works_and_ends(&portal_dir);
}

#[test]
fn a_portal_whose_log_is_as_large_as_a_file_may_be_works_and_ends() {
    let portal_dir = PortalDir::new();
    let log = large_file(&portal_dir);
    // Blocks have 512 or 1024 bytes: enough for the database, and less than the size of the log.
    let script = format!("ulimit -f 65536; exec \"$@\" >>'{log}' 2>>'{log}'");
    Portal::start(&mut through_shell(&portal_dir, &[], &script), &portal_dir)
        .works_and_ends(&portal_dir);
    assert_eq!(fs::metadata(&log).unwrap().len(), 1 << 30);
}

#[test]
fn a_command_that_fails_and_cannot_say_so_ends_with_its_error_code() {
    let portal_dir = PortalDir::new();
    let wrong = [("STACK_CPU", "half")];
    let (_reader, writer) = full_pipe();
    for stderr in [Stdio::from(full()), Stdio::from(writer)] {
        let status = portal_dir.command(&wrong).stdout(full()).stderr(stderr).status();
        assert_eq!(status.unwrap().code(), Some(1));
    }
    let (_reader, writer) = full_pipe();
    for stderr in [Stdio::from(full()), Stdio::from(writer)] {
        let status = portal_dir.command(&[]).arg("nonsense").stderr(stderr).status();
        assert_eq!(status.unwrap().code(), Some(2));
    }
}

#[test]
fn a_command_whose_output_cannot_be_written_ends_with_an_error_code() {
    let portal_dir = PortalDir::new();
    let _portal = portal_dir.start(&[]);
    portal_dir.deploy("alice");
    for arguments in [&["audit"][..], &["stuck", "list"], &["check"], &["--help"], &["--version"]] {
        let command = || {
            let mut command = portal_dir.command(&[]);
            command.args(arguments);
            command
        };
        assert_fails_with_its_error(&command().stdout(full()).output().unwrap(), arguments);
        let status = command().stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(1), "{arguments:?}");

        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        assert_fails_with_its_error(&command().stdout(writer).output().unwrap(), arguments);

        let script = format!("ulimit -f 65536; exec \"$@\" >>'{}'", large_file(&portal_dir));
        let mut command = through_shell(&portal_dir, arguments, &script);
        assert_fails_with_its_error(&command.output().unwrap(), arguments);
    }
}

fn assert_fails_with_its_error(output: &Output, arguments: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
    assert!(said.contains("writing to standard output failed"), "{arguments:?}: {said}");
    assert!(!said.contains("panicked"), "{arguments:?}: {said}");
}
