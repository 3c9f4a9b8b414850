//! Lists of operations.

use ai_stack_deployer::server::store::{OperationFilter, State, Store, Usage, receipt, receipts};
use domain::kind::KindName;
use domain::owner::OwnerId;
use domain::stack_name::StackName;

use super::acts::{finish, remove};
use super::{by, counted, id};
use crate::store::contract::at;

pub(super) async fn are_newest_first_and_a_page_at_a_time(store: &dyn Store) {
    let owner = Some(OwnerId::person("heidi"));
    for number in 70..75 {
        let mut new = by("heidi", number, &format!("heidi-{number}"), &counted("heidi"));
        // Some began at the same time.
        new.deployment.started = at(i64::try_from(number / 2).unwrap());
        store.begin(&new, None).await.unwrap();
    }
    finish(store, &id(72), State::Live, at(80)).await;
    let removal = remove(store, 76, "heidi-72", at(81)).await;
    let own = OperationFilter { owner: owner.clone(), limit: 100, ..OperationFilter::default() };
    let list = async |filter: OperationFilter| {
        let found = store.operations(&filter).await.unwrap();
        assert!(found.iter().all(|record| filter.owner.is_none() || record.owner == owner));
        found.into_iter().map(|record| record.deployment.id).collect::<Vec<_>>()
    };
    let all = vec![removal.clone(), id(74), id(73), id(72), id(71), id(70)];
    assert_eq!(list(own.clone()).await, all);

    let first = OperationFilter { limit: 3, ..own.clone() };
    assert_eq!(list(first.clone()).await, all[..3]);
    let second = OperationFilter { before: Some(id(73)), ..first.clone() };
    assert_eq!(list(second).await, all[3..], "of those that began at once, none is lost");
    let after_nothing = OperationFilter { before: Some(id(999)), ..first };
    assert!(list(after_nothing).await.is_empty());

    let live = OperationFilter { state: Some(State::Live), ..own.clone() };
    assert_eq!(list(live).await, [id(72)]);
    let of_kind = |kind| OperationFilter { kind: Some(kind), ..own.clone() };
    assert_eq!(list(of_kind(KindName::REMOVE)).await, all[..1]);
    assert_eq!(list(of_kind(KindName::DEPLOY)).await, all[1..]);
    let named =
        |name: &str| OperationFilter { name: Some(StackName::parse(name).unwrap()), ..own.clone() };
    assert_eq!(list(named("heidi-72")).await, [removal.clone(), id(72)]);
    assert!(list(named("heidi-7")).await.is_empty(), "only a whole name");
    let search = |text: &str| OperationFilter { search: Some(text.to_owned()), ..own.clone() };
    assert_eq!(list(search("idi-72")).await, [removal.clone(), id(72)]);
    assert_eq!(list(search(id(71).as_str())).await, [id(71)]);
    assert!(list(search(&id(71).as_str()[..20])).await.is_empty(), "only a whole id");
    assert!(list(search("%")).await.is_empty());
    assert!(list(search("\0")).await.is_empty());
    assert!(list(OperationFilter { owner: None, ..own }).await.len() > all.len());

    let stack = &store.stacks(Some(&StackName::parse("heidi-72").unwrap())).await.unwrap()[0];
    assert_eq!((&stack.owner, &stack.removal), (&owner, &Some((removal, State::Active))));
}

/// A query for several gives for each what it alone has.
pub(super) async fn are_counted_and_folded_at_once_as_one_by_one(store: &dyn Store) {
    for number in 80..84 {
        let owner = if number % 2 == 0 { "ivan" } else { "judy" };
        let new = by(owner, number, &format!("{owner}-{number}"), &counted(owner));
        store.begin(&new, None).await.unwrap();
    }
    finish(store, &id(80), State::Stuck, at(90)).await;
    finish(store, &id(81), State::RolledBack, at(90)).await;
    finish(store, &id(82), State::Live, at(90)).await;
    let usage = |stacks, under_way, begun: &[i64]| Usage {
        stacks,
        under_way,
        begun: begun.iter().copied().map(at).collect(),
    };
    let asked = ["ivan", "nobody", "judy", "ivan"];
    let hours: [(i64, &[i64], &[i64]); 3] =
        [(0, &[80, 82], &[81, 83]), (81, &[82], &[83]), (90, &[], &[])];
    for (hour_ago, ivan, judy) in hours {
        let [ivan, judy] = [usage(2, 0, ivan), usage(1, 1, judy)];
        let expected = [ivan.clone(), Usage::default(), judy, ivan];
        assert_eq!(store.usages(&asked, at(hour_ago)).await.unwrap(), expected, "{hour_ago}");
    }
    assert!(store.usages(&[], at(0)).await.unwrap().is_empty());

    let ended: Vec<_> = [80, 81, 82].map(id).into();
    let mut records = Vec::new();
    for id in &ended {
        records.push(store.find(id).await.unwrap().unwrap());
    }
    let mut one_by_one = Vec::new();
    for record in &records {
        one_by_one.push(receipt(store, record).await.unwrap());
    }
    assert_eq!(receipts(store, &records).await.unwrap(), one_by_one);
    let mut last = store.last_events(&[&ended[0], &id(999)]).await.unwrap();
    assert_eq!(last.len(), 1);
    let (id, event) = last.pop().unwrap();
    assert_eq!((&id, event.seq), (&ended[0], records[0].seq));
}
