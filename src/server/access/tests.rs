//! The decision, as a table.

use super::*;

fn owner(id: &str) -> OwnerId {
    OwnerId::person(id)
}

fn everybody() -> [(&'static str, Identity); 8] {
    let person = |id, role| Identity::Person { owner: owner(id), role };
    let program = |scope| Identity::Program { owner: owner("alice"), scope };
    [
        ("guest", Identity::Guest),
        ("own browser", Identity::Browser(owner("alice"))),
        ("other browser", Identity::Browser(owner("mallory"))),
        ("stranger", Identity::Stranger),
        ("alice", person("alice", Role::Member)),
        ("operator", person("olga", Role::Operator)),
        ("read token", program(Scope::Read)),
        ("deploy token", program(Scope::Deploy)),
    ]
}

/// Writes who may: `+` yes, `s` sign in first, `t` another token, `-` it is not there.
fn row(need: Need, target: Target<'_>) -> String {
    let letter = |(_, identity): (&str, Identity)| match decide(&identity, need, target) {
        Ok(()) => '+',
        Err(Refusal::SignIn) => 's',
        Err(Refusal::Scope) => 't',
        Err(Refusal::Hidden) => '-',
    };
    everybody().into_iter().map(letter).collect()
}

#[test]
fn who_may_do_what_is_this_table() {
    let alice = owner("alice");
    let own = |by| Target::Operation { owner: Some(&alice), by };
    let nobodys = |by| Target::Operation { owner: None, by };
    // guest, own browser, other browser, stranger, alice, operator, read token, deploy token
    let table = [
        (Need::Browse, Target::Unnamed, "+++s++++"),
        (Need::Start, Target::Unnamed, "+++s++t+"),
        (Need::See, Target::Unnamed, "+++s++++"),
        (Need::Change, Target::Unnamed, "+++s++t+"),
        (Need::Account, Target::Unnamed, "---s++tt"),
        (Need::Operate, Target::Unnamed, "---s-+tt"),
        (Need::Glance, Target::Unnamed, "+++s++++"),
        (Need::Glance, own(Knowing::Name), "-+-s++++"),
        (Need::Glance, nobodys(Knowing::Name), "+++s-+--"),
        (Need::See, own(Knowing::Id), "+++s++++"),
        (Need::See, own(Knowing::Name), "-+-s++++"),
        (Need::Change, own(Knowing::Id), "-+-s++t+"),
        (Need::Change, own(Knowing::Name), "-+-s++t+"),
        (Need::See, nobodys(Knowing::Id), "+++s-+--"),
        (Need::See, nobodys(Knowing::Name), "---s-+--"),
        (Need::Change, nobodys(Knowing::Id), "+++s-+t-"),
        (Need::Change, nobodys(Knowing::Name), "---s-+t-"),
    ];
    for (need, target, expected) in table {
        assert_eq!(row(need, target), expected, "{need:?} {target:?}");
    }
}

#[test]
fn what_is_somebody_elses_is_nobodys_business_but_an_operators() {
    let bob = owner("bob");
    for by in [Knowing::Id, Knowing::Name] {
        let target = Target::Operation { owner: Some(&bob), by };
        assert_eq!(row(Need::Change, target), "---s-+t-", "{by:?}");
    }
    let by_id = Target::Operation { owner: Some(&bob), by: Knowing::Id };
    assert_eq!(row(Need::See, by_id), "+++s-+--", "in the open, whoever knows the id may look");
}

#[test]
fn an_owner_reads_back_as_it_was_written() {
    for owner in [OwnerId::person("a1b2"), OwnerId::browser("00ff")] {
        assert_eq!(OwnerId::parse(owner.as_str()), Ok(owner));
    }
    for text in ["", "person:", "person:a b", "nobody:a", "browser:a/b", "a"] {
        assert_eq!(OwnerId::parse(text), Err(ParseOwnerIdError), "{text:?}");
    }
}
