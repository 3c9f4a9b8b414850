//! The part of the contract about leases of tasks.

use ai_stack_deployer::server::store::{Store, TaskHolder, TaskLease};
use futures::future::join_all;
use std::time::Duration;

use super::{LEASE, at};

fn lease(owner: &str, second: i64, report: Option<&str>) -> TaskLease {
    TaskLease {
        task: "compare",
        owner: owner.to_owned(),
        now: at(second),
        ttl: LEASE,
        report: report.map(ToOwned::to_owned),
    }
}

/// Runs this part against `store`.
pub(super) async fn hold(store: &dyn Store) {
    let take = async |lease: TaskLease| store.take_task_lease(&lease).await.unwrap();
    let ours = |report: Option<&str>| TaskHolder::Ours(report.map(ToOwned::to_owned));
    let theirs = |report: Option<&str>| TaskHolder::Theirs(report.map(ToOwned::to_owned));
    let owners: Vec<String> = (0..8).map(|number| format!("portal {number}")).collect();
    let all = join_all(owners.iter().map(|owner| take(lease(owner, 0, None)))).await;
    let first = all.iter().position(|taken| *taken == ours(None)).unwrap();
    assert_eq!(all.iter().filter(|taken| **taken == ours(None)).count(), 1, "{all:?}");
    let (a, b) = (owners[first].as_str(), "another");

    assert_eq!(take(lease(b, 29, None)).await, theirs(None), "until it lapses");
    assert_eq!(
        take(lease(a, 29, Some("all is well"))).await,
        ours(Some("all is well")),
        "whoever has it keeps it"
    );
    assert_eq!(take(lease(b, 58, Some("no"))).await, theirs(Some("all is well")));
    assert_eq!(take(lease(b, 59, None)).await, ours(Some("all is well")), "it has lapsed");
    assert_eq!(take(lease(a, 60, None)).await, theirs(Some("all is well")), "the report is kept");

    let none = TaskLease { ttl: Duration::ZERO, ..lease(a, 60, None) };
    assert_eq!(take(none).await, theirs(Some("all is well")), "nobody hands back another's");
    let back = TaskLease { ttl: Duration::ZERO, ..lease(b, 60, Some("one is down")) };
    assert_eq!(take(back).await, ours(Some("one is down")));
    assert_eq!(take(lease(a, 60, None)).await, ours(Some("one is down")), "it was handed back");

    let other = TaskLease { task: "another task", ..lease(b, 60, None) };
    assert_eq!(take(other).await, ours(None), "each task has a lease of its own");
    assert_eq!(take(lease(a, 10_000, None)).await, ours(Some("one is down")));
    let set_back = take(lease(b, 60, None)).await;
    assert_eq!(set_back, ours(Some("one is down")), "a clock was set back by hours");
}
