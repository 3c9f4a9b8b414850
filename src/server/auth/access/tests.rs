//! Tests of the decision: a table of all identities and permissions.

use super::*;

fn owner(id: &str) -> OwnerId {
    OwnerId::person(id)
}

fn everybody() -> [(&'static str, Identity); 8] {
    let person = |id, role| Identity::Person { owner: owner(id), role };
    let program = |scope| Identity::Program { owner: owner("alice"), scope };
    [
        ("anonymous", Identity::Anonymous),
        ("own browser", Identity::Browser(owner("alice"))),
        ("other browser", Identity::Browser(owner("mallory"))),
        ("unauthenticated", Identity::Unauthenticated),
        ("alice", person("alice", Role::Member)),
        ("operator", person("olga", Role::Operator)),
        ("read token", program(Scope::Read)),
        ("deploy token", program(Scope::Deploy)),
    ]
}

/// Returns the decision for each identity: `+` allowed, `s` must sign in first, `t` lacks the
/// scope, `-` hidden.
fn row(permission: Permission, target: Target<'_>) -> String {
    let letter = |(_, identity): (&str, Identity)| match decide(&identity, permission, target) {
        Ok(()) => '+',
        Err(Denial::SignIn) => 's',
        Err(Denial::Scope) => 't',
        Err(Denial::Hidden) => '-',
    };
    everybody().into_iter().map(letter).collect()
}

#[test]
fn who_may_do_what_is_this_table() {
    let alice = owner("alice");
    let own = |by| Target::Operation { owner: Some(&alice), by };
    let nobodys = |by| Target::Operation { owner: None, by };
    // anonymous, own browser, other browser, unauthenticated, alice, operator, read token, deploy token
    let table = [
        (Permission::Browse, Target::Unnamed, "+++s++++"),
        (Permission::Start, Target::Unnamed, "+++s++t+"),
        (Permission::View, Target::Unnamed, "+++s++++"),
        (Permission::Change, Target::Unnamed, "+++s++t+"),
        (Permission::Account, Target::Unnamed, "---s++tt"),
        (Permission::Operate, Target::Unnamed, "---s-+tt"),
        (Permission::ViewPublic, Target::Unnamed, "+++s++++"),
        (Permission::ViewPublic, own(IdentifiedBy::Name), "-+-s++++"),
        (Permission::ViewPublic, nobodys(IdentifiedBy::Name), "+++s-+--"),
        (Permission::View, own(IdentifiedBy::Id), "+++s++++"),
        (Permission::View, own(IdentifiedBy::Name), "-+-s++++"),
        (Permission::Change, own(IdentifiedBy::Id), "-+-s++t+"),
        (Permission::Change, own(IdentifiedBy::Name), "-+-s++t+"),
        (Permission::View, nobodys(IdentifiedBy::Id), "+++s-+--"),
        (Permission::View, nobodys(IdentifiedBy::Name), "---s-+--"),
        (Permission::Change, nobodys(IdentifiedBy::Id), "+++s-+t-"),
        (Permission::Change, nobodys(IdentifiedBy::Name), "---s-+t-"),
    ];
    for (permission, target, expected) in table {
        assert_eq!(row(permission, target), expected, "{permission:?} {target:?}");
    }
}

#[test]
fn only_an_operator_may_change_what_belongs_to_others() {
    let bob = owner("bob");
    for by in [IdentifiedBy::Id, IdentifiedBy::Name] {
        let target = Target::Operation { owner: Some(&bob), by };
        assert_eq!(row(Permission::Change, target), "---s-+t-", "{by:?}");
    }
    let by_id = Target::Operation { owner: Some(&bob), by: IdentifiedBy::Id };
    assert_eq!(
        row(Permission::View, by_id),
        "+++s-+--",
        "on an open portal, a client that knows the id may view it"
    );
}
