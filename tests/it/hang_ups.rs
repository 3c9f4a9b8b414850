//! Callers who hang up, with the database far away: what they have asked for is carried out, and
//! what others were told is true.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use self::world::{Act, World};

mod world;

/// How long the answer to a request may take, and a deployment.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take until what is carried out without an answer is there.
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
    timeout(PATIENCE, asking).await.expect("no answer")
}

/// Sends `request` and hangs up after a while.
async fn hang_up(port: u16, request: &str, after: Duration) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    // That is when somebody hangs up: the subject of these tests.
    sleep(after).await;
}

/// Waits until `act` is carried out or was never begun, and tells which.
async fn is_carried_out(world: &World, act: &Act) -> bool {
    let waiting = async {
        while !world.is_done(act) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let is_done = timeout(A_WHILE, waiting).await.is_ok();
    assert!(is_done || world.is_undone(act), "by half: {act:?}\n{}", world.tell(act));
    is_done
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_hang_up_at_sign_in_undo_no_sign_out_of_others() {
    let world = World::start().await;
    let leaving = world.people("leaving", 40).await;
    // Connections are there already, as in a portal that is in use.
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
            hang_up(port, &World::get("/auth/sign-in", ""), after).await;
            String::new()
        });
    }
    for (number, act) in (0..).zip(leaving.iter().map(|person| World::sign_out(person))) {
        let port = world.port();
        asking.spawn(async move {
            // One after the other, while the others hang up.
            sleep(Duration::from_millis(15 * number)).await;
            let answer = ask(port, &act.request).await;
            assert!(answer.starts_with("HTTP/1.1 303 ") && answer.contains("signed_out=1"));
            answer
        });
    }
    asking.join_all().await;
    let still = world.ask("SELECT count(*) FROM sessions");
    assert_eq!(still, "0", "{still} of 40 who were told that they are signed out are not");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_somebody_asks_for_and_hangs_up_is_carried_out_and_so_is_what_others_ask_for() {
    let world = World::start().await;
    let (hasty, patient) = (world.acts("hasty").await, world.acts("patient").await);
    let mut asking = JoinSet::new();
    for (number, act) in hasty.iter().enumerate() {
        let (port, request) = (world.port(), act.request.clone());
        asking.spawn(async move {
            let after = Duration::from_millis(350 * number as u64 / 40 % 351);
            hang_up(port, &request, after).await;
        });
    }
    for act in &patient {
        let (port, request) = (world.port(), act.request.clone());
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
    for act in &patient {
        assert!(
            world.is_done(act),
            "what somebody was told is not so: {act:?}\n{}",
            world.tell(act)
        );
    }
    // Whoever hangs up before the portal has read what they ask for has asked for nothing.
    let mut carried_out = Vec::new();
    for act in &hasty {
        if is_carried_out(&world, act).await {
            carried_out.push(act);
        }
    }
    println!("{} of {} were carried out", carried_out.len(), hasty.len());
    assert!(carried_out.len() * 4 > hasty.len() * 3, "{carried_out:?}");
    // Nobody who hung up took a lease from those who drive.
    for act in patient.iter().chain(carried_out).filter(|act| act.name == "start") {
        world.becomes_live(act, PATIENCE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_put_on_record_does_not_happen() {
    let world = World::start().await;
    world.come_closer();
    let mut acts = world.acts("refused").await;
    // Two of each are enough.
    acts.truncate(16);
    world.ask(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    for act in acts.iter().filter(|act| act.name != "sign-in") {
        let answer = ask(world.port(), &act.request).await;
        assert!(answer.contains("STORE_UNAVAILABLE"), "{act:?}: {answer}");
        assert!(world.is_undone(act), "it happened: {act:?}");
    }
    let sign_in = acts.iter().find(|act| act.name == "sign-in").unwrap();
    let answer = ask(world.port(), &sign_in.request).await;
    assert!(!answer.contains("__Host-session="), "{answer}");
    let people = "SELECT count(*) FROM people WHERE subject = '1234'";
    assert_eq!(world.ask(people), "0", "somebody is signed in, and nothing says so");
    world.ask("DROP TRIGGER refuse ON audit");
    for act in acts.iter().filter(|act| act.name != "sign-in") {
        ask(world.port(), &act.request).await;
        assert!(world.is_done(act), "{act:?}\n{}", world.tell(act));
    }
}
