//! Databases that a portal cannot use: each has a sentence of its own.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Command, Output};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use crate::support::postgres::Cluster;
use crate::support::process::PortalDir;

mod untouched;

/// Another program's tables, which migrates them with the same library.
const OTHER: [&str; 2] = [
    "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
        installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL,
        checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)",
    "CREATE TABLE invoices (id BIGINT PRIMARY KEY)",
];
const NEWER: &str = "INSERT INTO _sqlx_migrations
    (version, description, success, checksum, execution_time) VALUES (9999, 'x', true, '', 0)";

fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn execute(portal_dir: &PortalDir, statements: &[&str]) {
    let file = portal_dir.path().join("portal.db");
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    for statement in statements {
        connection.execute(AssertSqlSafe(*statement)).await.unwrap();
    }
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sqlite_file_of_another_program_or_of_a_newer_version_is_named_as_such() {
    let portal_dir = PortalDir::new();
    for statements in [&OTHER[1..], &OTHER[..]] {
        execute(&portal_dir, statements).await;
        let text = said(&portal_dir.command(&[]).output().unwrap());
        assert!(text.contains("holds the data of another program: set DATABASE_URL"), "{text}");
        fs::remove_file(portal_dir.path().join("portal.db")).unwrap();
    }
    fs::write(portal_dir.path().join("portal.db"), "no database ".repeat(1000)).unwrap();
    let text = said(&portal_dir.command(&[]).output().unwrap());
    assert!(text.contains("holds the data of another program"), "{text}");

    let portal_dir = PortalDir::new();
    portal_dir.start(&[]).end();
    execute(&portal_dir, &[NEWER]).await;
    let text = said(&portal_dir.command(&[]).output().unwrap());
    assert!(text.contains("belongs to another version of the portal"), "{text}");
    assert!(text.contains("does not know its migration 9999"), "{text}");
}

/// Returns what a start as another user without rights says, in a folder that it can read; `None`
/// unless root runs the tests. Expects `check` to say the same.
fn start_as_nobody(portal_dir: &PortalDir, folder: &Path) -> Option<String> {
    let command = portal_dir.command(&[]);
    let start = |arguments: &[&str]| {
        let mut other = Command::new("setpriv");
        other.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
        other.arg(command.get_program()).args(arguments).env_clear().current_dir(folder);
        other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        other.output()
    };
    let is_able = start(&["--version"]).is_ok_and(|output| output.status.success());
    is_able.then(|| {
        let text = said(&start(&[]).unwrap());
        assert_checked(&start(&["check"]).unwrap(), &text);
        text
    })
}

/// Checks that `check` failed with the sentence of a start that failed. The system's own words for
/// it may differ.
fn assert_checked(output: &Output, text: &str) {
    let sentence = text.trim_end().rsplit("ai-stack-deployer: ").next().unwrap();
    let is_of_system = |cause: &str| cause.contains("(os error") || cause.starts_with("(code");
    let sentence = match sentence.find(": error returned from database") {
        Some(end) => &sentence[..end],
        None => match sentence.rsplit_once(": ") {
            Some((sentence, cause)) if is_of_system(cause) => sentence,
            Some(_) | None => sentence,
        },
    };
    let verdict = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{verdict}");
    assert!(verdict.contains(sentence), "{verdict}\n{sentence}");
}

#[test]
fn an_sqlite_file_or_folder_that_cannot_be_written_is_named_with_the_remedy() {
    let portal_dir = PortalDir::new();
    portal_dir.start(&[]).end();
    let set = |path: &Path, mode, owner| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        chown(path, Some(owner), Some(owner)).is_ok()
    };
    let (folder, of) = (portal_dir.path(), |name: &str| portal_dir.path().join(name));
    let site = tempfile::tempdir().unwrap();
    fs::copy("Leptos.toml", site.path().join("Leptos.toml")).unwrap();
    fs::set_permissions(site.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // The file may be written, but no log beside it.
    let is_root = ["portal.db", "portal.lock", "portal.db.identity"]
        .iter()
        .all(|name| set(&of(name), 0o600, 65534));
    if !is_root {
        return;
    }
    set(folder, 0o755, 0);
    let Some(text) = start_as_nobody(&portal_dir, site.path()) else { return };
    assert!(text.contains("portal.db cannot be written, so no tables can be made"), "{text}");
    // The file may only be read.
    set(folder, 0o755, 65534);
    set(&of("portal.db"), 0o444, 0);
    let text = start_as_nobody(&portal_dir, site.path()).unwrap();
    assert!(text.contains("portal.db cannot be written, so no tables can be made"), "{text}");
    // It may not even be read.
    set(&of("portal.db"), 0o600, 0);
    let text = start_as_nobody(&portal_dir, site.path()).unwrap();
    assert!(text.contains("make the file and its folder readable and writable"), "{text}");
    // The folder belongs to somebody else, and holds nothing.
    let empty = PortalDir::new();
    set(empty.path(), 0o755, 0);
    let text = start_as_nobody(&empty, site.path()).unwrap();
    assert!(text.contains("make the file and its folder readable and writable"), "{text}");
}

/// Returns what a portal says at its start about the PostgreSQL database at `url`.
fn start_with(url: &str) -> String {
    let variables = [
        ("DATABASE_URL", url),
        ("DOKPLOY_URL", "http://127.0.0.1:9"),
        ("DOKPLOY_API_TOKEN", "key"),
        ("STACK_DOMAIN_SUFFIX", "localhost"),
        ("STACK_IMAGE", "sandbox/hello"),
    ];
    let portal_dir = PortalDir::new();
    let last = |output| said(&output).lines().last().unwrap().to_owned();
    let text = last(portal_dir.command(&variables).output().unwrap());
    assert_eq!(text, last(portal_dir.command(&variables).arg("audit").output().unwrap()));
    assert_checked(&portal_dir.command(&variables).arg("check").output().unwrap(), &text);
    text
}

#[test]
fn a_postgres_database_of_another_program_or_of_a_newer_version_is_named_as_such() {
    let cluster = Cluster::shared();
    for statements in [&OTHER[1..], &OTHER[..]] {
        let url = cluster.database();
        for statement in statements {
            Cluster::ask(&url, &statement.replace("BLOB", "BYTEA"));
        }
        let text = start_with(&url);
        assert!(text.contains("holds the tables of another program: make a database"), "{text}");
    }
    let url = migrated();
    Cluster::ask(&url, NEWER);
    let text = start_with(&url);
    assert!(text.contains("belongs to another version of the portal"), "{text}");
    assert!(text.contains("does not know its migration 9999"), "{text}");
}

/// Returns the settings of a portal on the PostgreSQL database at `url`, without a platform.
fn on_postgres(url: &str) -> [(&str, &str); 5] {
    [
        ("DATABASE_URL", url),
        ("DOKPLOY_URL", "http://127.0.0.1:9"),
        ("DOKPLOY_API_TOKEN", "key"),
        ("STACK_DOMAIN_SUFFIX", "localhost"),
        ("STACK_IMAGE", "sandbox/hello"),
    ]
}

/// Returns the address of a database that a portal has used.
fn migrated() -> String {
    let url = Cluster::shared().database();
    let output = PortalDir::new().command(&on_postgres(&url)).arg("audit").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    url
}

#[test]
fn a_postgres_role_without_the_right_to_make_tables_is_named_with_the_remedy() {
    let url = Cluster::shared().database();
    let role = format!("role_{}", url.rsplit_once('/').unwrap().1);
    Cluster::ask(&url, &format!("CREATE ROLE {role} LOGIN"));
    Cluster::ask(&url, "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    let as_role = url.replace("portal@", &format!("{role}@"));
    let text = start_with(&as_role);
    assert!(
        text.contains("may not create tables") && text.contains("GRANT USAGE, CREATE"),
        "{text}"
    );
    Cluster::ask(&url, "REVOKE USAGE ON SCHEMA public FROM PUBLIC");
    assert!(start_with(&as_role).contains("may not create tables"));
    // Its tables belong to another role.
    let url = migrated();
    let text = start_with(&url.replace("portal@", &format!("{role}@")));
    assert!(text.contains("must belong to this role as well"), "{text}");
    // No table can be made by anybody.
    let url = Cluster::shared().database();
    let name = url.rsplit_once('/').unwrap().1;
    Cluster::ask(&url, &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let text = start_with(&url);
    assert!(text.contains("accepts no changes: give the address of the primary"), "{text}");
}

async fn newest_migration(portal_dir: &PortalDir) -> i64 {
    let file = portal_dir.path().join("portal.db");
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    let newest = "SELECT max(version) FROM _sqlx_migrations";
    sqlx::query_scalar(newest).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_makes_and_migrates_nothing() {
    let portal_dir = PortalDir::new();
    let database = format!("sqlite://{}/data/portal.db", portal_dir.path().display());
    let check = |variables: &[(&str, &str)]| {
        let output = portal_dir.command(variables).arg("check").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let said = check(&[("DATABASE_URL", &database)]);
    assert!(said.contains("There is no database yet: the first start makes"), "{said}");
    assert_eq!(fs::read_dir(portal_dir.path()).unwrap().count(), 0);

    portal_dir.start(&[]).end();
    let said = check(&[]);
    assert!(said.contains("portal.db can be used."), "{said}");
    let forget = "DELETE FROM _sqlx_migrations
                  WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
    execute(&portal_dir, &[forget]).await;
    let before = newest_migration(&portal_dir).await;
    let said = check(&[]);
    assert!(said.contains("portal.db can be used."), "{said}");
    assert_eq!(newest_migration(&portal_dir).await, before);

    let url = Cluster::shared().database();
    let said = check(&on_postgres(&url));
    assert!(said.contains("The PostgreSQL database can be used."), "{said}");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(Cluster::ask(&url, tables).trim(), "0");
}
