//! The part of the contract that is about work that one portal does for all.

use ai_stack_deployer::server::store::{Store, Turn, TurnHolder};
use futures::future::join_all;
use std::time::Duration;

use super::{LEASE, at};

fn turn(owner: &str, second: i64, report: Option<&str>) -> Turn {
    Turn {
        work: "compare",
        owner: owner.to_owned(),
        now: at(second),
        ttl: LEASE,
        report: report.map(ToOwned::to_owned),
    }
}

/// Runs this part against `store`.
pub(super) async fn hold(store: &dyn Store) {
    let take = async |turn: Turn| store.take_turn(&turn).await.unwrap();
    let ours = |report: Option<&str>| TurnHolder::Ours(report.map(ToOwned::to_owned));
    let theirs = |report: Option<&str>| TurnHolder::Theirs(report.map(ToOwned::to_owned));
    let owners: Vec<String> = (0..8).map(|number| format!("portal {number}")).collect();
    let all = join_all(owners.iter().map(|owner| take(turn(owner, 0, None)))).await;
    let first = all.iter().position(|taken| *taken == ours(None)).unwrap();
    assert_eq!(all.iter().filter(|taken| **taken == ours(None)).count(), 1, "{all:?}");
    let (a, b) = (owners[first].as_str(), "another");

    assert_eq!(take(turn(b, 29, None)).await, theirs(None), "until it lapses");
    assert_eq!(
        take(turn(a, 29, Some("all is well"))).await,
        ours(Some("all is well")),
        "whoever has it keeps it"
    );
    assert_eq!(take(turn(b, 58, Some("no"))).await, theirs(Some("all is well")));
    assert_eq!(take(turn(b, 59, None)).await, ours(Some("all is well")), "it has lapsed");
    assert_eq!(take(turn(a, 60, None)).await, theirs(Some("all is well")), "the report is kept");

    let none = Turn { ttl: Duration::ZERO, ..turn(a, 60, None) };
    assert_eq!(take(none).await, theirs(Some("all is well")), "nobody hands back another's");
    let back = Turn { ttl: Duration::ZERO, ..turn(b, 60, Some("one is down")) };
    assert_eq!(take(back).await, ours(Some("one is down")));
    assert_eq!(take(turn(a, 60, None)).await, ours(Some("one is down")), "it was handed back");

    let other = Turn { work: "another work", ..turn(b, 60, None) };
    assert_eq!(take(other).await, ours(None), "each work has turns of its own");
    assert_eq!(take(turn(a, 10_000, None)).await, ours(Some("one is down")));
    let set_back = take(turn(b, 60, None)).await;
    assert_eq!(set_back, ours(Some("one is down")), "a clock was set back by hours");
}
