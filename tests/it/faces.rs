//! One table of answers through every face of the portal: the REST API, the schema, the form without
//! scripts, and the check that the form's scripts ask. All refuse the same fields for the same
//! reasons, and what all accept begins the same stack.
//!
//! The table is that of `catalogue`, which holds the check of the domain against it, and what changes
//! of a stack keep as well: the portal has no change of answers yet, but a failed start that is tried
//! again keeps them.

#[path = "../../crates/catalogue/tests/it/cases/case.rs"]
mod case;
mod portal;
#[path = "../../crates/catalogue/tests/it/cases/table.rs"]
mod table;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use self::case::Case;
use self::case::Expected::{self, Errors, Variables, Without};
use self::portal::{Begun, Portal, Problem, Verdict};

/// What every set of answers has, unless it has another one. The e-mail address is that of Alice, who
/// is signed in.
const ALWAYS: [(&str, &str); 1] = [("team", "red")];

/// Checks that a face says what the table says.
fn assert_expected(verdict: &Verdict, expected: Expected, what: &str) {
    match (verdict, expected) {
        (Verdict::Begun(begun), Variables(variables)) => {
            for variable in variables {
                assert!(begun.variables.contains(*variable), "{what}: {variable} in {begun:?}");
            }
        }
        (Verdict::Begun(Begun { variables, .. }), Without(names)) => {
            let has = |name: &str| variables.iter().any(|one| one.starts_with(&format!("{name}=")));
            assert!(!names.iter().any(|name| has(name)), "{what}: {variables:?}");
        }
        (Verdict::Refused(problems), Errors(expected)) => {
            assert_eq!(codes(problems), own(expected), "{what}");
        }
        (Verdict::Begun(begun), Errors(_)) => panic!("{what} is accepted: {begun:?}"),
        (Verdict::Refused(problems), Variables(_) | Without(_)) => {
            panic!("{what} is refused: {problems:?}")
        }
    }
}

/// Returns the codes by the keys of their fields.
fn codes(problems: &BTreeMap<String, Problem>) -> Vec<(String, String)> {
    problems.iter().map(|(key, problem)| (key.clone(), problem.code.clone())).collect()
}

fn own(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(key, code)| ((*key).to_owned(), (*code).to_owned())).collect()
}

/// Checks that the form, with scripts and without, says of the fields what it should.
async fn assert_form(portal: &mut Portal, fields: &[(String, String)], rest: &Verdict) {
    let (checked, page) = (portal.check(fields).await, portal.form(fields).await);
    match rest {
        Verdict::Begun(_) => {
            assert_eq!(checked, BTreeMap::new(), "the check of {fields:?}");
            assert_eq!(page, Ok(rest.clone()), "the form of {fields:?}");
        }
        Verdict::Refused(problems) => {
            assert_eq!(&checked, problems, "the check of {fields:?}");
            let said = |(key, problem): (&String, &Problem)| (key.clone(), problem.message.clone());
            let said: BTreeMap<_, _> = problems.iter().map(said).collect();
            assert_eq!(page, Err(said), "the page of {fields:?}");
        }
    }
}

/// Checks a case on each face, and returns the codes with which it is refused.
async fn assert_case(portal: &mut Portal, case: &Case) -> Vec<String> {
    let body = case.body(&ALWAYS);
    let rest = portal.rest(&body).await;
    assert_expected(&rest, case.expected, &body.to_string());
    let refused = match &rest {
        Verdict::Begun(_) => Vec::new(),
        Verdict::Refused(problems) => codes(problems),
    };
    if !case::is_beyond_schema(&refused) {
        assert_eq!(portal.schema_accepts(&body), refused.is_empty(), "the schema and {body}");
    }
    if let Some(fields) = case.fields(&ALWAYS) {
        assert_form(portal, &fields, &rest).await;
    }
    refused.into_iter().map(|(_, code)| code).collect()
}

#[tokio::test]
async fn every_face_says_the_same_of_every_case() {
    let mut portal = Portal::new().await;
    let mut seen = BTreeSet::new();
    for case in table::all() {
        seen.extend(assert_case(&mut portal, &case).await);
    }
    // A person can see no code on a page that these cases do not show there.
    assert!(seen.len() >= 20, "only {seen:?}");
}

#[tokio::test]
async fn a_field_that_is_sent_twice_is_refused_with_scripts_and_without() {
    let mut portal = Portal::new().await;
    for (fields, expected) in table::only_in_forms() {
        let fields = own(fields);
        let checked = portal.check(&fields).await;
        assert_form(&mut portal, &fields, &Verdict::Refused(checked.clone())).await;
        assert_expected(&Verdict::Refused(checked), expected, &format!("{fields:?}"));
    }
}

#[tokio::test]
async fn what_is_known_of_the_person_fills_only_what_it_fits_on_each_face() {
    for email in [None, Some("a${{b}}@c")] {
        let mut portal = Portal::of_alice(email).await;
        let body = json!({ "parameters": { "team": "red" } });
        let rest = portal.rest(&body).await;
        assert_expected(&rest, Errors(&[("email", "REQUIRED")]), "REST");
        assert!(!portal.schema_accepts(&body), "{email:?}");
        let fields = own(&[("p.team", "red")]);
        assert_form(&mut portal, &fields, &rest).await;
    }
}

#[tokio::test]
async fn what_can_only_be_answered_at_the_start_is_kept_when_it_is_tried_again() {
    let mut portal = Portal::new().await;
    let body = json!({
        "parameters": { "team": "red", "own": true, "host": "a.example", "workers": 4 },
        "secrets": { "token": "given-token" },
    });
    let id = portal.deploy(&body).await;
    let (begun, first) = (portal.begun(&id).await, id.clone());
    for expected in ["WORKERS=4", "TOKEN=secret given-token", "EMAIL=alice@example.com"] {
        assert!(begun.variables.contains(expected), "{begun:?}");
    }
    portal.fail().await;
    let again = portal.try_again(&id).await;
    let id = again.json()["deploymentId"].as_str().unwrap().to_owned();
    assert!(id != first && portal.begun(&id).await == begun, "{again:?}");
    // A secret that is required is asked for again after an hour.
    portal.fail().await;
    portal.let_an_hour_pass().await;
    assert_eq!(portal.try_again(&id).await.error(), "422 SECRETS_EXPIRED");
}
