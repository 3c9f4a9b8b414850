//! The same over the sandbox, with the whole portal.

use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use crate::support::platform::Platform;
use crate::support::process::{PortalDir, exchange, request};

/// Forgets what the stacks are made of, as if an older version had made them.
async fn forget(portal_dir: &PortalDir) {
    let options = SqliteConnectOptions::new().filename(portal_dir.path().join("portal.db"));
    let mut connection = options.connect().await.unwrap();
    for table in ["sealed_secrets", "revisions"] {
        let forget = format!("DELETE FROM {table}");
        connection.execute(sqlx::AssertSqlSafe(forget)).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// Sends a request about the stack, and returns the answer once its operation has ended well.
fn done(portal_dir: &PortalDir, of: &str, (method, path): (&str, &str), body: &Value) {
    let line = format!("{method} /api/stacks/alice{path}?id={of}");
    let headers = "Content-Type: application/json\r\n";
    let answer = exchange(portal_dir.port, &request(&line, headers, &body.to_string()));
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let events = portal_dir.events(body["operationId"].as_str().unwrap());
    assert!(events.contains("event: complete"), "{events}");
}

/// Returns image, greeting and revision of the platform's row.
fn row(platform: &Platform) -> (String, Vec<String>) {
    let application = platform.state()["applications"][0]["applicationId"].clone();
    let path = format!("/api/application.one?applicationId={}", application.as_str().unwrap());
    let row = platform.call("GET", &path, &Value::Null);
    let lines = row["env"].as_str().unwrap().lines();
    let shown = lines.filter(|line| !line.starts_with("STACK_OPERATION="));
    (row["dockerImage"].as_str().unwrap().to_owned(), shown.map(str::to_owned).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_of_an_older_version_is_changed_and_led_back_to_what_it_was() {
    let portal_dir = PortalDir::new();
    let platform = Platform::start(&portal_dir);
    let variables = |image, greeting| {
        [("STACK_IMAGE", image), ("STACK_ENV_GREETING", greeting), ("STACK_CHANGE_WATCH", "1s")]
    };
    let portal = platform.portal(&portal_dir, &variables("sandbox/revisions:1", "it's #1"));
    let id = portal_dir.deploy_until("alice", "complete");
    let holds = |image: &str, greeting: &str, revision| {
        let variables = [format!("GREETING={greeting}"), format!("STACK_REVISION={revision}")];
        (image.to_owned(), variables.to_vec())
    };
    let first = holds("sandbox/revisions:1", "`it's #1`", 1);
    assert_eq!(row(&platform), first);
    assert_eq!(portal.end().0, Some(0));
    forget(&portal_dir).await;

    let _portal = platform.portal(&portal_dir, &variables("sandbox/revisions:2", "two"));
    let stack: Value = {
        let answer = portal_dir.get(&format!("/api/stacks/alice/revisions?id={id}"));
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    assert_eq!(stack["revisions"][0]["outcome"], "unknown", "{stack}");
    done(&portal_dir, &id, ("PATCH", ""), &json!({ "parameters": {} }));
    assert_eq!(row(&platform), holds("sandbox/revisions:1", "two", 2), "the image stays");
    let version = {
        let answer = portal_dir.get("/api/templates");
        let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        body["templates"][0]["version"].clone()
    };
    done(&portal_dir, &id, ("PATCH", ""), &json!({ "version": version }));
    assert_eq!(row(&platform), holds("sandbox/revisions:2", "two", 3));
    done(&portal_dir, &id, ("POST", "/rollback"), &json!({ "revision": 1 }));
    assert_eq!(row(&platform), holds("sandbox/revisions:1", "`it's #1`", 4));
}
