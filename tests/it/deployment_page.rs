//! The deployment page as the server renders it in each state, and its forms.

use std::time::Duration;

use ai_stack_deployer::server::store::{CleanupRecord, Journal, Lease};
use axum::http::StatusCode;
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::event::{EventBody, Failure, FailureCode, Gone, RemovalCompletion};
use domain::phase::Phase;
use domain::receipt::{Line, Outcome, Receipt, ResourceKind};
use domain::stack_id::StackId;
use tempfile::TempDir;

use crate::support::app::{Reply, TestApp, failure, line};
use crate::support::claim_one::{CLEAN_UP, ClaimOne as _};

fn portal() -> (TestApp, TempDir) {
    let site = tempfile::tempdir().unwrap();
    (TestApp::with_pages(&[], site.path()), site)
}

/// Posts a form as a browser does, and returns the target of the redirect.
async fn post(app: &TestApp, function: &str, form: String) -> String {
    let reply = app.post_form(&format!("/api/fn/{function}"), form).await;
    assert_eq!(reply.status, StatusCode::FOUND, "{reply:?}");
    reply.header("location").unwrap().to_owned()
}

async fn page(app: &TestApp, id: &DeploymentId) -> Reply {
    let reply = app.get(&format!("/deployments/{id}")).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(reply.header("cache-control"), Some("no-store"), "gone back to, it must be true");
    reply
}

/// Checks that the page's text has each of `words`, and none of `others`.
pub(crate) fn expect(reply: &Reply, words: &[&str], others: &[&str]) {
    // The island's properties are not visible text.
    let mut parts = reply.body.split("data-props=\"");
    let first = parts.next().into_iter();
    let rest = parts.filter_map(|part| part.split_once('"').map(|(_, text)| text));
    let text = first.chain(rest).collect::<String>().replace("<!>", "");
    for words in words {
        assert!(text.contains(words), "{words:?} is missing: {text}");
    }
    for words in others {
        assert!(!text.contains(words), "{words:?} is there: {text}");
    }
}

fn project(outcome: Outcome, app: &TestApp) -> Line {
    line(ResourceKind::Project, "ai-stack-alice", outcome, app.clock.now())
}

fn receipt(outcome: Outcome, app: &TestApp) -> Receipt {
    Receipt::of(vec![project(outcome, app)])
}

/// Ends an operation as stuck: its project is left, and clean-up is due in 30 seconds.
async fn get_stuck(app: &TestApp, lease: &Lease) {
    get_stuck_by(app, lease, FailureCode::DeployFailed, "The container did not start.").await;
}

async fn get_stuck_by(app: &TestApp, lease: &Lease, code: FailureCode, message: &str) {
    let line = project(Outcome::Left, app);
    app.get_stuck(lease, failure(Phase::DEPLOYING, code, message, line)).await;
}

/// Records a clean-up that removed everything.
async fn clean_up(app: &TestApp, lease: &Lease) {
    let at = app.clock.now();
    let cleanup =
        CleanupRecord { receipt: receipt(Outcome::VerifiedGone, app), at, due: at, leaves: None };
    app.store.record_cleanup(lease, &cleanup).await.unwrap();
}

/// Lets the deployment of `alice` fail with nothing left.
async fn fail(app: &TestApp) -> DeploymentId {
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    app.record(&lease, vec![app.progress(Phase::ROLLING_BACK), app.failure()]).await;
    id
}

/// Posts the form that removes `alice`, on the page of the operation `id`.
async fn remove(app: &TestApp, id: &DeploymentId) -> String {
    post(app, "remove_stack", format!("name=alice&id={id}")).await
}

/// Claims the removal.
async fn claim_removal(app: &TestApp) -> Lease {
    let ttl = Duration::from_mins(1);
    app.store.claim_one(CLEAN_UP, "test", app.clock.now(), ttl).await.unwrap().unwrap()
}

/// Returns the last event of a removal.
fn removed(app: &TestApp) -> EventBody {
    let receipt = receipt(Outcome::VerifiedGone, app);
    EventBody::Removed(RemovalCompletion { status: Gone::Removed, receipt })
}

const REFRESH: &str = "http-equiv=\"refresh\"";

#[tokio::test]
async fn the_cancel_form_redirects_to_the_page_which_shows_it_and_refreshes() {
    let (app, _site) = portal();
    let id = app.begin("alice").await;
    let before = page(&app, &id).await;
    let refresh = format!("content=\"8; url=/deployments/{id}\"");
    expect(&before, &[REFRESH, &refresh, ">Cancel<"], &["Cancelling", "aria-disabled"]);
    let location = post(&app, "cancel_deployment", format!("id={id}")).await;
    assert_eq!(location, format!("/deployments/{id}"));
    let after = page(&app, &id).await;
    let words = ["alice: cancelling", "Cancelling…", "aria-disabled=\"true\"", REFRESH];
    expect(&after, &words, &[">Cancel<", " disabled"]);
}

#[tokio::test]
async fn a_request_that_is_too_late_redirects_to_a_page_that_says_so() {
    let (app, _site) = portal();
    let id = app.live("alice").await;
    for (function, code, words) in [
        (
            "cancel_deployment",
            "ALREADY_ENDED",
            "The deployment ended before it could be cancelled.",
        ),
        (
            "retry_deployment",
            "NAME_TAKEN",
            "The name is now taken, so the deployment was not retried.",
        ),
    ] {
        let location = post(&app, function, format!("id={id}")).await;
        assert_eq!(location, format!("/deployments/{id}?refused={code}"));
        expect(&app.get(&location).await, &[words], &[REFRESH]);
    }
    let location = post(&app, "cancel_deployment", String::from("id=none")).await;
    assert_eq!(location, "/?refused=NOT_FOUND");
    let words = ["with its own address", "Deployment not found."];
    expect(&app.get(&location).await, &words, &["Enter a name"]);
}

#[tokio::test]
async fn the_page_of_a_removed_stack_says_so_and_does_not_affect_the_next_stack() {
    let (app, _site) = portal();
    let old = app.live("alice").await;
    let removal = remove(&app, &old).await;
    let lease = claim_removal(&app).await;
    app.record(&lease, vec![removed(&app)]).await;

    let location = remove(&app, &old).await;
    assert_eq!(location, format!("/deployments/{old}?refused=NOT_FOUND"));
    expect(&app.get(&location).await, &["alice was removed", "there was nothing to remove"], &[]);

    let next = app.live("alice").await;
    for stale in [&old, &lease.id] {
        let location = remove(&app, stale).await;
        assert_eq!(location, format!("/deployments/{stale}?refused=ANOTHER_STACK"));
        expect(&app.get(&location).await, &["Another stack now has this name"], &["is live"]);
    }
    expect(&page(&app, &next).await, &["alice is live"], &["is being removed"]);
    assert_eq!(removal, format!("/deployments/{}", lease.id));
}

#[tokio::test]
async fn a_retry_and_its_earlier_attempt_link_to_each_other() {
    let (app, _site) = portal();
    let id = fail(&app).await;
    let failed = page(&app, &id).await;
    expect(&failed, &["alice could not be started", "was freed", "Try again"], &[REFRESH]);
    let newer = post(&app, "retry_deployment", format!("id={id}")).await;
    let again = app.get(&newer).await;
    expect(&again, &["Retry of", &format!("/deployments/{id}")], &[]);
    let old = page(&app, &id).await;
    expect(&old, &["It has been retried since", &newer], &["Try again", "was freed"]);
}

#[tokio::test]
async fn trying_again_is_second_where_it_helps_only_once_an_operator_has_corrected_the_image() {
    let (app, _site) = portal();
    let ended = |page: &Reply| {
        let (_, rest) = page.body.split_once("<section class=\"ended\"").unwrap();
        rest.split_once("</section>").unwrap().0.replace("<!>", "")
    };
    let id = fail(&app).await;
    let other = ended(&page(&app, &id).await);
    assert!(other.contains("class=\"button button--primary\""), "{other}");
    assert!(!other.contains("corrected"), "{other}");

    let id = app.begin("bobby").await;
    let lease = app.claim().await;
    let message = "The stack's image could not be found. An operator must check it.";
    let line = project(Outcome::VerifiedGone, &app);
    let failed = failure(Phase::DEPLOYING, FailureCode::ImageNotFound, message, line);
    app.record(&lease, vec![app.progress(Phase::ROLLING_BACK), EventBody::Error(failed)]).await;
    let missing = ended(&page(&app, &id).await);
    let advice = "Ask the operator to correct the image: give them the reference.";
    assert!(missing.contains(advice), "{missing}");
    assert!(missing.contains("Try again") && !missing.contains("button--primary"), "{missing}");
}

#[tokio::test]
async fn a_button_pressed_twice_starts_one_attempt() {
    let (app, _site) = portal();
    let id = fail(&app).await;
    let press = || post(&app, "retry_deployment", format!("id={id}"));
    let (first, second) = futures::join!(press(), press());
    assert_eq!(first, second, "both presses find the name free, and one of them gets it");
    assert!(first.starts_with("/deployments/dep_") && !first.contains('?'), "{first}");
    assert_eq!(press().await, first, "later, too");
    let lease = app.claim().await;
    app.record(&lease, vec![app.failure()]).await;
    assert_eq!(press().await, first, "and when that attempt has failed as well");
}

#[tokio::test]
async fn an_early_refusal_redirects_to_the_page_with_the_reason() {
    let site = tempfile::tempdir().unwrap();
    let app = TestApp::with_pages(&[("DEPLOY_RATE_LIMIT", "1")], site.path());
    let id = fail(&app).await;
    let location = post(&app, "retry_deployment", format!("id={id}")).await;
    assert_eq!(location, format!("/deployments/{id}?refused=TOO_MANY_REQUESTS"));
    expect(&app.get(&location).await, &["Too many deployments were started", "Try again"], &[]);
    let location = post(&app, "retry_deployment", String::from("id=none")).await;
    assert_eq!(location, "/?name=&refused=TOO_MANY_REQUESTS");
}

#[tokio::test]
async fn leftovers_are_shown_until_clean_up_has_removed_them() {
    let (app, _site) = portal();
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    get_stuck(&app, &lease).await;
    let stuck = page(&app, &id).await;
    let words =
        ["Some resources are left", "the next attempt is in about 30 s", "Choose another name"];
    expect(&stuck, &words, &["Try again"]);
    let refresh = format!("content=\"15; url=/deployments/{id}\"");
    expect(&stuck, &[REFRESH, &refresh], &["was freed"]);
    let snapshot = app.get(&format!("/api/deployment/{id}")).await.json();
    assert!(snapshot["deployment"]["nextTry"].is_string(), "{snapshot}");

    clean_up(&app, &lease).await;
    let clean = page(&app, &id).await;
    expect(&clean, &["Everything has been removed by now", "was freed", "Try again"], &[REFRESH]);
    let snapshot = app.get(&format!("/api/deployment/{id}")).await.json();
    assert!(snapshot["deployment"]["nextTry"].is_null(), "{snapshot}");

    post(&app, "retry_deployment", format!("id={id}")).await;
    let words = ["Everything has been removed by now.", "It has been retried since."];
    expect(&page(&app, &id).await, &words, &["was freed"]);
}

#[tokio::test]
async fn a_volume_has_its_plain_name_unless_an_operator_must_remove_it() {
    let (app, _site) = portal();
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    let raw = |key: &str| format!("asd-portal-{}-{key}", StackId::of(&id));
    let volume =
        |key: &str, outcome| line(ResourceKind::Volume, &raw(key), outcome, app.clock.now());
    let lines = vec![volume("user-data", Outcome::VerifiedGone), volume("files", Outcome::Left)];
    let project = project(Outcome::Removed, &app);
    let message = "The container did not start.";
    let failed = failure(Phase::DEPLOYING, FailureCode::DeployFailed, message, project);
    let failed = Failure { receipt: Receipt::of(lines), ..failed };
    app.get_stuck(&lease, failed).await;
    let page = page(&app, &id).await;
    let (_, list) = page.body.split_once("class=\"receipt__lines\"").unwrap();
    let list = list.split_once("</ul>").unwrap().0;
    assert!(list.contains(">user-data</bdi>") && !list.contains(&raw("user-data")), "{list}");
    assert!(list.contains(&format!(">{}</bdi>", raw("files"))), "{list}");
    assert!(page.body.contains(&raw("user-data")), "support reads it");
}

#[tokio::test]
async fn a_cancel_with_leftovers_does_not_look_successful() {
    let (app, _site) = portal();
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    let message = "The deployment was cancelled.";
    get_stuck_by(&app, &lease, FailureCode::Cancelled, message).await;
    let words = ["✗ alice was cancelled; clean-up continues", "data-stage=\"failed\""];
    expect(&page(&app, &id).await, &words, &[]);
    let announced = ["alice was cancelled. Some resources are left.", "Copy details for support"];
    expect(&page(&app, &id).await, &announced, &["Nothing was left"]);
    clean_up(&app, &lease).await;
    let words = ["data-stage=\"over\"", "Everything has been removed by now"];
    expect(&page(&app, &id).await, &words, &["✗", "clean-up continues", "Copy details"]);
}

#[tokio::test]
async fn a_stack_is_not_shown_as_live_once_its_removal_begins() {
    let (app, _site) = portal();
    let id = app.live("alice").await;
    let up = page(&app, &id).await;
    expect(&up, &["alice is live", "Remove this stack", "This permanently removes"], &[REFRESH]);

    expect(&up, &[&format!("name=\"id\" value=\"{id}\"")], &[]);
    let removal = remove(&app, &id).await;
    assert!(removal.starts_with("/deployments/rem_"), "{removal}");
    let old = page(&app, &id).await;
    expect(&old, &["alice is being removed", &removal], &["is live", "Remove this stack"]);
    let refresh = format!("http-equiv=\"refresh\" content=\"15; url=/deployments/{id}\"");
    expect(&old, &[&refresh], &["<noscript>"]);
    let removing = app.get(&removal).await;
    expect(&removing, &["Removing alice", REFRESH], &[">Cancel<", "Creating the project", "%"]);

    let lease = claim_removal(&app).await;
    app.record(&lease, vec![removed(&app)]).await;
    let removed = app.get(&removal).await;
    expect(&removed, &["alice is removed", "was freed", "Deploy something new"], &[REFRESH]);
    let words = ["is live", "being removed", REFRESH];
    expect(&page(&app, &id).await, &["alice was removed"], &words);
}

#[tokio::test]
async fn a_stuck_removal_can_be_retried_at_once() {
    let (app, _site) = portal();
    let id = app.live("alice").await;
    let removal = remove(&app, &id).await;
    let lease = claim_removal(&app).await;
    get_stuck(&app, &lease).await;
    let stuck = app.get(&removal).await;
    expect(&stuck, &["alice is only partly removed", "Try now", REFRESH], &["is live"]);
    expect(&stuck, &[&format!("name=\"id\" value=\"{}\"", lease.id)], &[]);
    assert_eq!(remove(&app, &lease.id).await, removal, "the same removal goes on");
}

#[tokio::test]
async fn the_home_page_shows_the_measured_duration() {
    let (app, _site) = portal();
    expect(&app.get("/").await, &["with its own address"], &["in about"]);
    for name in ["ada", "bob", "cid", "dan", "eve"] {
        app.begin(name).await;
        let lease = app.claim().await;
        app.clock.advance(Duration::from_secs(41));
        app.record(&lease, vec![TestApp::complete(name)]).await;
    }
    expect(&app.get("/").await, &["in about 40 seconds"], &["with its own address"]);
    let id = app.begin("fay").await;
    expect(&page(&app, &id).await, &["usually 40–45 s more"], &[]);
}
