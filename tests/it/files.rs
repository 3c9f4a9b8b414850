//! The files of a portal belong to its user alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::process::PortalDir;

/// A user who is not the one of the tests, if root runs them.
const NOBODY: &str = "65534";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Returns the files of the database in a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let names =
        ["portal.db", "portal.db-wal", "portal.db-shm", "portal.db.identity", "portal.lock"];
    names.map(|name| folder.join(name)).into_iter().collect()
}

fn database(folder: &Path) -> String {
    format!("sqlite://{}/portal.db", folder.display())
}

/// Tries to hold a lock as another user; `None` if only root could become one.
fn hold_as_nobody(lock: &Path) -> Option<Child> {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
    command.args(["flock", "--nonblock"]).arg(lock).args(["sh", "-c", "echo held; exec cat"]);
    let is_root = Command::new("setpriv").args(["--reuid", NOBODY, "true"]).output().ok()?;
    is_root.status.success().then(|| {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    })
}

/// Returns whether the other user got the lock.
fn holds(mut holder: Child) -> bool {
    drop(holder.stdin.take());
    let output = holder.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).contains("held")
}

#[test]
fn new_files_are_private_and_so_is_a_new_folder() {
    let portal_dir = PortalDir::new();
    let folder = portal_dir.path().join("data");
    let portal = portal_dir.start(&[("DATABASE_URL", &database(&folder))]);
    assert_eq!(mode(&folder), 0o700);
    for file in files(&folder).iter().chain([&folder.join("sandbox.json")]) {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    let (_, said) = portal.end_with_output();
    assert!(!said.join("\n").contains("Other users"), "{said:?}");
}

#[test]
fn files_of_an_older_version_lose_the_rights_of_others_and_the_folder_is_reported() {
    let portal_dir = PortalDir::new();
    portal_dir.start(&[]).kill();
    for file in files(portal_dir.path()) {
        set_mode(&file, 0o644);
    }
    set_mode(portal_dir.path(), 0o755);
    let portal = portal_dir.start(&[]);
    for file in files(portal_dir.path()) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    let lock = portal_dir.path().join("portal.lock");
    if let Some(holder) = hold_as_nobody(&lock) {
        assert!(!holds(holder));
    }
    let (_, said) = portal.end_with_output();
    let said = said.join("\n");
    assert!(said.contains("since its mode is 0755: run `chmod 700"), "{said}");
    assert_eq!(mode(portal_dir.path()), 0o755);
}

#[test]
fn a_restored_copy_is_private_from_the_start() {
    let portal_dir = PortalDir::new();
    portal_dir.start(&[]).end();
    let copy = portal_dir.path().join("copy.db");
    let run = |command: &str| portal_dir.command(&[]).arg(command).arg(&copy).output().unwrap();
    assert!(run("backup").status.success());
    set_mode(&copy, 0o644);
    let output = run("restore");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(mode(&portal_dir.path().join("portal.db")), 0o600);
}

#[test]
fn a_lock_that_another_user_made_and_holds_does_not_block_the_start() {
    let portal_dir = PortalDir::new();
    set_mode(portal_dir.path(), 0o777);
    let lock = portal_dir.path().join("portal.lock");
    fs::write(&lock, "").unwrap();
    set_mode(&lock, 0o666);
    let Ok(()) = chown(&lock, Some(65534), Some(65534)) else { return };
    let Some(holder) = hold_as_nobody(&lock) else { return };
    let portal = portal_dir.start(&[]);
    assert_eq!(mode(&lock), 0o600);
    assert!(holds(holder));
    let (_, said) = portal.end_with_output();
    assert!(said.join("\n").contains("which belonged to user 65534"), "{said:?}");
}
