//! Clients that disconnect, with a slow database: their requests are carried out completely, and
//! the answers to other clients stay true.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use self::world::{Action, World};

mod world;

/// The time limit for an answer, and for a deployment.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The time limit until the effect of a request without an answer is visible.
const A_WHILE: Duration = Duration::from_secs(5);

/// Sends `request` and reads the answer.
async fn ask(port: u16, request: &str) -> String {
    let asking = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    timeout(TIMEOUT, asking).await.expect("no answer")
}

/// Sends `request` and disconnects after a while.
async fn disconnect(port: u16, request: &str, after: Duration) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    // The time of the disconnect is the subject of these tests.
    sleep(after).await;
}

/// Waits until `action` is carried out, or certainly never began, and returns whether it was.
async fn is_carried_out(world: &World, action: &Action) -> bool {
    let waiting = async {
        while !world.is_done(action) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let is_done = timeout(A_WHILE, waiting).await.is_ok();
    assert!(is_done || world.is_undone(action), "by half: {action:?}\n{}", world.describe(action));
    is_done
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnects_during_sign_in_undo_no_sign_out_of_others() {
    let world = World::start().await;
    let leaving = world.people("leaving", 40).await;
    // The pool already has connections, as in a portal that is in use.
    let mut asking = JoinSet::new();
    for person in leaving.iter().cycle().take(80) {
        let (port, cookie) = (world.port(), format!("__Host-session={person}"));
        asking.spawn(async move { ask(port, &World::get("/api/stacks", &cookie)).await });
    }
    asking.join_all().await;
    let mut asking = JoinSet::new();
    for number in 0..12 {
        let port = world.port();
        asking.spawn(async move {
            let after = Duration::from_millis(350 * number / 11);
            disconnect(port, &World::get("/auth/sign-in", ""), after).await;
            String::new()
        });
    }
    for (number, action) in (0..).zip(leaving.iter().map(|person| World::sign_out(person))) {
        let port = world.port();
        asking.spawn(async move {
            // One after the other, while the other clients disconnect.
            sleep(Duration::from_millis(15 * number)).await;
            let answer = ask(port, &action.request).await;
            assert!(answer.starts_with("HTTP/1.1 303 ") && answer.contains("signed_out=1"));
            answer
        });
    }
    asking.join_all().await;
    let still = world.ask("SELECT count(*) FROM sessions");
    assert_eq!(still, "0", "{still} of 40 who were told that they are signed out are not");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_disconnected_clients_and_of_others_are_carried_out() {
    let world = World::start().await;
    let (hasty, patient) = (world.actions("hasty").await, world.actions("patient").await);
    let mut asking = JoinSet::new();
    for (number, action) in hasty.iter().enumerate() {
        let (port, request) = (world.port(), action.request.clone());
        asking.spawn(async move {
            let after = Duration::from_millis(350 * number as u64 / 40 % 351);
            disconnect(port, &request, after).await;
        });
    }
    for action in &patient {
        let (port, request) = (world.port(), action.request.clone());
        asking.spawn(async move {
            let answer = ask(port, &request).await;
            assert!(
                answer.starts_with("HTTP/1.1 20") || answer.starts_with("HTTP/1.1 303 "),
                "{answer}"
            );
            assert!(!answer.contains("refused="), "{answer}");
        });
    }
    asking.join_all().await;
    world.come_closer();
    for action in &patient {
        assert!(
            world.is_done(action),
            "what somebody was told is not so: {action:?}\n{}",
            world.describe(action)
        );
    }
    // A request whose client disconnects before the portal has read it has no effect.
    let mut carried_out = Vec::new();
    for action in &hasty {
        if is_carried_out(&world, action).await {
            carried_out.push(action);
        }
    }
    println!("{} of {} were carried out", carried_out.len(), hasty.len());
    assert!(carried_out.len() * 4 > hasty.len() * 3, "{carried_out:?}");
    // No disconnected client took a lease from a worker.
    for action in patient.iter().chain(carried_out).filter(|action| action.name == "start") {
        world.becomes_live(action, TIMEOUT).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_cannot_be_audited_does_not_happen() {
    let world = World::start().await;
    world.come_closer();
    let mut actions = world.actions("refused").await;
    // Two of each kind are enough.
    actions.truncate(16);
    world.ask(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    for action in actions.iter().filter(|action| action.name != "sign-in") {
        let answer = ask(world.port(), &action.request).await;
        assert!(answer.contains("STORE_UNAVAILABLE"), "{action:?}: {answer}");
        assert!(world.is_undone(action), "it happened: {action:?}");
    }
    let sign_in = actions.iter().find(|action| action.name == "sign-in").unwrap();
    let answer = ask(world.port(), &sign_in.request).await;
    assert!(!answer.contains("__Host-session="), "{answer}");
    let people = "SELECT count(*) FROM people WHERE subject = '1234'";
    assert_eq!(world.ask(people), "0", "somebody is signed in, and nothing says so");
    world.ask("DROP TRIGGER refuse ON audit");
    for action in actions.iter().filter(|action| action.name != "sign-in") {
        ask(world.port(), &action.request).await;
        assert!(world.is_done(action), "{action:?}\n{}", world.describe(action));
    }
}
