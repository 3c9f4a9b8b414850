//! No secret leaks anywhere (promise P17): each secret that the portal gets contains a mark, and
//! all output of the real binary is searched for it.
//!
//! `templates` does the same with the secrets of templates, and searches metrics and traces as well.
//!
//! Two things are not searched. The registry's password and the stacks' variables are meant for the
//! platform, so what is sent to it is left out. And a credential is shown once to its owner: a
//! cookie when it is set, and an API token on the page that shows it.

pub(crate) mod marks;
mod templates;
mod world;

use ai_stack_deployer::server::auth::accounts::Digest;

use self::marks::Marks;
use self::world::{Credentials, PASSWORD, SECRETS, VALUE, World};

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_the_portal_leaks_anywhere() {
    let mut world = World::start().await;
    let portal = world.portal("sandbox/hello");
    let credentials = world.sign_in();
    let live = world.deploy("alice", &credentials, "complete");
    world.look_around(&live, &credentials);
    world.be_refused(&live, &credentials);
    world.read_log("alice", &credentials);
    world.end(portal);

    let portal = world.portal("sandbox/crashloop");
    let failed = world.deploy("bobby", &credentials, "error");
    world.look_around(&failed, &credentials);
    world.give(&["check"]);
    world.give(&["stuck", "list"]);
    let platform = world.kept_by_the_platform();
    world.end(portal);

    // The platform's log of a failed login repeats the credentials.
    let portal = world.portal("sandbox/denied");
    let denied = world.deploy("carol", &credentials, "error");
    world.look_around(&denied, &credentials);
    world.end(portal);
    let portal = world.portal("sandbox/hello");
    let operator = world.sign_in_as(&["operators"]);
    let admin = world.look_as_operator(&operator);
    world.end(portal);
    world.give(&["reconcile"]);
    world.give(&["secrets", "rotate"]);
    let database = world.read_files();

    for secret in [PASSWORD, VALUE] {
        assert!(platform.contains(secret), "{secret} goes to the platform");
    }
    let Credentials { session, token, passing } = &credentials;
    for secret in [session, token] {
        assert!(database.contains(&Digest::of(secret).0), "its digest is kept");
    }
    let reason = "unauthorized: incorrect username or password";
    let has_reason = |name: &str| {
        let mut told = world.told().iter().filter(|(told, _)| told.contains(name));
        told.any(|(_, text)| text.contains(reason))
    };
    assert!(admin.contains(reason), "operators read why, after a restart, too: {admin}");
    assert!(has_reason("the log") && database.contains(reason), "it is logged and kept");
    assert!(!has_reason(&denied), "neither page nor API tells the person");
    let marks = SECRETS.iter().map(|(_, secret)| *secret).chain([session.as_str(), token.as_str()]);
    let marks = Marks::new(marks.chain(passing.iter().map(String::as_str)));
    let told = world.told();
    assert!(told.len() > 30, "only {} answers and outputs", told.len());
    assert!(told.iter().any(|(_, text)| text.contains("\"level\":\"TRACE\"")), "all is logged");
    for (name, text) in told {
        assert_eq!(marks.found_in(text), None, "in {name}");
    }
}
