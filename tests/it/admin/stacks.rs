//! What operators see of all stacks: their states, templates and versions.

use axum::http::StatusCode;

use super::expect;
use crate::catalogue::{NOTES, put};
use crate::stack_settings::history::with_people;
use crate::support::app::{Reply, TestApp};

async fn admin(app: &TestApp) -> Reply {
    let headers = [("cookie", "__Host-session=olga"), ("accept", "text/html")];
    let page = app.ask("GET", "/admin", &headers, "").await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    page
}

/// Returns the texts of the cells of the table of versions, a line for each row.
fn versions(page: &Reply) -> Vec<String> {
    let text = super::text(page);
    let Some((_, section)) = text.split_once("<h2 id=\"stacks\">") else { return Vec::new() };
    let body = section.split_once("</section>").unwrap().0.split_once("<tbody>").unwrap().1;
    let row = |row: &str| {
        let cells = row.split('<').filter_map(|piece| piece.split_once('>').map(|(_, text)| text));
        let texts = cells.map(str::trim).filter(|text| !text.is_empty());
        texts.collect::<Vec<_>>().join(" | ")
    };
    body.split("<tr").skip(1).map(row).collect()
}

#[tokio::test]
async fn operators_see_the_stacks_by_state_and_by_template_and_version() {
    let (app, folder) = with_people().await;
    let page = admin(&app).await;
    expect(&page, &["There is 1 stack.", "<dt>Running</dt><dd>1</dd>"], &[]);
    assert_eq!(versions(&page), ["Notes | notes | 1.0.0 | 1 | this version"]);

    put(folder.path(), "notes", &NOTES.replace("1.0.0", "1.1.0"));
    app.offers.reread(true).unwrap();
    for name in ["bobby", "carol"] {
        let body = format!(r#"{{"name":"{name}"}}"#);
        assert_eq!(app.deploy(body).await.status, StatusCode::CREATED);
    }
    let lease = app.claim().await;
    app.record(&lease, vec![app.failure()]).await;
    let page = admin(&app).await;
    let states =
        ["There are 2 stacks.", "<dt>Deploying</dt><dd>1</dd>", "<dt>Running</dt><dd>1</dd>"];
    expect(&page, &states, &[]);
    let expected =
        ["Notes | notes | 1.0.0 | 1 | version 1.1.0", "Notes | notes | 1.1.0 | 1 | this version"];
    assert_eq!(versions(&page), expected);

    std::fs::remove_dir_all(folder.path().join("notes")).unwrap();
    app.offers.reread(true).unwrap();
    let expected = [
        "notes | notes | 1.0.0 | 1 | no longer offered",
        "notes | notes | 1.1.0 | 1 | no longer offered",
    ];
    assert_eq!(versions(&admin(&app).await), expected);
}

#[tokio::test]
async fn operators_are_told_that_there_are_no_stacks() {
    let world = super::World::new();
    let (mut olga, _) =
        world.sign_in("Olga Ost", ai_stack_deployer::server::auth::access::Role::Operator).await;
    expect(&olga.get("/admin").await, &["There are no stacks."], &["Offered now"]);
}
