//! Callers who hang up, with the database far away: what they have asked for is carried out, and
//! what others were told is true.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use self::world::{Act, World};

mod world;

/// How long the answer to a request may take, and what is carried out without one.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// Waits until `act` is carried out.
async fn carried_out(world: &World, act: &Act) {
    let waiting = async {
        while !world.is_done(act) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let done = timeout(PATIENCE, waiting).await;
    assert!(done.is_ok(), "by half, or not at all: {act:?}\n{}", world.tell(act));
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_hang_up_at_sign_in_undo_no_sign_out_of_others() {
    let world = Arc::new(World::start().await);
    let leaving = world.people("leaving", 40).await;
    let mut asking = JoinSet::new();
    for number in 0..12 {
        let port = world.port();
        asking.spawn(async move {
            let after = Duration::from_millis(350 * number / 11);
            hang_up(port, &World::get("/auth/sign-in", ""), after).await;
        });
    }
    for act in leaving.iter().map(|person| world.sign_out(person)) {
        let port = world.port();
        asking.spawn(async move {
            let answer = ask(port, &act.request).await;
            assert!(answer.starts_with("HTTP/1.1 303 ") && answer.contains("signed_out=1"));
        });
    }
    asking.join_all().await;
    let still = world.ask("SELECT count(*) FROM sessions");
    assert_eq!(still, "0", "{still} of 40 who were told that they are signed out are not");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_somebody_asks_for_and_hangs_up_is_carried_out_and_so_is_what_others_ask_for() {
    let world = Arc::new(World::start().await);
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
    for act in &hasty {
        carried_out(&world, act).await;
    }
    // Nobody who hung up took a lease from those who drive.
    for act in patient.iter().chain(&hasty).filter(|act| act.name == "start") {
        world.becomes_live(act, PATIENCE).await;
    }
}
