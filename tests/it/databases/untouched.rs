//! SQLite files of other programs and of newer versions: they are refused, and nothing of them or
//! beside them changes.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::{NEWER, OTHER};
use crate::support::process::PortalDir;

/// A file that does not exist.
const COPY: &str = "/nowhere/copy.db";
/// The start, and every command that uses the database.
const COMMANDS: [&[&str]; 8] = [
    &[],
    &["audit"],
    &["stuck", "list"],
    &["secrets", "rotate"],
    &["backup", COPY],
    &["check"],
    &["restore", COPY],
    &["--new"],
];
/// The number of those that also refuse a portal's own database if a newer version migrated it:
/// the last ones set it aside.
const USING_IT: usize = 6;

/// What a file is: its bytes, its mode and when it was changed.
type Seen = (Vec<u8>, u32, (i64, i64));

/// Returns what is at `folder`, and in it.
fn seen(folder: &Path) -> BTreeMap<String, Seen> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let look = |path: &Path| {
        let file = fs::metadata(path).unwrap();
        let bytes = if file.is_file() { fs::read(path).unwrap() } else { Vec::new() };
        (path.display().to_string(), (bytes, file.mode(), (file.ctime(), file.ctime_nsec())))
    };
    entries.chain([folder.to_owned()]).map(|path| look(&path)).collect()
}

async fn execute(file: &Path, statements: &[&str]) -> sqlx::SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    for statement in statements {
        connection.execute(AssertSqlSafe(*statement)).await.unwrap();
    }
    connection
}

/// Checks that none of `commands` uses the file, and that none changes anything.
fn assert_untouched(portal_dir: &PortalDir, commands: &[&[&str]], sentence: &str, what: &str) {
    let folder = portal_dir.path();
    for file in fs::read_dir(folder).unwrap() {
        fs::set_permissions(file.unwrap().path(), Permissions::from_mode(0o664)).unwrap();
    }
    fs::set_permissions(folder, Permissions::from_mode(0o775)).unwrap();
    let before = seen(folder);
    for arguments in commands {
        // With `--new` the start would go on.
        let _taken = std::net::TcpListener::bind(("127.0.0.1", portal_dir.port));
        let variables = [("PORTAL_SECRET_KEY", "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=")];
        let mut command = portal_dir.command(&variables);
        let output = command.args(*arguments).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(1), "{what}, {arguments:?}: {said}");
        assert!(said.contains(sentence), "{what}, {arguments:?}: {said}");
        let after = seen(folder);
        let names = |seen: &BTreeMap<_, _>| seen.keys().cloned().collect::<Vec<String>>();
        assert_eq!(names(&after), names(&before), "{what}, {arguments:?}");
        assert!(after == before, "{what}, {arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_another_program_and_its_folder_stay_as_they_are() {
    let namesakes: Vec<_> = [&OTHER[..], &["CREATE TABLE deployments (id TEXT)", NEWER]].concat();
    let log = [&["PRAGMA journal_mode = WAL"], &OTHER[1..]].concat();
    let kinds: [(&str, &[&str]); 4] = [
        ("other tables", &OTHER[1..]),
        ("tables that the same library migrated", &OTHER),
        ("tables with the same names", &namesakes),
        ("a log that was moved into the file", &log),
    ];
    for (what, statements) in kinds {
        let portal_dir = PortalDir::new();
        let connection = execute(&portal_dir.path().join("portal.db"), statements).await;
        connection.close().await.unwrap();
        assert_untouched(&portal_dir, &COMMANDS, "holds the data of another program", what);
    }
    let portal_dir = PortalDir::new();
    fs::write(portal_dir.path().join("portal.db"), "no database ".repeat(1000)).unwrap();
    // The name of the lock may be taken as well.
    fs::write(portal_dir.path().join("portal.lock"), "version = 1").unwrap();
    assert_untouched(&portal_dir, &COMMANDS, "holds the data of another program", "text");
    let portal_dir = PortalDir::new();
    fs::create_dir(portal_dir.path().join("portal.db")).unwrap();
    assert_untouched(&portal_dir, &COMMANDS[..USING_IT], "cannot open", "a folder");
}

/// The log of a program that was killed may be all that has its tables.
#[tokio::test(flavor = "multi_thread")]
async fn nor_is_a_log_touched_that_holds_all_tables_of_another_program() {
    let (portal_dir, theirs) = (PortalDir::new(), PortalDir::new());
    let at = |name: &str| theirs.path().join(name);
    let log = [&["PRAGMA journal_mode = WAL"], &OTHER[1..]].concat();
    let connection = execute(&at("portal.db"), &log).await;
    for name in ["portal.db", "portal.db-wal"] {
        fs::copy(at(name), portal_dir.path().join(name)).unwrap();
    }
    let sentence = "holds the data of another program";
    assert_untouched(&portal_dir, &COMMANDS, sentence, "a program that was killed");
    assert_untouched(&theirs, &COMMANDS, sentence, "a program that runs");
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_stays_as_it_is() {
    for statement in [NEWER, "UPDATE schema_generation SET generation = 99"] {
        let portal_dir = PortalDir::new();
        portal_dir.start(&[]).end();
        execute(&portal_dir.path().join("portal.db"), &[statement]).await.close().await.unwrap();
        // The key would be refused.
        fs::remove_file(portal_dir.path().join("portal.key")).unwrap();
        let sentence = "belongs to another version of the portal";
        assert_untouched(&portal_dir, &COMMANDS[..USING_IT], sentence, statement);
    }
}

/// One name of a lock may belong to several databases.
#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_runs_beside_it_changes_nothing_about_that() {
    let portal_dir = PortalDir::new();
    let portal = portal_dir.start(&[]);
    let file = portal_dir.path().join("portal.sqlite");
    execute(&file, &OTHER[1..]).await.close().await.unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o664)).unwrap();
    let before = fs::read(&file).unwrap();
    let database = format!("sqlite://{}", file.display());
    for arguments in &COMMANDS[..USING_IT] {
        let mut command = portal_dir.command(&[("DATABASE_URL", &database)]);
        let output = command.args(*arguments).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(said.contains("holds the data of another program"), "{arguments:?}: {said}");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o664);
        assert!(fs::read(&file).unwrap() == before && !file.with_extension("sqlite-wal").exists());
    }
    assert_eq!(portal.end().0, Some(0));
}
