//! A database that fails for a while: the portal recovers without a restart.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::platform::Platform;
use crate::support::postgres::Cluster;
use crate::support::process::{PortalDir, Running, post_deploy};

/// The error code while the portal cannot write.
const UNAVAILABLE: &str = "STORE_UNAVAILABLE";

/// Starts a deployment, and returns the status and the answer.
fn deploy(portal_dir: &PortalDir, name: &str) -> (u16, String) {
    let answer = post_deploy(portal_dir.port, name);
    (answer[9..12].parse().unwrap(), answer)
}

/// Deploys a stack until it is live.
fn comes_up(portal_dir: &PortalDir, name: &str) {
    portal_dir.deploy_until(name, "complete");
}

/// Checks that a portal cannot write after `fill`, and can again after `give_back`.
fn fails_and_recovers(portal_dir: &PortalDir, fill: impl FnOnce(), give_back: impl FnOnce()) {
    comes_up(portal_dir, "before");
    fill();
    let mut refused = 0;
    // SQLite's log may have some room left.
    for number in 0..200 {
        let (status, answer) = deploy(portal_dir, &format!("meanwhile-{number}"));
        if status == 503 {
            assert!(answer.contains(UNAVAILABLE), "{answer}");
            refused += 1;
        }
        if refused == 5 {
            break;
        }
    }
    assert_eq!(refused, 5, "the database has not failed");
    // Reads still work.
    assert!(portal_dir.get("/api/stacks").starts_with("HTTP/1.1 200 "));
    give_back();
    comes_up(portal_dir, "after");
}

/// A small file system, which is unmounted when this is dropped.
struct Small(tempfile::TempDir);

impl Small {
    /// Mounts it; `None` if mounting is not allowed.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1536k", "none"]).arg(folder.path());
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        is_mounted.then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Fills it.
    fn fill(&self) {
        let filler = self.path().join("filler");
        for length in (0..2048).rev().map(|kibibytes| kibibytes * 1024) {
            if fs::write(&filler, vec![1; length]).is_ok() {
                return;
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(self.path()).output().ok();
    }
}

#[test]
fn a_disk_that_was_full_is_written_to_again_once_it_has_room() {
    let Some(small) = Small::mount() else {
        println!("nothing may be mounted here: the limit of a process shows the same");
        return;
    };
    let portal_dir = PortalDir::new();
    let database = format!("sqlite://{}/portal.db", small.path().display());
    let _portal = portal_dir.start(&[("DATABASE_URL", &database)]);
    fails_and_recovers(
        &portal_dir,
        || small.fill(),
        || fs::remove_file(small.path().join("filler")).unwrap(),
    );
}

#[test]
fn a_file_at_its_size_limit_is_written_again_once_it_can_grow() {
    let portal_dir = PortalDir::new();
    // The signal of such a failure would end the process.
    let mut command = Command::new("sh");
    let portal = portal_dir.command(&[]);
    command
        .args(["-c", "trap '' XFSZ; exec \"$0\"", portal.get_program().to_str().unwrap()])
        .env_clear()
        .envs(portal.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut portal = Running::spawn(&mut command);
    portal.wait_until_ready();
    let limit = |bytes: &str| {
        let mut prlimit = Command::new("prlimit");
        prlimit.arg(format!("--pid={}", portal.id())).arg(format!("--fsize={bytes}"));
        let output = prlimit.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    fails_and_recovers(&portal_dir, || limit("65536:unlimited"), || limit("unlimited:unlimited"));
}

/// Counts the connections that are idle in a transaction.
fn idle_in_transaction(url: &str) -> String {
    let question = "SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND state LIKE 'idle in transaction%'
                      AND state_change < now() - interval '1 second'";
    Cluster::ask(url, question)
}

#[test]
fn a_commit_that_fails_in_postgres_fails_alone() {
    let url = Cluster::shared().database();
    let portal_dir = PortalDir::new();
    let platform = Platform::start(&portal_dir);
    let _portal = platform.portal(&portal_dir, &[("DATABASE_URL", &url)]);
    fails_and_recovers(
        &portal_dir,
        || {
            Cluster::ask(
                &url,
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
                     AS $$ BEGIN RAISE 'no' USING ERRCODE = 'disk_full'; END $$;
                 CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON operations
                     DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
            );
        },
        || {
            Cluster::ask(&url, "DROP TRIGGER refuse ON operations");
        },
    );
    let waited = "SELECT pg_sleep(1.5)";
    Cluster::ask(&url, waited);
    assert_eq!(idle_in_transaction(&url), "0");
}

#[test]
fn connections_closed_by_the_server_are_replaced_and_no_request_fails() {
    let url = Cluster::shared().database();
    let portal_dir = PortalDir::new();
    let platform = Platform::start(&portal_dir);
    let _portal = platform.portal(&portal_dir, &[("DATABASE_URL", &url)]);
    comes_up(&portal_dir, "before");
    for round in 0..10 {
        Cluster::ask(
            &url,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        let (status, answer) = deploy(&portal_dir, &format!("round-{round}"));
        assert_eq!(status, 201, "{answer}");
        let answer = portal_dir.get("/api/stacks");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}
